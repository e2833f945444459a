package expr

import (
	"slices"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// Counting what an evaluation costs takes several times as long as a condition does. An expression whose cost and
// memory are in proportion to what it reads needs no counting: maxLinearNodes, maxScans and maxCopies bound the
// factor, and maxLinearItems what one loop may meet.
const (
	maxLinearNodes = 256
	// maxScans is how many operations may read a whole text, list or map.
	maxScans = 32
	// maxCopies is how many operations may make a text of a text.
	maxCopies = 4
	// maxLiteralItems is how many items a literal list that is looped over may have.
	maxLiteralItems = 16
	// maxLiteralText is how long a text may be that every item of a loop is compared with.
	maxLiteralText = 256
	// maxLinearItems is how many items of a list or map an uncounted loop may have; longer ones are counted.
	maxLinearItems = 10_000
)

// work is how a function's cost follows from its operands.
type work int

const (
	// constant work does not depend on the length of texts and lists.
	constant work = iota + 1
	// scan reads its operands once.
	scan
	// copying makes a text that is not longer than its operands together.
	copying
)

// linearFunctions are the functions and operators that a linear expression may call. A function that is not here is
// always counted.
var linearFunctions = map[string]work{
	operators.LogicalAnd: constant, operators.LogicalOr: constant, operators.LogicalNot: constant,
	operators.Conditional: constant,
	operators.Index:       constant, operators.OptIndex: constant, operators.OptSelect: constant,
	operators.Negate: constant, operators.Subtract: constant, operators.Multiply: constant,
	operators.Divide: constant, operators.Modulo: constant,
	"orValue": constant, "or": constant, "hasValue": constant, "value": constant,
	"optional.of": constant, "optional.none": constant, "optional.ofNonZeroValue": constant, "dyn": constant, "type": constant,

	operators.Equals: scan, operators.NotEquals: scan, operators.In: scan,
	operators.Less: scan, operators.LessEquals: scan, operators.Greater: scan, operators.GreaterEquals: scan,
	"startsWith": scan, "endsWith": scan, "contains": scan, "size": scan,

	operators.Add: copying, "substring": copying, "trim": copying, "lowerAscii": copying, "upperAscii": copying,
	"b64dec": copying, "b64enc": copying, "dns.label": copying, "dns.subdomain": copying,
}

// linear reports whether a checked, macro-expanded expression is proven to cost no more than in proportion to what it
// reads. It knows the two loops that stop at an answer, all and exists, over what is read or over a few literals, not
// within each other. Everything else is refused: not what it fears, but what it knows decides.
func linear(e celast.Expr) bool {
	l := linearity{}
	return l.proves(e, nil) && l.nodes <= maxLinearNodes && l.scans <= maxScans && l.copies <= maxCopies
}

type linearity struct{ nodes, scans, copies int }

// loop is the comprehension that an expression stands in; nil outside.
type loop struct {
	item string
	// times is how often a loop over literals runs; 0 when it runs over what is read.
	times int
}

func (l *linearity) proves(e celast.Expr, in *loop) bool {
	l.nodes++
	switch e.Kind() {
	case celast.LiteralKind, celast.IdentKind:
		return true
	case celast.SelectKind:
		return l.proves(e.AsSelect().Operand(), in)
	case celast.CallKind:
		return l.provesCall(e.AsCall(), in)
	case celast.ListKind:
		return l.provesAll(e.AsList().Elements(), in)
	case celast.MapKind:
		return e.AsMap().Size() == 0
	case celast.ComprehensionKind:
		return in == nil && l.provesLoop(e.AsComprehension())
	default:
		return false
	}
}

func (l *linearity) provesAll(list []celast.Expr, in *loop) bool {
	for _, e := range list {
		if !l.proves(e, in) {
			return false
		}
	}
	return true
}

func (l *linearity) provesCall(call celast.CallExpr, in *loop) bool {
	operands := call.Args()
	if call.IsMemberFunction() {
		operands = append([]celast.Expr{call.Target()}, operands...)
	}
	times := 1
	if in != nil {
		times = in.times
	}
	switch linearFunctions[call.FunctionName()] {
	case constant:
	case scan:
		if in != nil && in.times == 0 && !in.scansItsItem(call.FunctionName(), operands) {
			return false
		}
		l.scans += max(times, 1)
	case copying:
		if in != nil {
			return false
		}
		l.copies++
	default:
		return false
	}
	return l.provesAll(operands, in)
}

// scansItsItem reports whether an operation in a loop over what is read costs no more than the item is long, so that
// all rounds together cost what the list is long. A comparison ends with its shorter operand, a search reads its first.
func (in *loop) scansItsItem(function string, operands []celast.Expr) bool {
	switch function {
	case operators.In:
		return isLiteralList(operands[1])
	case "contains", "size":
		return in.isItem(operands[0])
	default:
		return slices.ContainsFunc(operands, func(e celast.Expr) bool { return in.isItem(e) || isShort(e) })
	}
}

// isShort reports whether e is a literal that is cheap to compare with.
func isShort(e celast.Expr) bool {
	if e.Kind() != celast.LiteralKind {
		return false
	}
	text, ok := e.AsLiteral().(types.String)
	return !ok || len(text) <= maxLiteralText
}

// isItem reports whether e selects from the item of the loop.
func (in *loop) isItem(e celast.Expr) bool {
	switch e.Kind() {
	case celast.IdentKind:
		return e.AsIdent() == in.item
	case celast.SelectKind:
		return in.isItem(e.AsSelect().Operand())
	default:
		return false
	}
}

func isLiteralList(e celast.Expr) bool {
	if e.Kind() != celast.ListKind || e.AsList().Size() > maxLiteralItems {
		return false
	}
	for _, item := range e.AsList().Elements() {
		if !isShort(item) {
			return false
		}
	}
	return true
}

// provesLoop accepts the comprehensions that all and exists are. Their result is a bool, which does not grow; those
// of map, filter and cel.bind does.
func (l *linearity) provesLoop(c celast.ComprehensionExpr) bool {
	q, ok := quantifierOf(c)
	if !ok {
		return false
	}
	in := &loop{item: c.IterVar()}
	switch over := c.IterRange(); {
	case isLiteralList(over) && over.AsList().Size() > 0:
		in.times = over.AsList().Size()
	case !isRead(over):
		return false
	}
	return l.proves(c.IterRange(), nil) && l.proves(q.predicate, in)
}

// isRead reports whether e is a selection of what is read, with or without optional fields and a literal for want of
// them.
func isRead(e celast.Expr) bool {
	switch e.Kind() {
	case celast.IdentKind:
		return e.AsIdent() == SourceVariable || e.AsIdent() == ReferencesVariable
	case celast.SelectKind:
		return isRead(e.AsSelect().Operand())
	case celast.CallKind:
		call := e.AsCall()
		switch call.FunctionName() {
		case operators.OptSelect, operators.OptIndex, operators.Index:
			return isRead(call.Args()[0])
		case "orValue":
			return isRead(call.Target())
		default:
			return false
		}
	default:
		return false
	}
}
