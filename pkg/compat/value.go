package compat

import (
	"text/template/parse"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/clusterimport/clusterimport/pkg/compat/sprig"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// presence says what the expression of a value may give beside a value of its kind.
type presence int

const (
	// maybe is an expression that gives anything: a value, null, or an optional without a value for an absent one.
	maybe presence = iota
	// optional is an expression that gives a CEL optional of the kind.
	optional
	// present is an expression that gives a value of the kind, or fails.
	present
)

// value is a value of the template: what is known of it when the policy is compiled, and how to make its expression.
type value struct {
	// schema is the kind; nil is not known. It counts for values that are not maybe.
	schema   *expr.Schema
	presence presence
	make     maker
	// strict, if there is one, makes the value for where an absent one is an error: source.data for source.?data.
	strict maker
	// test, if there is one, makes the value's truth without the value.
	test maker
	// constant is the value, if the template has it: a types.String, Int, Double or Bool.
	constant ref.Val
	// goInt is an integer that the template made, whose expression gives a goInt.
	goInt bool
	// decoded values are those of b64dec, which may be the text of an error.
	decoded bool
	// normal values are never null: one that was null is absent.
	normal bool
	// simple values cost nothing much: their expression may stand more than once.
	simple bool
	// place is where the value stands in a Kubernetes object; open says that it may have more fields than the schema.
	place place
	open  bool
	// ofItem is a field of what a loop visits.
	ofItem bool
}

// place tells the fields that every Kubernetes object has.
type place int

const (
	elsewhere place = iota
	wholeObject
	itsMetadata
	// itsParts are its spec, status and data: objects where they are there.
	itsParts
	// roundItem is what a loop visits.
	roundItem
)

// has reports whether an object has a field for certain.
func (p place) has(name string) bool {
	switch p {
	case wholeObject:
		return name == "metadata" || name == "apiVersion" || name == "kind"
	case itsMetadata:
		return name == "name"
	case elsewhere, itsParts, roundItem:
	}
	return false
}

func (p place) below(name string) place {
	if p != wholeObject {
		return elsewhere
	}
	switch name {
	case "metadata":
		return itsMetadata
	case "spec", "status", "data":
		return itsParts
	default:
		return elsewhere
	}
}

// objectSchema is what is known of an object: its metadata at least. It is open if it may have other fields.
func objectSchema(s *expr.Schema) (known *expr.Schema, open bool) {
	if s.Known() {
		return s, false
	}
	return &expr.Schema{Kind: expr.Object, Fields: map[string]*expr.Schema{
		"apiVersion": textSchema, "kind": textSchema, "metadata": expr.ObjectMeta(),
	}}, true
}

var (
	textSchema  = &expr.Schema{Kind: expr.String}
	boolSchema  = &expr.Schema{Kind: expr.Bool}
	intSchema   = &expr.Schema{Kind: expr.Int}
	floatSchema = &expr.Schema{Kind: expr.Double}
)

// unknown is a value of which nothing is known.
func unknown(made maker) value { return value{make: made} }

// known is a value that is certainly there.
func known(schema *expr.Schema, made maker) value {
	return value{schema: schema, presence: present, make: made}
}

// kind is the kind of value, expr.Dyn if it is not known.
func (v value) kind() expr.Kind {
	switch {
	case v.presence == maybe || v.schema == nil || v.schema.Nullable:
		return expr.Dyn
	default:
		return v.schema.Kind
	}
}

// is reports whether the value is certainly there and of a kind.
func (v value) is(k expr.Kind) bool { return v.presence == present && v.kind() == k }

// of returns the schema of the value's parts.
func (v value) of() *expr.Schema { return v.schema.Items() }

// constantText is the text of a constant.
func (v value) constantText() (string, bool) {
	text, ok := v.constant.(types.String)
	return string(text), ok
}

// valueAt makes the nodes of a value point at pos.
func (t *translator) valueAt(pos parse.Pos, v value) value {
	at := func(m maker) maker {
		if m == nil {
			return nil
		}
		return t.at(pos, m)
	}
	v.make, v.strict, v.test = at(v.make), at(v.strict), at(v.test)
	return v
}

// anything is a value's expression for where any may stand: its type is left open.
func (b *builder) anything(v value) celast.Expr {
	if v.presence == maybe {
		return v.make()
	}
	return b.dyn(v.make())
}

// constantOf is a constant of the template.
func (b *builder) constantOf(schema *expr.Schema, val ref.Val) value {
	return value{
		schema: schema, presence: present, constant: val, simple: true,
		make: func() celast.Expr { return b.literal(val) },
	}
}

// goInteger is an integer that the template has written.
func (b *builder) goInteger(i int64) value {
	return value{
		schema: intSchema, presence: present, constant: types.Int(i), simple: true, goInt: true,
		make: func() celast.Expr { return b.call(fnInt, b.number(i)) },
	}
}

// held is what a bound name holds.
func (b *builder) held(name string, v value) value {
	v.make = func() celast.Expr { return b.ident(name) }
	v.strict, v.test, v.constant, v.simple = nil, nil, nil, true
	return v
}

// schemaOf is what is known of the result of a function.
func schemaOf(f sprig.Function) *expr.Schema {
	switch f.Result {
	case sprig.KindString:
		return textSchema
	case sprig.KindBool:
		return boolSchema
	case sprig.KindInt:
		return intSchema
	case sprig.KindFloat:
		return floatSchema
	case sprig.KindAny, sprig.KindList, sprig.KindMap:
	}
	return nil
}
