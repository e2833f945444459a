package policy

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/crd"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/expr/plain"
	"github.com/clusterimport/clusterimport/pkg/render"
)

// Rendered is the PediaCluster that a template gives for one source.
type Rendered struct {
	Cluster *v1alpha2.PediaCluster
	// Blank are the endpoint and credential fields that the template names and whose value is empty.
	Blank []string
	// Fields are the fields of spec that the document has, in order.
	Fields []string
}

// connectionFields are the fields of spec that say how to reach a cluster, and that follow the source.
var connectionFields = []string{"kubeconfig", "apiserver", "caData", "tokenData", "certData", "keyData"}

// clusterSchema is what a template may hold: the PediaCluster without its status, metadata reduced to what the
// import keeps.
var clusterSchema = sync.OnceValues(func() (*expr.Schema, error) {
	doc, err := crd.YAML(v1alpha2.PediaClusterResource.GroupResource().String())
	if err != nil {
		return nil, err
	}
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(doc, &definition); err != nil {
		return nil, fmt.Errorf("cannot read the built-in PediaCluster definition: %w", err)
	}
	schema := expr.SchemaOf(definition.Spec.Versions[0].Schema.OpenAPIV3Schema, nil)
	text := &expr.Schema{Kind: expr.String}
	texts := &expr.Schema{Kind: expr.Map, Elem: text}
	return &expr.Schema{Kind: expr.Object, Required: []string{"spec"}, Fields: map[string]*expr.Schema{
		"apiVersion": text, "kind": text,
		"metadata": {Kind: expr.Object, Fields: map[string]*expr.Schema{
			"name": text, "labels": texts, "annotations": texts,
		}},
		"spec": schema.Fields["spec"],
	}}, nil
})

// clusterLimits bound a PediaCluster. The API server takes about a mebibyte and a half.
var clusterLimits = plain.Limits{Values: 50_000, Bytes: 1 << 20, Depth: 64}

// decode checks a rendered document and turns it into a PediaCluster of that name.
func decode(object map[string]any, name string) (*Rendered, error) {
	schema, err := clusterSchema()
	if err != nil {
		return nil, err
	}
	// Fields of an object cost nothing, and a document may repeat them.
	if err := plain.Within(object, clusterLimits); err != nil {
		return nil, &InvalidError{Stage: StageRender, Message: "the PediaCluster is too large: " + err.Error()}
	}
	if fault := render.Conform(schema, object); fault != nil {
		return nil, &InvalidError{Stage: StageRender, Message: fault.Error()}
	}
	if err := checkKind(object); err != nil {
		return nil, err
	}
	cluster := &v1alpha2.PediaCluster{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, cluster); err != nil {
		return nil, &InvalidError{Stage: StageRender, Message: "the document is no PediaCluster"}
	}
	cluster.APIVersion, cluster.Kind = v1alpha2.PediaClusterKind.ToAPIVersionAndKind()
	cluster.Name = name
	spec, _ := object["spec"].(map[string]any)
	return &Rendered{Cluster: cluster, Blank: blankFields(spec), Fields: slices.Sorted(maps.Keys(spec))}, nil
}

func checkKind(object map[string]any) error {
	apiVersion, kind := v1alpha2.PediaClusterKind.ToAPIVersionAndKind()
	for field, want := range map[string]string{"apiVersion": apiVersion, "kind": kind} {
		if got, ok := object[field]; ok && got != want {
			return &InvalidError{Stage: StageRender, Message: fmt.Sprintf("%s must be %s or be left out", field, want)}
		}
	}
	return nil
}

func blankFields(spec map[string]any) []string {
	var blank []string
	for _, name := range connectionFields {
		if val, ok := spec[name]; ok && (val == nil || val == "") {
			blank = append(blank, name)
		}
	}
	return blank
}

// ClusterJSON checks a rendered document and returns the part that a PediaCluster is made of, as JSON:
// {metadata: {labels, annotations}, spec}.
func ClusterJSON(object map[string]any) (map[string]any, error) {
	rendered, err := decode(object, "")
	if err != nil {
		return nil, err
	}
	whole, err := runtime.DefaultUnstructuredConverter.ToUnstructured(rendered.Cluster)
	if err != nil {
		return nil, fmt.Errorf("cannot convert the PediaCluster: %w", err)
	}
	metadata, _ := whole["metadata"].(map[string]any)
	kept := map[string]any{}
	for _, field := range []string{"labels", "annotations"} {
		if val, ok := metadata[field]; ok {
			kept[field] = val
		}
	}
	return map[string]any{"metadata": kept, "spec": whole["spec"]}, nil
}
