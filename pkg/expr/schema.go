package expr

import (
	"maps"
	"slices"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// Kind is the kind of JSON value that a Schema describes.
type Kind int

// The kinds. Dyn is a value of which nothing is known.
const (
	Dyn Kind = iota
	String
	Int
	Double
	Bool
	List
	Map
	Object
)

// Schema is the shape of a JSON value as expressions see it: bytes and times are strings, int-or-string and
// anything that may hold unknown fields is Dyn. A nil *Schema is Dyn.
type Schema struct {
	Kind Kind
	// Base64 strings hold encoded bytes (format: byte).
	Base64 bool
	// Nullable values may be an explicit null.
	Nullable bool
	// Fields are the fields of an Object; no other field exists.
	Fields map[string]*Schema
	// Required are the fields that an Object must have.
	Required []string
	// Elem is the shape of a List's items or a Map's values.
	Elem *Schema
}

// Field returns the schema of a field of an object or of a map's value, and whether such a field can exist.
// Nothing is known of a Dyn value: its fields may exist and are Dyn.
func (s *Schema) Field(name string) (*Schema, bool) {
	switch s.kind() {
	case Dyn:
		return nil, true
	case Map:
		return s.Elem, true
	case Object:
		f, ok := s.Fields[name]
		return f, ok
	case String, Int, Double, Bool, List:
		return nil, false
	}
	return nil, false
}

// Known reports whether anything is known of the value.
func (s *Schema) Known() bool { return s.kind() != Dyn }

// Takes reports whether a value of kind k fits. A Map takes an Object, and a Double an Int.
func (s *Schema) Takes(k Kind) bool {
	switch own := s.kind(); {
	case own == Dyn || k == Dyn || own == k:
		return true
	case own == Map || own == Object:
		return k == Map || k == Object
	default:
		return own == Double && k == Int
	}
}

// Items returns the schema of a list's items or a map's values.
func (s *Schema) Items() *Schema {
	if s == nil {
		return nil
	}
	return s.Elem
}

// RequiredFields are the fields that an object must have.
func (s *Schema) RequiredFields() []string {
	if s == nil {
		return nil
	}
	return s.Required
}

// CELType returns the type that an expression for such a value needs. Of objects, lists and maps it is known
// only that much: their parts are checked when they have values.
func (s *Schema) CELType() *cel.Type {
	switch s.kind() {
	case String:
		return cel.StringType
	case Int:
		return cel.IntType
	case Double:
		return cel.DoubleType
	case Bool:
		return cel.BoolType
	case List:
		return cel.ListType(cel.DynType)
	case Map, Object:
		return cel.MapType(cel.StringType, cel.DynType)
	case Dyn:
	}
	return cel.DynType
}

// String names the kind of value for people.
func (s *Schema) String() string {
	if s.kind() == String && s.Base64 {
		return "base64 text"
	}
	return s.kind().String()
}

// String names the kind for people.
func (k Kind) String() string {
	switch k {
	case Dyn:
		return "any value"
	case String:
		return "text"
	case Int:
		return "an integer"
	case Double:
		return "a number"
	case Bool:
		return "a bool"
	case List:
		return "a list"
	case Map, Object:
		return "an object"
	}
	return "any value"
}

func (s *Schema) kind() Kind {
	if s == nil {
		return Dyn
	}
	return s.Kind
}

// SchemaOf turns an OpenAPI v3 schema, as a CustomResourceDefinition has it, into a Schema. The document's
// metadata, if it has any, gets the fields that Kubernetes gives every object.
func SchemaOf(props *apiextensionsv1.JSONSchemaProps) *Schema {
	s := schemaOf(props)
	if s.kind() == Object {
		if _, ok := s.Fields["metadata"]; ok {
			s.Fields["metadata"] = objectMeta()
		}
	}
	return s
}

func schemaOf(props *apiextensionsv1.JSONSchemaProps) *Schema {
	if props == nil || props.XIntOrString || props.XEmbeddedResource ||
		(props.XPreserveUnknownFields != nil && *props.XPreserveUnknownFields) {
		return nil
	}
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
		s.Kind, s.Elem = List, schemaOf(props.Items.Schema)
	case "object":
		return objectSchemaOf(props, s)
	default:
		return nil
	}
	return s
}

