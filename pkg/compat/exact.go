package compat

import (
	"strconv"
	"text/template/parse"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/clusterimport/clusterimport/pkg/compat/sprig"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// exact gives what text/template gives. Where the kinds of values are known it uses CEL's own operators, if they mean
// the same for these kinds, and the functions tpl.* elsewhere.
type exact struct{ *builder }

var _ lowering = exact{}

func (l exact) field(x value, names []string) value {
	for i, name := range names {
		next, ok := l.step(x, name)
		if !ok {
			return l.path(x, names[i:])
		}
		x = next
	}
	return x
}

// step selects a field whose kind is known, of an object that may be absent but not null.
func (l exact) step(x value, name string) (value, bool) {
	if kind := x.kind(); kind != expr.Object && kind != expr.Map {
		return value{}, false
	}
	schema, ok := x.schema.Field(name)
	if !ok || !certainKind(schema) || x.kind() == expr.Object && !isFieldName(name) {
		return value{}, false
	}
	next := value{schema: schema, presence: optional, simple: x.simple, place: x.place.below(name)}
	next.make = func() celast.Expr { return l.optionalField(x.make(), name) }
	strict := x.strict
	if x.presence == present {
		strict = x.make
	}
	if strict != nil && isFieldName(name) {
		next.strict = func() celast.Expr { return l.selectField(strict(), name) }
	}
	if x.presence == present && x.place.has(name) {
		next.presence, next.make = present, next.strict
	}
	return next, true
}

// path selects fields of what may be anything.
func (l exact) path(x value, names []string) value {
	return value{simple: x.simple, make: func() celast.Expr {
		list := make([]celast.Expr, len(names))
		for i, name := range names {
			list[i] = l.text(name)
		}
		return l.call(fnGet, x.make(), l.list(list...))
	}}
}

func (l exact) printed(x value) maker {
	kind := x.kind()
	switch i, isInt := x.constant.(types.Int); {
	case isInt:
		return func() celast.Expr { return l.text(strconv.FormatInt(int64(i), 10)) }
	case kind == expr.String:
		return l.orZero(x)
	case x.presence == present && !x.goInt && (kind == expr.Int || kind == expr.Double || kind == expr.Bool):
		return func() celast.Expr { return l.call("string", x.make()) }
	default:
		return func() celast.Expr { return l.call(fnStr, x.make()) }
	}
}

func (l exact) truth(x value) maker {
	switch {
	case x.test != nil:
		return x.test
	case x.constant != nil:
		return func() celast.Expr { return l.boolean(!isZero(x.constant)) }
	case x.goInt:
		return l.helper(fnTruth, x)
	}
	switch x.kind() {
	case expr.Bool:
		return l.orZero(x)
	case expr.String, expr.Int, expr.Double:
		return func() celast.Expr { return l.call(operators.NotEquals, l.orZero(x)(), l.literal(zeroOf(x.kind()))) }
	case expr.List:
		return func() celast.Expr {
			return l.call(operators.NotEquals, l.call("size", l.orZero(x)()), l.number(0))
		}
	case expr.Map, expr.Object, expr.Dyn:
	}
	return l.helper(fnTruth, x)
}

// helper calls a function of one value, whatever it is.
func (l exact) helper(function string, x value) maker {
	return func() celast.Expr { return l.call(function, x.make()) }
}

// zeroOf is the value of a scalar kind that is false in a template.
func zeroOf(k expr.Kind) ref.Val {
	switch k {
	case expr.String:
		return types.String("")
	case expr.Int:
		return types.Int(0)
	case expr.Double:
		return types.Double(0)
	case expr.Bool:
		return types.False
	case expr.Dyn, expr.List, expr.Map, expr.Object:
	}
	return nil
}

func isZero(val ref.Val) bool {
	for _, k := range []expr.Kind{expr.String, expr.Int, expr.Double, expr.Bool} {
		if val == zeroOf(k) {
			return true
		}
	}
	return false
}

// orZero makes a scalar or list, and for an absent one what is false of its kind.
func (l exact) orZero(x value) maker {
	if x.presence == present {
		return x.make
	}
	return func() celast.Expr {
		if val := zeroOf(x.kind()); val != nil {
			return l.method(x.make(), "orValue", l.literal(val))
		}
		return l.method(x.make(), "orValue", l.list())
	}
}

func (l exact) normal(x value) value {
	if x.presence != maybe || x.normal {
		return x
	}
	return value{simple: x.simple, normal: true, make: func() celast.Expr { return l.call(fnNorm, x.make()) }}
}

func (l exact) when(test, yes, no maker) maker {
	return func() celast.Expr {
		chosen, otherwise := yes(), no()
		if isLiteral(chosen, types.True) && isLiteral(otherwise, types.False) {
			return test()
		}
		return l.choose(test(), chosen, otherwise)
	}
}

func isLiteral(e celast.Expr, val ref.Val) bool {
	return e.Kind() == celast.LiteralKind && e.AsLiteral() == val
}

// rounds hands the answer from round to round, where the first counts, so that an error is not forgotten for what a later
// round says.
func (l exact) rounds(over maker, item string, body maker, first bool) maker {
	if !first {
		return func() celast.Expr { return l.existsOne(over(), item, body()) }
	}
	name := l.fresh("found")
	return func() celast.Expr {
		while := l.call(operators.LogicalNot, l.ident(name))
		step := l.choose(l.ident(name), l.boolean(true), body())
		return l.fold(over(), item, name, l.boolean(false), while, step)
	}
}

func (l exact) joined(pieces []maker) maker {
	return func() celast.Expr {
		made := make([]celast.Expr, len(pieces))
		for i, piece := range pieces {
			made[i] = piece()
		}
		return l.call(fnJoin, l.list(made...))
	}
}

func (l exact) joinedRounds(over maker, item string, body maker) maker {
	return func() celast.Expr { return l.call(fnJoin, l.mapEach(over(), item, body())) }
}

func (l exact) isTrue(text maker) maker {
	return func() celast.Expr { return l.call(fnIsTrue, text()) }
}

func (exact) repeats(v value) bool { return v.constant != nil }

func (exact) stateful(parse.Pos) error { return nil }

func (l exact) logical(and bool, operands []value) value {
	if len(operands) == 1 {
		return operands[0]
	}
	first, rest := operands[0], l.logical(and, operands[1:])
	yes, no := l.truth(rest), maker(func() celast.Expr { return l.boolean(!and) })
	if !and {
		yes, no = no, yes
	}
	test := func() celast.Expr { return l.choose(l.truth(first)(), yes(), no()) }
	if first.is(expr.Bool) && rest.is(expr.Bool) {
		return value{schema: boolSchema, presence: present, make: test}
	}
	name := l.fresh("operand")
	held := l.held(name, value{})
	return value{test: test, make: func() celast.Expr {
		taken, other := l.anything(rest), held.make()
		if !and {
			taken, other = other, taken
		}
		return l.bind(name, l.anything(first), l.choose(l.truth(held)(), taken, other))
	}}
}

func (l exact) each(x value) visit {
	if x.kind() == expr.List {
		return visit{over: l.orZero(x), item: itemOf(x.of())}
	}
	v := visit{over: l.helper(fnEach, x)}
	if x.kind() == expr.Map {
		v.item = itemOf(x.of())
	}
	return v
}

func (l exact) pairs(x value) visit {
	v := visit{over: l.helper(fnPairs, x)}
	switch x.kind() {
	case expr.List:
		v.key, v.item = value{schema: intSchema, presence: present, goInt: true}, itemOf(x.of())
	case expr.Map:
		v.key, v.item = value{schema: textSchema, presence: present}, itemOf(x.of())
	case expr.Dyn, expr.String, expr.Int, expr.Double, expr.Bool, expr.Object:
	}
	return v
}

// itemOf is what is known of an item or a map's value: it is there, but it may be null if its kind is not known.
func itemOf(schema *expr.Schema) value {
	if !certainKind(schema) {
		return value{}
	}
	return value{schema: schema, presence: present}
}

// certainKind reports whether a value of the schema has its kind for certain: one may be null, and a number without a
// fraction is an integer where the schema has a float.
func certainKind(s *expr.Schema) bool { return s.Known() && !s.Nullable && s.Kind != expr.Double }

func (l exact) function(f sprig.Function, args []value) value {
	if form := exactForms[f.Name]; form != nil {
		if v, ok := form(l, args); ok {
			return v
		}
	}
	v := value{schema: schemaOf(f), make: func() celast.Expr {
		made := make([]celast.Expr, len(args))
		for i, arg := range args {
			made[i] = arg.make()
		}
		return l.call(fnPrefix+f.Name, l.list(made...))
	}}
	if v.schema != nil {
		v.presence, v.goInt = present, v.schema.Kind == expr.Int && f.GoInt
	}
	return v
}
