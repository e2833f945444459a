package expr

import (
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"

	"github.com/clusterimport/clusterimport/pkg/expr/plain"
)

// quantifier is a comprehension that is all or exists.
type quantifier struct {
	item            string
	over, predicate celast.Expr
	// round is what a round costs.
	round int
	// answer is what the predicate must be for one item to decide: true for exists, false for all.
	answer types.Bool
}

// quantifierOf recognises what the macros all and exists become.
func quantifierOf(c celast.ComprehensionExpr) (quantifier, bool) {
	q := quantifier{item: c.IterVar(), over: c.IterRange(), round: staticCost(c.LoopStep())}
	init, step := c.AccuInit(), c.LoopStep()
	if c.HasIterVar2() || init.Kind() != celast.LiteralKind || step.Kind() != celast.CallKind ||
		!isIdent(c.Result(), c.AccuVar()) {
		return q, false
	}
	call := step.AsCall()
	if len(call.Args()) != 2 || !isIdent(call.Args()[0], c.AccuVar()) {
		return q, false
	}
	q.predicate = call.Args()[1]
	switch {
	case call.FunctionName() == operators.LogicalOr && init.AsLiteral() == types.False:
		q.answer = types.True
	case call.FunctionName() == operators.LogicalAnd && init.AsLiteral() == types.True:
		q.answer = types.False
	default:
		return q, false
	}
	return q, true
}

func isIdent(e celast.Expr, name string) bool {
	return e.Kind() == celast.IdentKind && e.AsIdent() == name
}

// quantifierNode is a quantifier over a JSON list.
type quantifierNode struct {
	// InterpretableV2 is CEL's own loop, for what is no JSON list.
	interpreter.InterpretableV2
	quantifier

	over, predicate interpreter.InterpretableV2
}

// Exec implements interpreter.InterpretableV2. As CEL has it, an item that decides outweighs others that fail, and a
// value that is not known outweighs an error.
func (n *quantifierNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	over := n.over.Exec(frame)
	if types.IsUnknownOrError(over) {
		return over
	}
	items, ok := plain.Items(over)
	if !ok {
		return n.InterpretableV2.Exec(frame)
	}
	return n.quantify(frame, items)
}

func (n *quantifierNode) quantify(frame *interpreter.ExecutionFrame, items []any) ref.Val {
	scope := &itemScope{name: n.item}
	inner := frame.Push(scope)
	defer inner.Pop()
	var failed ref.Val
	var unknown *types.Unknown
	meter := meterOf(frame)
	for _, scope.value = range items {
		meter.charge(n.round)
		switch val := n.predicate.Exec(inner).(type) {
		case types.Bool:
			if val == n.answer {
				return val
			}
		case *types.Unknown:
			unknown = types.MergeUnknowns(val, unknown)
		default:
			if failed == nil {
				failed = types.MaybeNoSuchOverloadErr(val)
			}
		}
	}
	switch {
	case unknown != nil:
		return unknown
	case failed != nil:
		return failed
	default:
		return !n.answer
	}
}

// itemScope is the variable of a loop.
type itemScope struct {
	name  string
	value any
}

// ResolveName implements interpreter.Activation.
func (s *itemScope) ResolveName(name string) (any, bool) {
	if name == s.name {
		return s.value, true
	}
	return nil, false
}

// Parent implements interpreter.Activation.
func (*itemScope) Parent() interpreter.Activation { return nil }
