package expr

import (
	"context"

	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
)

// meter counts down what one evaluation may still cost. CEL's own tracker observes every node, which takes several
// times as long as a condition does, and more with each round of a loop; the meter is asked only where the cost is not
// known from the expression: before calls that depend on their arguments, and for the rounds of loops.
type meter struct {
	ctx  context.Context //nolint:containedctx // the meter lives as long as one evaluation
	left int
	// next is the rest at which the meter looks next whether the evaluation must end.
	next int
}

// unlooked is what may be charged between two looks. It is less than maxCallCost: no call of that cost goes unseen.
const unlooked = 1000

func newMeter(ctx context.Context, limit int) meter {
	return meter{ctx: ctx, left: limit, next: max(0, limit-unlooked)}
}

// meterVariable is the name by which nodes find the meter; no expression can say it.
const meterVariable = "@meter"

// charge counts the cost of what is about to happen. It is little enough to be compiled into the rounds of loops.
func (m *meter) charge(cost int) {
	if m.left -= cost; m.left < m.next {
		m.look(cost)
	}
}

// look ends the evaluation when it costs too much, which then does not happen and costs nothing, or when its context has
// ended. It panics with the error that CEL's programs recover from.
func (m *meter) look(cost int) {
	if m.left < 0 || cost > maxCallCost {
		m.left += cost
		panic(interpreter.EvalCancelledError{Message: "the limit of cost is exceeded", Cause: interpreter.CostLimitExceeded})
	}
	if m.ctx.Err() != nil {
		panic(interpreter.EvalCancelledError{Message: "the context has ended", Cause: interpreter.ContextCancelled})
	}
	m.next = max(0, m.left-unlooked)
}

func meterOf(frame *interpreter.ExecutionFrame) *meter {
	found, _ := frame.ResolveName(meterVariable)
	m, _ := found.(*meter)
	return m
}

// stepNode is what a loop does in each round.
type stepNode struct {
	interpreter.InterpretableV2

	cost int
}

// Exec implements interpreter.InterpretableV2.
func (n stepNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	meterOf(frame).charge(n.cost)
	return n.InterpretableV2.Exec(frame)
}

// Eval implements interpreter.Interpretable.
func (n stepNode) Eval(vars interpreter.Activation) ref.Val { return n.Exec(interpreter.AsFrame(vars)) }
