package webhook

import (
	"errors"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
)

// TestRights: what the controller may not watch is warned of, and asked for once a minute.
func TestRights(t *testing.T) {
	clients := fake.NewClientset()
	asked, down := 0, false
	clients.PrependReactor("create", "selfsubjectaccessreviews", func(action clienttesting.Action) (bool, runtime.Object, error) {
		asked++
		if down {
			return true, nil, errors.New("c4n4ry")
		}
		review, _ := action.(clienttesting.CreateAction).GetObject().(*authorizationv1.SelfSubjectAccessReview)
		of := review.Spec.ResourceAttributes
		review.Status.Allowed = of.Resource == "clusters" || of.Verb == "list"
		return true, review, nil
	})
	now := time.Now()
	v := &Validator{Reviews: clients.AuthorizationV1().SelfSubjectAccessReviews(), Now: func() time.Time { return now }}
	spec := &v1alpha1.ClusterImportPolicySpec{
		Source:     v1alpha1.SourceType{Group: "x.io", Resource: "clusters"},
		References: []v1alpha1.ReferenceResourceTemplate{{Key: "s", Resource: "secrets"}},
	}
	const want = `warning: spec.references[0]: the controller may not watch secrets; grant it ` +
		`{apiGroups: [""], resources: ["secrets"], verbs: ["get", "list", "watch"]} [POLICY-FORBIDDEN]`
	for range 3 {
		if got := v.rights(t.Context(), spec).String(); got != want {
			t.Errorf("got %s", got)
		}
	}
	if asked != 4 {
		t.Errorf("four questions are asked %d times", asked)
	}
	now, down = now.Add(grantTTL), true
	if got := v.rights(t.Context(), spec); len(got) != 0 || strings.Contains(got.String(), "c4n4ry") {
		t.Errorf("an answer that does not come is a warning: %s", got)
	}
	if asked != 6 {
		t.Errorf("after a minute it is asked again: %d", asked)
	}
}

// TestRightsInNamespaces: a kind that is read in some namespaces needs no rights elsewhere.
func TestRightsInNamespaces(t *testing.T) {
	clients := fake.NewClientset()
	clients.PrependReactor("create", "selfsubjectaccessreviews", func(action clienttesting.Action) (bool, runtime.Object, error) {
		review, _ := action.(clienttesting.CreateAction).GetObject().(*authorizationv1.SelfSubjectAccessReview)
		review.Status.Allowed = review.Spec.ResourceAttributes.Namespace == "granted"
		return true, review, nil
	})
	spec := &v1alpha1.ClusterImportPolicySpec{Source: v1alpha1.SourceType{Resource: "secrets"}}
	for namespaces, warned := range map[string]bool{"granted": false, "granted,other": true, "": true} {
		v := &Validator{Reviews: clients.AuthorizationV1().SelfSubjectAccessReviews(), Now: time.Now}
		if namespaces != "" {
			v.Namespaces = map[schema.GroupResource][]string{{Resource: "secrets"}: strings.Split(namespaces, ",")}
		}
		if list := v.rights(t.Context(), spec); (len(list) > 0) != warned {
			t.Errorf("reading Secrets in %q: %s", namespaces, list)
		}
	}
}
