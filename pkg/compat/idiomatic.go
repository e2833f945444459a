package compat

import (
	"slices"
	"strings"
	"text/template/parse"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/parser"

	"github.com/clusterimport/clusterimport/pkg/compat/sprig"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// idiomatic gives the CEL that a person would have written. It may differ from the template on values that nobody has in
// mind; each way is an assumption that it notes. What has no such form ends the lowering. Its trees are made to be
// printed: macros stand in them as calls.
type idiomatic struct {
	*builder

	assumed *[]Assumption
	notes   *[]string
}

var _ lowering = idiomatic{}

// assume notes an assumption once; a nil maker makes one about all.
func (l idiomatic) assume(kind AssumptionKind, of maker) {
	a := Assumption{Kind: kind}
	if of != nil {
		a.Of = optionalMarks.Replace(l.show(of))
	}
	if !slices.Contains(*l.assumed, a) {
		*l.assumed = append(*l.assumed, a)
	}
}

// optionalMarks take from an expression what says that something may be absent.
var optionalMarks = strings.NewReplacer(".?", ".", "[?", "[", ".orValue([])", "", `.orValue("")`, "", ".orValue({})", "")

// note says what stays although it may not be meant.
func (l idiomatic) note(text string) {
	if !slices.Contains(*l.notes, text) {
		*l.notes = append(*l.notes, text)
	}
}

// cannotf ends the lowering.
func (l idiomatic) cannotf(format string, args ...any) {
	panic(l.source.refuse(CodeNative, l.pos, format, args...))
}

// show is how an expression reads.
func (l idiomatic) show(m maker) string {
	text, err := parser.Unparse(m(), l.info, oneLine)
	if err != nil {
		l.cannotf("it cannot be written: %v", err)
	}
	return text
}

// oneLine prints an expression in one line.
var oneLine = parser.WrapOnColumn(1 << 20)

func (l idiomatic) field(x value, names []string) value {
	for _, name := range names {
		x = l.step(x, name)
	}
	return x
}

// step selects a field: absent where the object or the field is.
func (l idiomatic) step(x value, name string) value {
	if x.kind() == expr.Dyn && x.place != itsParts {
		l.assume(AssumesObject, x.make)
	}
	schema, _ := x.schema.Field(name)
	next := value{schema: schema, presence: optional, simple: x.simple, place: x.place.below(name), ofItem: x.place == roundItem}
	next.make = func() celast.Expr { return l.optionalField(x.make(), name) }
	if strict := l.strict(x); strict != nil {
		next.strict = func() celast.Expr {
			if !isFieldName(name) {
				return l.call(operators.Index, strict(), l.text(name))
			}
			return l.selectField(strict(), name)
		}
	}
	there := x.presence == present && x.place.has(name)
	if x.presence == present && x.place == itsMetadata && name == "namespace" {
		there = true
		l.assume(AssumesPresent, next.strict)
	}
	if there {
		next.presence, next.make = present, next.strict
	}
	return next
}

// strict makes a value where an absent one is an error, or nil.
func (l idiomatic) strict(x value) maker {
	if x.presence == optional {
		return x.strict
	}
	return x.make
}

// plain makes a value, and for an absent one what is false of its kind.
func (l idiomatic) plain(x value) maker { return l.or(x, zeroOf(x.kind())) }

// or makes a value, and for an absent one another; nil stands for what fits the kind.
func (l idiomatic) or(x value, otherwise ref.Val) maker {
	switch {
	case x.constant != nil:
		return func() celast.Expr { return l.literal(x.constant) }
	case l.isAbsent(x):
		return func() celast.Expr { return l.text("") }
	case x.presence != optional:
		return x.make
	}
	return func() celast.Expr {
		switch kind := x.kind(); {
		case otherwise != nil:
			return l.method(x.make(), "orValue", l.literal(otherwise))
		case kind == expr.List:
			return l.method(x.make(), "orValue", l.list())
		case kind == expr.Map || kind == expr.Object:
			return l.method(x.make(), "orValue", l.factory.NewMap(l.id(), nil))
		default:
			return l.method(x.make(), "orValue", l.text(""))
		}
	}
}

func (l idiomatic) printed(x value) maker {
	switch i, isInt := x.constant.(types.Int); {
	case isInt:
		return func() celast.Expr { return l.literal(i.ConvertToType(types.StringType)) }
	case x.kind() == expr.String:
		return l.plain(x)
	case x.kind() == expr.Bool && x.test != nil:
		return func() celast.Expr { return l.call("string", x.test()) }
	case x.kind() == expr.List || x.kind() == expr.Map || x.kind() == expr.Object:
		l.cannotf("printing a list or a map has no counterpart")
	case l.isAbsent(x):
		return func() celast.Expr { return l.text("") }
	case x.kind() == expr.Dyn:
		l.assume(AssumesScalar, x.make)
	}
	return func() celast.Expr { return l.call("string", l.or(x, types.String(""))()) }
}

func (l idiomatic) truth(x value) maker {
	switch {
	case x.test != nil:
		return x.test
	case x.constant != nil:
		return func() celast.Expr { return l.boolean(!isZero(x.constant)) }
	case l.isAbsent(x):
		return func() celast.Expr { return l.boolean(false) }
	}
	return func() celast.Expr {
		switch x.kind() {
		case expr.Bool:
			return l.plain(x)()
		case expr.String, expr.Int, expr.Double:
			return l.call(operators.NotEquals, l.plain(x)(), l.literal(zeroOf(x.kind())))
		case expr.List:
			return l.call(operators.NotEquals, l.plain(x)(), l.list())
		case expr.Map, expr.Object:
			return l.call(operators.NotEquals, l.plain(x)(), l.factory.NewMap(l.id(), nil))
		case expr.Dyn:
		}
		zeros := l.list(l.text(""), l.boolean(false), l.number(0), l.literal(types.NullValue), l.list(), l.factory.NewMap(l.id(), nil))
		return l.not(l.call(operators.In, l.or(x, types.String(""))(), zeros))
	}
}

func (l idiomatic) not(e celast.Expr) celast.Expr {
	if e.Kind() == celast.CallKind && e.AsCall().FunctionName() == operators.LogicalNot {
		return e.AsCall().Args()[0]
	}
	return l.call(operators.LogicalNot, e)
}

// normal is x: null is taken for absent wherever it matters.
func (idiomatic) normal(x value) value { return x }

func (idiomatic) repeats(v value) bool { return v.simple || v.constant != nil }

func (l idiomatic) stateful(pos parse.Pos) error {
	return l.source.refuse(CodeNative, pos, "assignments, break and continue have no counterpart")
}

func (l idiomatic) when(test, yes, no maker) maker {
	return func() celast.Expr {
		chosen, otherwise := yes(), no()
		switch {
		case isLiteral(chosen, types.True) && isLiteral(otherwise, types.False):
			return test()
		case isLiteral(otherwise, types.False):
			return l.both(test(), chosen)
		case isLiteral(chosen, types.True):
			return l.either(test(), otherwise)
		case isLiteral(chosen, types.False):
			return l.both(l.not(test()), otherwise)
		default:
			return l.choose(test(), chosen, otherwise)
		}
	}
}

func (l idiomatic) both(a, b celast.Expr) celast.Expr {
	if isLiteral(b, types.True) {
		return a
	}
	l.assume(AssumesErrors, nil)
	return l.call(operators.LogicalAnd, a, b)
}

func (l idiomatic) either(a, b celast.Expr) celast.Expr {
	l.assume(AssumesErrors, nil)
	return l.call(operators.LogicalOr, a, b)
}

func (l idiomatic) rounds(over maker, item string, body maker, first bool) maker {
	if !first {
		l.assume(AssumesOneMatch, over)
	}
	return func() celast.Expr { return l.method(over(), "exists", l.ident(item), body()) }
}

func (l idiomatic) joined(pieces []maker) maker {
	return func() celast.Expr {
		sum := pieces[0]()
		for _, piece := range pieces[1:] {
			sum = l.plus(sum, piece())
		}
		return sum
	}
}

// plus is a sum of texts, of which neighbouring constants are one.
func (l idiomatic) plus(sum, next celast.Expr) celast.Expr {
	text, ok := textOf(next)
	if !ok {
		return l.call(operators.Add, sum, next)
	}
	if before, ok := textOf(sum); ok {
		return l.text(before + text)
	}
	if sum.Kind() == celast.CallKind && sum.AsCall().FunctionName() == operators.Add {
		if before, ok := textOf(sum.AsCall().Args()[1]); ok {
			return l.call(operators.Add, sum.AsCall().Args()[0], l.text(before+text))
		}
	}
	return l.call(operators.Add, sum, next)
}

// textOf is the text of a constant.
func textOf(e celast.Expr) (string, bool) {
	if e.Kind() != celast.LiteralKind {
		return "", false
	}
	text, ok := e.AsLiteral().(types.String)
	return string(text), ok
}

func (l idiomatic) joinedRounds(over maker, item string, body maker) maker {
	return func() celast.Expr {
		return l.method(l.method(over(), "map", l.ident(item), body()), "join", l.text(""))
	}
}

func (l idiomatic) isTrue(text maker) maker {
	return func() celast.Expr {
		made := text()
		if constant, ok := textOf(made); ok {
			return l.boolean(isTrue(constant))
		}
		lower := l.method(l.method(made, "trim"), "lowerAscii")
		return l.call(operators.Equals, lower, l.text("true"))
	}
}

func (l idiomatic) logical(and bool, operands []value) value {
	first, others := operands[0], operands[1:] //nolint:gosec // there is one operand at least
	if len(others) == 0 {
		return first
	}
	rest := l.logical(and, others)
	one, other := l.truth(first), l.truth(rest)
	test := func() celast.Expr {
		if and {
			return l.both(one(), other())
		}
		return l.either(one(), other())
	}
	if first.is(expr.Bool) && rest.is(expr.Bool) {
		return known(boolSchema, test)
	}
	v := unknown(func() celast.Expr {
		if and {
			return l.choose(one(), l.operand(rest), l.operand(first))
		}
		return l.choose(one(), l.plain(first)(), l.operand(rest))
	})
	v.test = test
	return v
}

// operand makes a value that may be chosen: as such it should be there.
func (l idiomatic) operand(x value) celast.Expr {
	switch {
	case l.isAbsent(x):
		l.cannotf("a value that is never there has no counterpart among operands")
	case x.presence == optional:
		l.assume(AssumesPresent, x.make)
	}
	return l.plain(x)()
}

func (l idiomatic) each(x value) visit {
	switch x.kind() {
	case expr.List:
	case expr.Dyn:
		if x.constant != nil || x.goInt {
			l.cannotf("a loop over a number has no counterpart")
		}
		l.assume(AssumesList, x.make)
	default:
		l.cannotf("a loop over anything but a list has no counterpart")
	}
	v := visit{over: l.orList(x), item: itemOf(x.of()), name: itemName(l.show(x.make))}
	v.item.place = roundItem
	return v
}

func (l idiomatic) orList(x value) maker {
	if x.presence != optional {
		return x.make
	}
	return func() celast.Expr { return l.method(x.make(), "orValue", l.list()) }
}

// itemName is a name for the items of a list: the letter that its own begins with.
func itemName(list string) string {
	name := list[strings.LastIndexAny(list, ".?")+1:]
	if isFieldName(name) {
		return strings.ToLower(name[:1])
	}
	return ""
}

func (l idiomatic) pairs(value) visit {
	l.cannotf("a loop with two variables has no counterpart")
	return visit{}
}

func (l idiomatic) function(f sprig.Function, args []value) value {
	form := idioms[f.Name]
	if form == nil {
		l.cannotf("the function %s has no counterpart", f.Name)
	}
	return form(l, args)
}