func objectSchemaOf(props *apiextensionsv1.JSONSchemaProps, s *Schema) *Schema {
	if extra := props.AdditionalProperties; extra != nil {
		if extra.Schema == nil {
			return nil
		}
		s.Kind, s.Elem = Map, schemaOf(extra.Schema)
		return s
	}
	if len(props.Properties) == 0 {
		return nil
	}
	s.Kind, s.Required = Object, props.Required
	s.Fields = make(map[string]*Schema, len(props.Properties))
	for name, p := range props.Properties {
		s.Fields[name] = schemaOf(&p)
	}
	return s
}

// objectMeta is the metadata of every Kubernetes object.
func objectMeta() *Schema {
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

// referencesSchema is the shape of the variable references: exactly the declared keys.
func referencesSchema(refs []Reference) *Schema {
	s := &Schema{Kind: Object, Fields: make(map[string]*Schema, len(refs))}
	for _, r := range refs {
		s.Fields[r.Key] = r.Schema
	}
	return s
}

// typeSet is the type provider of one scope: it answers the checker's questions about declared objects.
type typeSet struct {
	types.Provider

	objects map[string]*declared
}

type declared struct {
	typ    *cel.Type
	names  []string
	fields map[string]*types.FieldType
}

func newTypeSet(base types.Provider) *typeSet {
	return &typeSet{Provider: base, objects: map[string]*declared{}}
}

// declare registers the objects of s under name and returns the CEL type of s. Names are paths such as
// Source.spec: they stand in messages, and never equal a variable's name, which would shadow the variable.
func (t *typeSet) declare(name string, s *Schema) *cel.Type {
	switch s.kind() {
	case Dyn:
		return cel.DynType
	case String:
		return nullable(s, cel.StringType)
	case Int:
		return nullable(s, cel.IntType)
	case Double:
		return nullable(s, cel.DoubleType)
	case Bool:
		return nullable(s, cel.BoolType)
	case List:
		return nullable(s, cel.ListType(t.declare(name+"[]", s.Elem)))
	case Map:
		return nullable(s, cel.MapType(cel.StringType, t.declare(name+"[]", s.Elem)))
	case Object:
		return t.declareObject(name, s)
	}
	return cel.DynType
}

func (t *typeSet) declareObject(name string, s *Schema) *cel.Type {
	d := &declared{
		typ:    cel.ObjectType(name),
		names:  slices.Sorted(maps.Keys(s.Fields)),
		fields: make(map[string]*types.FieldType, len(s.Fields)),
	}
	t.objects[name] = d
	for _, field := range d.names {
		d.fields[field] = &types.FieldType{Type: t.declare(name+"."+field, s.Fields[field])}
	}
	return d.typ
}

// nullable makes room for an explicit null: CEL has nullable scalars, other kinds become dyn.
func nullable(s *Schema, t *cel.Type) *cel.Type {
	switch {
	case !s.Nullable:
		return t
	case s.Kind == List || s.Kind == Map:
		return cel.DynType
	default:
		return cel.NullableType(t)
	}
}

// FindStructType implements types.Provider.
func (t *typeSet) FindStructType(name string) (*types.Type, bool) {
	if d, ok := t.objects[name]; ok {
		return types.NewTypeTypeWithParam(d.typ), true
	}
	return t.Provider.FindStructType(name)
}

// FindStructFieldNames implements types.Provider.
func (t *typeSet) FindStructFieldNames(name string) ([]string, bool) {
	if d, ok := t.objects[name]; ok {
		return d.names, true
	}
	return t.Provider.FindStructFieldNames(name)
}

// FindStructFieldType implements types.Provider.
func (t *typeSet) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	if d, ok := t.objects[name]; ok {
		f, ok := d.fields[field]
		return f, ok
	}
	return t.Provider.FindStructFieldType(name, field)
}
