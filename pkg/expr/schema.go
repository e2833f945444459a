package expr

import "github.com/google/cel-go/cel"

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
