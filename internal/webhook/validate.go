package webhook

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	authorizationclient "k8s.io/client-go/kubernetes/typed/authorization/v1"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/kube"
	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// Codes of warnings that only a cluster can give.
const (
	// CodeNotServed is a kind that the API server does not serve, or not in a version that the policy lists.
	CodeNotServed diag.Code = "POLICY-NOT-SERVED"
	// CodeForbidden is a kind that the controller may not watch.
	CodeForbidden diag.Code = "POLICY-FORBIDDEN"
	// CodeUnchecked is a kind that the API server does not tell about.
	CodeUnchecked diag.Code = "POLICY-UNCHECKED"
)

// Validator checks policies as the controller will, with what the API server serves now.
type Validator struct {
	// Resources and Schemas are the validator's own: it asks them for what is new at every policy.
	Resources *kube.Resources
	Schemas   *kube.Schemas
	// Reviews says what the controller may do.
	Reviews authorizationclient.SelfSubjectAccessReviewInterface
	// Namespaces are where the controller reads a kind, if not everywhere.
	Namespaces map[schema.GroupResource][]string
	Now        func() time.Time

	mu     sync.Mutex
	grants map[schema.GroupResource]grant
}

// grant is an answer about the controller's rights.
type grant struct {
	allowed bool
	asked   time.Time
}

// grantTTL is how long an answer about rights is kept.
const grantTTL = time.Minute

// Validate returns all that is to be said of a policy, errors and warnings.
func (v *Validator) Validate(ctx context.Context, spec *v1alpha1.ClusterImportPolicySpec) diag.List {
	v.Resources.Invalidate()
	v.Schemas.Invalidate()
	resources, list := v.negotiate(ctx, spec)
	described := &undescribed{Schemas: v.Schemas}
	_, found := policy.Compile(spec, policy.TypesOf(ctx, described, resources))
	list = append(append(append(list, described.warnings...), found...), policy.Lint(spec)...)
	if !list.HasErrors() {
		list = append(list, v.rights(ctx, spec)...)
	}
	return list
}

// undescribed warns of kinds that are served and whose fields the API server does not tell, as it is for some seconds
// after a CRD has come. A schema that leaves its fields open is nothing to warn of.
type undescribed struct {
	policy.Schemas

	warnings diag.List
}

// Schema implements policy.Schemas.
func (u *undescribed) Schema(ctx context.Context, resource schema.GroupVersionResource) (*expr.Schema, error) {
	s, err := u.Schemas.Schema(ctx, resource)
	if err != nil && resource.Version != "" {
		u.warnings = append(u.warnings, warning(CodeUnchecked, "spec",
			fmt.Sprintf("the fields of %s are not checked now, but by the controller later: %v", resource.GroupResource(), err)))
	}
	return s, err
}

// negotiate chooses the versions of the policy's kinds, and warns of those that are not served: the policy may come
// before its kinds, and is then checked as far as its own text goes.
func (v *Validator) negotiate(ctx context.Context, spec *v1alpha1.ClusterImportPolicySpec) (policy.Resources, diag.List) {
	var list diag.List
	choose := func(field, group, resource string, versions []string) schema.GroupVersionResource {
		chosen, err := v.Resources.Negotiate(ctx, group, resource, versions, nil)
		if missing, ok := errors.AsType[*kube.NotServedError](err); ok {
			list = append(list, warning(CodeNotServed, field, missing.Message+"; the policy waits for it"))
		} else if err != nil {
			list = append(list, warning(CodeUnchecked, field, "the API server does not say what it serves: "+kube.Explain(err)))
		}
		return schema.GroupVersionResource{Group: group, Version: chosen.Version, Resource: resource}
	}
	s := spec.Source
	resources := policy.Resources{Source: choose("spec.source", s.Group, s.Resource, s.Versions)}
	for i, r := range spec.References {
		resources.References = append(resources.References, policy.ReferenceResource{
			Key: r.Key, GroupVersionResource: choose(fmt.Sprintf("spec.references[%d]", i), r.Group, r.Resource, r.Versions),
		})
	}
	return resources, list
}

func warning(code diag.Code, field, message string) diag.Diagnostic {
	return diag.Diagnostic{Severity: diag.Warning, Code: code, Field: field, Message: message}
}

// rights warns of the kinds that the controller may not watch. An answer that does not come is no warning.
func (v *Validator) rights(ctx context.Context, spec *v1alpha1.ClusterImportPolicySpec) diag.List {
	var list diag.List
	ask := func(field, group, resource string) {
		kind := schema.GroupResource{Group: group, Resource: resource}
		if allowed, err := v.mayWatch(ctx, kind); err == nil && !allowed {
			list = append(list, warning(CodeForbidden, field, kube.Forbidden(kind)))
		}
	}
	ask("spec.source", spec.Source.Group, spec.Source.Resource)
	for i, r := range spec.References {
		ask(fmt.Sprintf("spec.references[%d]", i), r.Group, r.Resource)
	}
	return list
}

// mayWatch reports whether this process, which has the controller's rights, may list and watch a kind wherever it reads it.
func (v *Validator) mayWatch(ctx context.Context, kind schema.GroupResource) (bool, error) {
	v.mu.Lock()
	now := v.Now()
	maps.DeleteFunc(v.grants, func(_ schema.GroupResource, g grant) bool { return now.Sub(g.asked) >= grantTTL })
	known, ok := v.grants[kind]
	v.mu.Unlock()
	if ok {
		return known.allowed, nil
	}
	namespaces := v.Namespaces[kind]
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	allowed := true
	for _, namespace := range namespaces {
		for _, verb := range []string{"list", "watch"} {
			review, err := v.Reviews.Create(ctx, &authorizationv1.SelfSubjectAccessReview{
				Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
					Verb: verb, Namespace: namespace, Group: kind.Group, Resource: kind.Resource,
				}},
			}, metav1.CreateOptions{})
			if err != nil {
				return false, err
			}
			allowed = allowed && review.Status.Allowed
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.grants == nil {
		v.grants = map[schema.GroupResource]grant{}
	}
	v.grants[kind] = grant{allowed, now}
	return allowed, nil
}
