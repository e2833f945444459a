package expr

import (
	"maps"
	"slices"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
)

// referencesSchema is the shape of the variable references: exactly the declared keys.
func referencesSchema(refs []Reference) *Schema {
	s := &Schema{Kind: Object, Fields: make(map[string]*Schema, len(refs))}
	for _, r := range refs {
		s.Fields[r.Key] = r.Schema
	}
	return s
}

// objectType begins the names of the types of the source's objects.
const objectType = "Source"

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
