package expr

import (
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// Definitions finds the schema that a $ref names, or nil.
type Definitions func(ref string) *apiextensionsv1.JSONSchemaProps

// SchemaOf turns the OpenAPI v3 schema of a Kubernetes object, as a CustomResourceDefinition or an API server's
// document has it, into a Schema, with the fields that every object has. definitions may be nil; a $ref that leads to
// itself, as that of a JSON schema in a CustomResourceDefinition, is Dyn.
func SchemaOf(props *apiextensionsv1.JSONSchemaProps, definitions Definitions) *Schema {
	s := (&schemaReader{definitions: definitions}).schema(props)
	if s.kind() == Object {
		s.Fields["apiVersion"], s.Fields["kind"] = &Schema{Kind: String}, &Schema{Kind: String}
		s.Fields["metadata"] = ObjectMeta()
	}
	return s
}

// schemaReader follows references. open are those that it is within.
type schemaReader struct {
	definitions Definitions
	open        []string
}

func (r *schemaReader) schema(props *apiextensionsv1.JSONSchemaProps) *Schema {
	switch {
	case props == nil || isOpen(props):
		return nil
	case props.Ref != nil:
		return r.reference(*props.Ref)
	case props.Type == "" && len(props.AllOf) == 1:
		// API servers wrap a reference that has a default or a description.
		return r.schema(&props.AllOf[0])
	default:
		return r.typed(props)
	}
}

// isOpen reports whether values of other kinds, or with other fields, may stand there.
func isOpen(props *apiextensionsv1.JSONSchemaProps) bool {
	return props.XIntOrString || props.XEmbeddedResource || (props.XPreserveUnknownFields != nil && *props.XPreserveUnknownFields)
}

func (r *schemaReader) typed(props *apiextensionsv1.JSONSchemaProps) *Schema {
	s := &Schema{Nullable: props.Nullable}
	switch props.Type {
	case "string":
		s.Kind, s.Base64 = String, props.Format == "byte"
	case "integer":
		s.Kind = Int
	case "number":
		s.Kind = Double
	case "boolean":
		s.Kind = Bool
	case "array":
		if props.Items == nil || props.Items.Schema == nil {
			return nil
		}
		s.Kind, s.Elem = List, r.schema(props.Items.Schema)
	case "object":
		return r.object(props, s)
	default:
		return nil
	}
	return s
}

func (r *schemaReader) reference(ref string) *Schema {
	if r.definitions == nil || slices.Contains(r.open, ref) {
		return nil
	}
	r.open = append(r.open, ref)
	defer func() { r.open = r.open[:len(r.open)-1] }()
	return r.schema(r.definitions(ref))
}

func (r *schemaReader) object(props *apiextensionsv1.JSONSchemaProps, s *Schema) *Schema {
	if extra := props.AdditionalProperties; extra != nil {
		if extra.Schema == nil {
			return nil
		}
		s.Kind, s.Elem = Map, r.schema(extra.Schema)
		return s
	}
	if len(props.Properties) == 0 {
		return nil
	}
	s.Kind, s.Required = Object, props.Required
	s.Fields = make(map[string]*Schema, len(props.Properties))
	for name, p := range props.Properties {
		s.Fields[name] = r.schema(&p)
	}
	return s
}

// ObjectMeta is the metadata of every Kubernetes object.
func ObjectMeta() *Schema {
	text := &Schema{Kind: String}
	texts := &Schema{Kind: Map, Elem: text}
	return &Schema{Kind: Object, Fields: map[string]*Schema{
		"name": text, "namespace": text, "generateName": text, "uid": text, "resourceVersion": text,
		"selfLink": text, "generation": {Kind: Int},
		"creationTimestamp": text, "deletionTimestamp": text, "deletionGracePeriodSeconds": {Kind: Int},
		"labels": texts, "annotations": texts,
		"finalizers":      {Kind: List, Elem: text},
		"ownerReferences": {Kind: List, Elem: ownerReference()},
		"managedFields":   nil,
	}}
}

func ownerReference() *Schema {
	text, flag := &Schema{Kind: String}, &Schema{Kind: Bool}
	return &Schema{Kind: Object, Fields: map[string]*Schema{
		"apiVersion": text, "kind": text, "name": text, "uid": text, "controller": flag, "blockOwnerDeletion": flag,
	}}
}
