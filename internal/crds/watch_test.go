package crds

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset/fake"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/clusterimport/clusterimport/api/crd"
)

// TestWatch compares a cluster in which one definition is as built in, one lacks fields, one serves another version and
// one is missing.
func TestWatch(t *testing.T) {
	var live []*apiextensionsv1.CustomResourceDefinition
	for _, name := range crd.Names {
		d, err := Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		live = append(live, d)
	}
	spec := live[2].Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	delete(spec.Properties, "allowInsecure")
	live[3].Spec.Versions[0].Name = "v9"
	clients := fake.NewClientset(live[1], live[2], live[3])
	ctx, stop := context.WithCancel(t.Context())
	got := map[string]string{}
	err := Watch(ctx, clients.ApiextensionsV1().CustomResourceDefinitions(), func(name, mismatch string) {
		if got[name] = mismatch; len(got) == len(crd.Names) {
			stop()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		crd.Names[0]: "the CustomResourceDefinition clustersyncresources.cluster.clusterpedia.io does not exist",
		crd.Names[1]: "",
		crd.Names[2]: "the CustomResourceDefinition clusterimportpolicies.policy.clusterpedia.io lacks v1alpha1.spec.allowInsecure: the API server drops these fields",
		crd.Names[3]: "the CustomResourceDefinition pediaclusterlifecycles.policy.clusterpedia.io cannot serve this release: it does not serve v1alpha1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestWatchUnanswered: what cannot be asked for is not told of.
func TestWatchUnanswered(t *testing.T) {
	clients := fake.NewClientset()
	ctx, stop := context.WithCancel(t.Context())
	asked := 0
	clients.PrependReactor("get", "customresourcedefinitions", func(clienttesting.Action) (bool, runtime.Object, error) {
		if asked++; asked == len(crd.Names) {
			stop()
		}
		return true, nil, errors.New("no")
	})
	if err := Watch(ctx, clients.ApiextensionsV1().CustomResourceDefinitions(), func(name, _ string) { t.Errorf("%s is told of", name) }); err != nil {
		t.Fatal(err)
	}
}

func TestManyMissing(t *testing.T) {
	p := &Plan{Missing: []string{"a", "b", "c", "d", "e", "f", "g"}}
	if got, want := p.mismatch("x"), "the CustomResourceDefinition x lacks a, b, c, d, e and 2 more: the API server drops these fields"; got != want {
		t.Errorf("got %s", got)
	}
}
