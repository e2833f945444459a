package expr

import (
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
)

// quantifier is a comprehension that is all or exists.
type quantifier struct {
	round

	// answer is what the predicate must be for one item to decide: true for exists, false for all.
	answer types.Bool
}

// quantifierOf recognises what the macros all and exists become.
func quantifierOf(c celast.ComprehensionExpr) (quantifier, bool) {
	q := quantifier{round: roundOf(c)}
	init, step := c.AccuInit(), c.LoopStep()
	if c.HasIterVar2() || init.Kind() != celast.LiteralKind || step.Kind() != celast.CallKind ||
		!isIdent(c.Result(), c.AccuVar()) {
		return q, false
	}
	call := step.AsCall()
	if len(call.Args()) != 2 || !isIdent(call.Args()[0], c.AccuVar()) {
		return q, false
	}
	q.body = call.Args()[1].ID()
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

func (q quantifier) plan(p planner, node interpreter.InterpretableV2) interpreter.InterpretableV2 {
	if n, ok := q.node(p, node); ok {
		return &quantifierNode{n, q.answer}
	}
	return nil
}

// quantifierNode is a quantifier over a JSON list.
type quantifierNode struct {
	loopNode

	answer types.Bool
}

// Exec implements interpreter.InterpretableV2. As CEL has it, an item that decides outweighs others that fail, and a
// value that is not known outweighs an error.
func (n *quantifierNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	loop := iteration{node: &n.loopNode}
	if instead := loop.begin(frame); instead != nil {
		return instead
	}
	defer loop.end()
	var failed ref.Val
	var unknown *types.Unknown
	for loop.next() {
		switch val := n.body.Exec(loop.frame).(type) {
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

// Eval implements interpreter.Interpretable.
func (n *quantifierNode) Eval(vars interpreter.Activation) ref.Val {
	return n.Exec(interpreter.AsFrame(vars))
}
