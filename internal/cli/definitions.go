package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// definitions are CustomResourceDefinitions by their resource: the policy.Schemas of manifests.
type definitions map[schema.GroupResource]*apiextensionsv1.CustomResourceDefinition

// readDefinitions reads the CustomResourceDefinitions of files and folders.
func readDefinitions(paths []string, stdin io.Reader) (definitions, error) {
	m, err := readManifests(paths, stdin)
	if err != nil {
		return nil, err
	}
	defined, err := m.definitions()
	if err == nil && len(defined) == 0 && len(paths) > 0 {
		return nil, fmt.Errorf("there is no CustomResourceDefinition in %q", paths)
	}
	return defined, err
}

// definitions are those among the manifests.
func (m *manifests) definitions() (definitions, error) {
	defined := definitions{}
	for _, o := range m.objects {
		if o.GetKind() != "CustomResourceDefinition" {
			continue
		}
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, crd); err != nil {
			return nil, fmt.Errorf("cannot read the CustomResourceDefinition %s: %w", o.GetName(), err)
		}
		defined[schema.GroupResource{Group: crd.Spec.Group, Resource: crd.Spec.Names.Plural}] = crd
	}
	return defined, nil
}

// Schema implements policy.Schemas.
func (d definitions) Schema(_ context.Context, resource schema.GroupVersionResource) (*expr.Schema, error) {
	crd, ok := d[resource.GroupResource()]
	if shape := builtin[resource.GroupResource()]; shape != nil && !ok {
		return shape, nil
	}
	if !ok {
		return nil, errors.New("there is no CustomResourceDefinition of them")
	}
	for _, v := range crd.Spec.Versions {
		if v.Name == resource.Version && v.Schema != nil {
			return expr.SchemaOf(v.Schema.OpenAPIV3Schema, nil), nil
		}
	}
	return nil, fmt.Errorf("their CustomResourceDefinition has no version %q", resource.Version)
}

// builtin are the shapes of the kinds that hold credentials, which no CustomResourceDefinition defines.
var builtin = map[schema.GroupResource]*expr.Schema{
	{Resource: "secrets"}:    keyed(&expr.Schema{Kind: expr.String, Base64: true}, "stringData"),
	{Resource: "configmaps"}: keyed(&expr.Schema{Kind: expr.String}, "binaryData"),
}

// keyed is the shape of an object whose data are texts by key.
func keyed(value *expr.Schema, more string) *expr.Schema {
	text := &expr.Schema{Kind: expr.String}
	return &expr.Schema{Kind: expr.Object, Fields: map[string]*expr.Schema{
		"apiVersion": text, "kind": text, "type": text, "immutable": {Kind: expr.Bool}, "metadata": expr.ObjectMeta(),
		"data": {Kind: expr.Map, Elem: value}, more: {Kind: expr.Map, Elem: text},
	}}
}

// types are the shapes that the definitions give a policy. Without any definition nothing is said of kinds that have
// none.
func (d definitions) types(ctx context.Context, spec *v1alpha1.ClusterImportPolicySpec) policy.Types {
	if len(d) == 0 {
		return policy.Types{}
	}
	return policy.TypesOf(ctx, d, d.resources(spec))
}

// resources are those of a policy, in the versions that an API server would choose.
func (d definitions) resources(spec *v1alpha1.ClusterImportPolicySpec) policy.Resources {
	resources := policy.Resources{Source: d.choose(spec.Source.Group, spec.Source.Resource, spec.Source.Versions)}
	for _, r := range spec.References {
		resources.References = append(resources.References, policy.ReferenceResource{
			Key: r.Key, GroupVersionResource: d.choose(r.Group, r.Resource, r.Versions),
		})
	}
	return resources
}

// choose chooses the version that an API server would: the first of versions that is served, without versions the one
// that Kubernetes prefers.
func (d definitions) choose(group, resource string, versions []string) schema.GroupVersionResource {
	gr := schema.GroupResource{Group: group, Resource: resource}
	var served []string
	if crd := d[gr]; crd != nil {
		for _, v := range crd.Spec.Versions {
			if v.Served {
				served = append(served, v.Name)
			}
		}
	}
	slices.SortFunc(served, func(a, b string) int { return version.CompareKubeAwareVersionStrings(b, a) })
	for _, v := range versions {
		if slices.Contains(served, v) {
			return gr.WithVersion(v)
		}
	}
	if len(versions) == 0 && len(served) > 0 {
		return gr.WithVersion(served[0])
	}
	return gr.WithVersion("")
}
