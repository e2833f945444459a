package compat

import (
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

// idioms are the functions that CEL has counterparts of.
var idioms = map[string]func(l idiomatic, args []value) value{
	"eq": idiomatic.equal,
	"ne": func(l idiomatic, args []value) value {
		return known(boolSchema, l.comparison(operators.NotEquals, args[0], args[1]))
	},
	"lt": idiomOrder(operators.Less), "le": idiomOrder(operators.LessEquals),
	"gt": idiomOrder(operators.Greater), "ge": idiomOrder(operators.GreaterEquals),
	"not": idiomatic.negation, "empty": idiomatic.negation,
	"index": idiomatic.index, "get": idiomatic.get, "hasKey": idiomatic.hasKey,
	"default": idiomatic.orDefault, "ternary": idiomatic.ternary, "coalesce": idiomatic.coalesce,
	"hasPrefix": idiomTest("startsWith"), "hasSuffix": idiomTest("endsWith"), "contains": idiomTest("contains"),
	"lower": idiomText("lowerAscii", AssumesASCII), "upper": idiomText("upperAscii", AssumesASCII),
	"trim": idiomText("trim", ""), "b64enc": idiomText("b64enc", ""), "b64dec": idiomText("b64dec", AssumesBase64),
	"trimPrefix": idiomatic.trimPrefix, "trimSuffix": idiomatic.trimSuffix, "replace": idiomatic.replace,
	"splitList": idiomatic.split, "join": idiomatic.join, "print": idiomatic.print, "printf": idiomatic.printf,
	"toString": idiomatic.toText, "len": idiomatic.size, "has": idiomatic.has, "list": idiomatic.listOf,
	"add": idiomMath(operators.Add), "sub": idiomMath(operators.Subtract), "mul": idiomMath(operators.Multiply),
}

// comparison is == or != of any two values.
func (l idiomatic) comparison(operator string, a, b value) maker {
	if a.constant != nil {
		a, b = b, a
	}
	if !sureKinds(a, b) {
		l.assume(AssumesKind, a.make)
	}
	switch {
	case l.isAbsent(b):
		return l.withNull(operator, a)
	case b.constant != nil:
		return l.withConstant(operator, a, b.constant)
	case a.presence == optional || b.presence == optional:
		return func() celast.Expr { return l.call(operator, l.optional(a)(), l.optional(b)()) }
	default:
		return func() celast.Expr { return l.call(operator, a.make(), b.make()) }
	}
}

// withNull compares with the word nil.
func (l idiomatic) withNull(operator string, a value) maker {
	if a.presence != optional {
		l.cannotf("comparing nil with what is not a field has no counterpart")
	}
	return func() celast.Expr {
		null := func() celast.Expr { return l.literal(types.NullValue) }
		return l.call(operator, l.method(a.make(), "orValue", null()), null())
	}
}

// withConstant compares with a constant. Only one that is empty equals what an absent value could be taken for.
func (l idiomatic) withConstant(operator string, a value, constant ref.Val) maker {
	plainly := func() celast.Expr { return l.call(operator, l.or(a, zeroFor(constant))(), l.literal(constant)) }
	switch {
	case isZero(constant) && a.presence == optional:
		if operator == operators.NotEquals {
			l.note("it is also true without " + optionalMarks.Replace(l.show(a.make)) + "; if that is not meant, write " + l.show(plainly))
		}
		return func() celast.Expr { return l.call(operator, a.make(), l.call("optional.of", l.literal(constant))) }
	case a.ofItem && a.strict != nil:
		l.assume(AssumesPresent, a.strict)
		return func() celast.Expr { return l.call(operator, a.strict(), l.literal(constant)) }
	default:
		return plainly
	}
}

// sureKinds reports whether values are of one kind for certain: a number of data may be an integer or not.
func sureKinds(a, b value) bool {
	return a.kind() == b.kind() && a.kind() != expr.Dyn && (a.kind() != expr.Double || a.constant != nil && b.constant != nil)
}

// zeroFor is what is false of a constant's kind.
func zeroFor(constant ref.Val) ref.Val {
	switch constant.(type) {
	case types.Int:
		return types.Int(0)
	case types.Double:
		return types.Double(0)
	case types.Bool:
		return types.False
	default:
		return types.String("")
	}
}

// isAbsent reports whether a value is the word nil.
func (l idiomatic) isAbsent(v value) bool {
	return v.presence == maybe && v.simple && l.show(v.make) == "optional.none()"
}

// asWritten is a value as CEL has it, optional or not.
func (l idiomatic) asWritten(v value) maker {
	if v.constant != nil {
		return func() celast.Expr { return l.literal(v.constant) }
	}
	return v.make
}

func (l idiomatic) optional(v value) maker {
	if v.presence == optional {
		return v.make
	}
	return func() celast.Expr { return l.call("optional.of", l.asWritten(v)()) }
}

func (l idiomatic) equal(args []value) value {
	if len(args) < 2 {
		l.cannotf("eq of one value has no counterpart")
	}
	var tests []maker
	for _, other := range args[1:] {
		tests = append(tests, l.comparison(operators.Equals, args[0], other))
	}
	return known(boolSchema, func() celast.Expr {
		either := tests[0]()
		for _, test := range tests[1:] {
			either = l.either(either, test())
		}
		return either
	})
}

// certain makes a value where an absent one is an error, as it is in the template.
func (l idiomatic) certain(v value) maker {
	switch {
	case v.constant != nil:
		return l.asWritten(v)
	case v.presence != optional:
		return v.make
	case v.strict != nil:
		return v.strict
	default:
		return func() celast.Expr { return l.method(v.make(), "value") }
	}
}

func idiomOrder(operator string) func(l idiomatic, args []value) value {
	return func(l idiomatic, args []value) value {
		a, b := l.certain(args[0]), l.certain(args[1])
		if !sureKinds(args[0], args[1]) {
			l.assume(AssumesKind, a)
		}
		return known(boolSchema, func() celast.Expr { return l.call(operator, a(), b()) })
	}
}

func (l idiomatic) negation(args []value) value {
	truth := l.truth(args[0])
	return known(boolSchema, func() celast.Expr { return l.not(truth()) })
}

// at selects a key or an item, absent where there is none.
func (l idiomatic) at(x, key value) value {
	if text, ok := key.constantText(); ok && isFieldName(text) {
		return l.step(x, text)
	}
	if key.constant == nil {
		l.assume(AssumesPresent, l.certain(key))
	}
	next := value{presence: optional, simple: x.simple && key.simple}
	if x.kind() == expr.Map || x.kind() == expr.List {
		next.schema = x.of()
	}
	next.make = func() celast.Expr { return l.call(operators.OptIndex, x.make(), l.certain(key)()) }
	if strict := l.strict(x); strict != nil {
		next.strict = func() celast.Expr { return l.call(operators.Index, strict(), l.certain(key)()) }
	}
	return next
}

func (l idiomatic) index(args []value) value {
	x := args[0]
	for _, key := range args[1:] {
		l.assume(AssumesIndex, x.make)
		x = l.at(x, key)
	}
	return x
}

// get gives "" for a key that is not there.
func (l idiomatic) get(args []value) value {
	l.object(args[0])
	at := l.at(args[0], args[1])
	schema := at.schema
	if at.kind() != expr.String {
		schema = nil
	}
	return value{schema: schema, presence: present, simple: at.simple, make: l.or(at, types.String(""))}
}

func (l idiomatic) hasKey(args []value) value {
	l.object(args[0])
	over := args[0].make
	if args[0].presence == optional {
		over = func() celast.Expr { return l.method(args[0].make(), "orValue", l.factory.NewMap(l.id(), nil)) }
	}
	return known(boolSchema, func() celast.Expr { return l.call(operators.In, l.certain(args[1])(), over()) })
}

func (l idiomatic) orDefault(args []value) value {
	if len(args) != 2 {
		l.cannotf("default of %d values has no counterpart", len(args))
	}
	return l.logical(false, []value{args[1], args[0]})
}

func (l idiomatic) coalesce(args []value) value {
	if len(args) == 0 {
		l.cannotf("coalesce of nothing has no counterpart")
	}
	return l.logical(false, args)
}

func (l idiomatic) ternary(args []value) value {
	test := l.certain(args[2])
	v := unknown(func() celast.Expr { return l.choose(test(), l.operand(args[0]), l.operand(args[1])) })
	if args[0].kind() == args[1].kind() && args[0].kind() != expr.Dyn {
		v.schema, v.presence = &expr.Schema{Kind: args[0].kind()}, present
	}
	return v
}
