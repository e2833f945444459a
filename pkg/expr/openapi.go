package expr

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// OpenAPI is an OpenAPI v3 document, as an API server has one for each group and version.
type OpenAPI struct {
	// schemas are decoded when they are asked for: a document has hundreds, and a policy needs one.
	schemas map[string]json.RawMessage
}

// ParseOpenAPI reads a document in JSON.
func ParseOpenAPI(doc []byte) (*OpenAPI, error) {
	var parsed struct {
		Components struct {
			Schemas map[string]json.RawMessage `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(doc, &parsed); err != nil {
		return nil, fmt.Errorf("cannot read the OpenAPI document: %w", err)
	}
	return &OpenAPI{parsed.Components.Schemas}, nil
}

// Schema returns the shape of a kind's objects; ok is false when the document does not describe the kind.
func (o *OpenAPI) Schema(kind schema.GroupVersionKind) (s *Schema, ok bool) {
	for name, raw := range o.schemas {
		if describes(raw, kind) {
			return SchemaOf(o.definition(name), o.reference), true
		}
	}
	return nil, false
}

func describes(raw json.RawMessage, kind schema.GroupVersionKind) bool {
	var described struct {
		Kinds []schema.GroupVersionKind `json:"x-kubernetes-group-version-kind"`
	}
	return json.Unmarshal(raw, &described) == nil && slices.Contains(described.Kinds, kind)
}

// reference implements Definitions.
func (o *OpenAPI) reference(ref string) *apiextensionsv1.JSONSchemaProps {
	return o.definition(strings.TrimPrefix(ref, "#/components/schemas/"))
}

func (o *OpenAPI) definition(name string) *apiextensionsv1.JSONSchemaProps {
	props := &apiextensionsv1.JSONSchemaProps{}
	if json.Unmarshal(o.schemas[name], props) != nil {
		return nil
	}
	return props
}
