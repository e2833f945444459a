package policy

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// Types are the shapes of the objects that expressions see, as far as they are known. The zero Types know none.
type Types struct {
	Source *expr.Schema
	// References are by key.
	References map[string]*expr.Schema
	// Untyped says of which kinds the shape is not known and why. It is information: nothing is refused for it.
	Untyped diag.List
}

// Equal reports whether both are the same schemas, and not only schemas that say the same.
func (t Types) Equal(other Types) bool {
	return t.Source == other.Source && maps.Equal(t.References, other.References) && len(t.Untyped) == len(other.Untyped)
}

// Schemas is a source of the shapes of objects.
type Schemas interface {
	// Schema returns the shape of a resource's objects. The error says why it is not known; it is a sentence for the
	// author of a policy.
	Schema(ctx context.Context, resource schema.GroupVersionResource) (*expr.Schema, error)
}

// Resources are the resources of a policy, in the versions that were chosen.
type Resources struct {
	Source     schema.GroupVersionResource
	References []ReferenceResource
}

// ReferenceResource is the resource of one reference.
type ReferenceResource struct {
	schema.GroupVersionResource

	Key string
}

// errOpen is a schema that allows anything.
var errOpen = errors.New("its schema leaves them open")

// TypesOf asks for the shapes of a policy's resources.
func TypesOf(ctx context.Context, schemas Schemas, of Resources) Types {
	types := Types{References: make(map[string]*expr.Schema, len(of.References))}
	ask := func(field string, resource schema.GroupVersionResource) *expr.Schema {
		s, err := schemas.Schema(ctx, resource)
		if err == nil && !s.Known() {
			err = errOpen
		}
		if err != nil {
			types.Untyped = append(types.Untyped, diag.Diagnostic{
				Severity: diag.Info, Code: CodeUntyped, Field: field,
				Message: fmt.Sprintf("the fields of %s are not checked: %v", resource.GroupResource(), err),
			})
		}
		return s
	}
	types.Source = ask("spec.source", of.Source)
	for i, r := range of.References {
		types.References[r.Key] = ask(fmt.Sprintf("spec.references[%d]", i), r.GroupVersionResource)
	}
	return types
}

// wellKnown is the shape of the kinds that every API server has and that clusters' credentials are kept in; nil for any
// other. It holds when no server was asked.
func wellKnown(group, resource string) *expr.Schema {
	if group != "" || resource != "secrets" && resource != "configmaps" {
		return nil
	}
	text, flag := &expr.Schema{Kind: expr.String}, &expr.Schema{Kind: expr.Bool}
	encoded := &expr.Schema{Kind: expr.Map, Elem: &expr.Schema{Kind: expr.String, Base64: true}}
	s := &expr.Schema{Kind: expr.Object, Fields: map[string]*expr.Schema{
		"apiVersion": text, "kind": text, "metadata": expr.ObjectMeta(), "immutable": flag,
	}}
	if resource == "secrets" {
		s.Fields["data"], s.Fields["type"] = encoded, text
		s.Fields["stringData"] = &expr.Schema{Kind: expr.Map, Elem: text}
		return s
	}
	s.Fields["data"], s.Fields["binaryData"] = &expr.Schema{Kind: expr.Map, Elem: text}, encoded
	return s
}
