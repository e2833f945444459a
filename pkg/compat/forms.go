package compat

import (
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

// exactForms are the functions that CEL has operators or functions for, which mean the same for arguments of some
// kinds; ok is false for other arguments.
var exactForms = map[string]func(l exact, args []value) (v value, ok bool){
	"eq": exact.eq,
	"ne": func(l exact, args []value) (value, bool) { return l.comparison(operators.NotEquals, args, l.equality) },
	"lt": func(l exact, args []value) (value, bool) { return l.comparison(operators.Less, args, l.order) },
	"le": func(l exact, args []value) (value, bool) { return l.comparison(operators.LessEquals, args, l.order) },
	"gt": func(l exact, args []value) (value, bool) { return l.comparison(operators.Greater, args, l.order) },
	"ge": func(l exact, args []value) (value, bool) { return l.comparison(operators.GreaterEquals, args, l.order) },

	"not":   exact.not,
	"empty": exact.not,
	"index": exact.index, "get": exact.get, "hasKey": exact.hasKey,
	"hasPrefix": textTest("startsWith"), "hasSuffix": textTest("endsWith"), "contains": textTest("contains"),
	"trim": exact.trim, "replace": exact.replace,
	"default": exact.orDefault, "ternary": exact.ternary,
}

// plain is a maker of a value that is certainly there, where CEL's operators meet it: CEL's integers are not those of
// templates.
func (l exact) plain(v value) maker {
	if v.constant != nil {
		return func() celast.Expr { return l.literal(v.constant) }
	}
	return v.make
}

// alike reports whether values are of one scalar kind, and no integers that only the functions tpl.* know.
func alike(a, b value) bool {
	wrapped := a.goInt && a.constant == nil || b.goInt && b.constant == nil
	return a.kind() == b.kind() && zeroOf(a.kind()) != nil && !wrapped
}

// sameKind reports whether either of two scalars may stand for the other.
func sameKind(a, b value) bool { return alike(a, b) && !a.goInt && !b.goInt }

func (l exact) comparison(
	operator string, args []value, compare func(operator string, a, b value) (maker, bool),
) (value, bool) {
	made, ok := compare(operator, args[0], args[1])
	return known(boolSchema, made), ok
}

// equality is == or !=. An absent value equals absent ones only, so it is no zero.
func (l exact) equality(operator string, a, b value) (maker, bool) {
	if !alike(a, b) {
		return nil, false
	}
	if a.constant != nil {
		a, b = b, a
	}
	form := l.optionally
	switch {
	case a.presence == present && b.presence == present:
		form = l.plain
	case b.constant != nil && !isZero(b.constant):
		return func() celast.Expr { return l.call(operator, l.orZero(a)(), l.plain(b)()) }, true
	}
	return func() celast.Expr { return l.call(operator, form(a)(), form(b)()) }, true
}

// optionally makes a CEL optional of a scalar.
func (l exact) optionally(v value) maker {
	if v.presence == optional {
		return v.make
	}
	return func() celast.Expr { return l.call("optional.of", l.plain(v)()) }
}

// order is < and its like, of values that are there: an absent one is an error. CEL refuses to order what is no number,
// which may be among floats.
func (l exact) order(operator string, a, b value) (maker, bool) {
	if !alike(a, b) || a.presence != present || b.presence != present || a.kind() == expr.Bool || a.kind() == expr.Double {
		return nil, false
	}
	return func() celast.Expr { return l.call(operator, l.plain(a)(), l.plain(b)()) }, true
}

// eq compares its first argument with each other one, until one is equal.
func (l exact) eq(args []value) (value, bool) {
	if len(args) < 2 || len(args) > 2 && !args[0].simple {
		return value{}, false
	}
	var tests []maker
	for _, other := range args[1:] {
		test, ok := l.equality(operators.Equals, args[0], other)
		if !ok {
			return value{}, false
		}
		tests = append(tests, test)
	}
	last := tests[len(tests)-1]
	for i := len(tests) - 2; i >= 0; i-- {
		test, others := tests[i], last
		last = func() celast.Expr { return l.choose(test(), l.boolean(true), others()) }
	}
	return known(boolSchema, last), true
}

func (l exact) not(args []value) (value, bool) {
	truth := l.truth(args[0])
	return known(boolSchema, func() celast.Expr { return l.call(operators.LogicalNot, truth()) }), true
}

// certain makes a value where an absent one is an error.
func certain(v value) (maker, bool) {
	if v.presence == present {
		return v.make, true
	}
	return v.strict, v.presence == optional && v.strict != nil
}

// texts are makers of arguments that are texts, where an absent one is an error.
func texts(args []value) ([]maker, bool) {
	makers := make([]maker, len(args))
	for i, arg := range args {
		made, ok := certain(arg)
		if !ok || arg.kind() != expr.String {
			return nil, false
		}
		makers[i] = made
	}
	return makers, true
}

// index selects from maps by a text and from lists by a number. What it is selected from must be there; a key need not.
func (l exact) index(args []value) (value, bool) {
	if len(args) != 2 || !args[1].is(args[1].kind()) {
		return value{}, false
	}
	from, at := args[0], args[1]
	over, ok := certain(from)
	if !ok || !certainKind(from.of()) {
		return value{}, false
	}
	switch {
	case from.kind() == expr.Map && at.kind() == expr.String:
		v := value{schema: from.of(), presence: optional, simple: from.simple && at.simple}
		v.make = func() celast.Expr { return l.call(operators.OptIndex, over(), at.make()) }
		v.strict = func() celast.Expr { return l.call(operators.Index, over(), at.make()) }
		return v, true
	case from.kind() == expr.List && at.kind() == expr.Int && (!at.goInt || at.constant != nil):
		item := func() celast.Expr { return l.call(operators.Index, over(), l.plain(at)()) }
		return value{schema: from.of(), presence: present, make: item}, true
	}
	return value{}, false
}

// get gives "" for a key that is not there, and for any key of a map that is not there.
func (l exact) get(args []value) (value, bool) {
	if args[0].kind() != expr.Map || !args[1].is(expr.String) || args[0].of() == nil ||
		args[0].of().Kind != expr.String || args[0].of().Nullable {
		return value{}, false
	}
	item := value{schema: args[0].of(), presence: optional}
	item.make = func() celast.Expr { return l.call(operators.OptIndex, args[0].make(), args[1].make()) }
	return value{
		schema: textSchema, presence: present, simple: args[0].simple && args[1].simple, make: l.orZero(item),
	}, true
}

func (l exact) hasKey(args []value) (value, bool) {
	if args[0].kind() != expr.Map || !args[1].is(expr.String) {
		return value{}, false
	}
	return known(boolSchema, func() celast.Expr {
		return l.method(l.call(operators.OptIndex, args[0].make(), args[1].make()), "hasValue")
	}), true
}

// textTest is a function of a text and what it is tested for; CEL has them the other way round.
func textTest(method string) func(l exact, args []value) (value, bool) {
	return func(l exact, args []value) (value, bool) {
		makers, ok := texts(args)
		if !ok {
			return value{}, false
		}
		return known(boolSchema, func() celast.Expr { return l.method(makers[1](), method, makers[0]()) }), true
	}
}

func (l exact) trim(args []value) (value, bool) {
	makers, ok := texts(args)
	if !ok {
		return value{}, false
	}
	return known(textSchema, func() celast.Expr { return l.method(makers[0](), "trim") }), true
}

// replace is CEL's for an old text that is not empty.
func (l exact) replace(args []value) (value, bool) {
	makers, ok := texts(args)
	if old, constant := args[0].constantText(); !ok || !constant || old == "" {
		return value{}, false
	}
	return known(textSchema, func() celast.Expr {
		return l.method(makers[2](), "replace", makers[0](), makers[1]())
	}), true
}

// orDefault is the second argument unless that is empty.
func (l exact) orDefault(args []value) (value, bool) {
	if len(args) != 2 {
		return value{}, false
	}
	otherwise, given := args[0], args[1]
	if !sameKind(otherwise, given) || otherwise.presence != present || !given.simple {
		return value{}, false
	}
	test := l.truth(given)
	return value{schema: &expr.Schema{Kind: given.kind()}, presence: present, make: func() celast.Expr {
		return l.choose(test(), l.orZero(given)(), l.plain(otherwise)())
	}}, true
}

// ternary takes the value that it chooses with last.
func (l exact) ternary(args []value) (value, bool) {
	test, ok := certain(args[2])
	if !ok || args[2].kind() != expr.Bool {
		return value{}, false
	}
	yes, no := args[0], args[1]
	if sameKind(yes, no) && yes.presence == present && no.presence == present {
		return known(&expr.Schema{Kind: yes.kind()}, func() celast.Expr {
			return l.choose(test(), l.plain(yes)(), l.plain(no)())
		}), true
	}
	return unknown(func() celast.Expr { return l.choose(test(), l.anything(yes), l.anything(no)) }), true
}
