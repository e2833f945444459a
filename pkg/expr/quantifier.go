package expr

import (
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
)

// A loop that is what a macro becomes goes through a JSON list without making values of CEL of its items.

// loopOf recognises what the macros all, exists, exists_one, map and cel.bind become.
func loopOf(c celast.ComprehensionExpr) part {
	if b, ok := bindingOf(c); ok {
		return b
	}
	if q, ok := quantifierOf(c); ok {
		return q
	}
	return counterOrMap(c)
}

// round is what all of them have.
type round struct {
	item string
	over int64
	// body is the node that is evaluated for each item, and cost what a round costs.
	body int64
	cost int
}

// loopNode is a loop over a JSON list.
type loopNode struct {
	// InterpretableV2 is CEL's own loop, for what is no JSON list.
	interpreter.InterpretableV2

	item       string
	cost       int
	over, body interpreter.InterpretableV2
	converter  converter
}

func (r round) node(p planner, node interpreter.InterpretableV2) (loopNode, bool) {
	n := loopNode{node, r.item, r.cost, p.nodes[r.over], p.nodes[r.body], &p.extension.functions}
	return n, n.over != nil && n.body != nil
}

// variable is an item as the loop's variable holds it.
func (n *loopNode) variable(item any) any {
	switch item.(type) {
	case string, map[string]any, bool, int64, float64, nil, []any:
		return item
	}
	if n.converter.ToCEL == nil {
		return item
	}
	return n.converter.ToCEL(item)
}

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

func roundOf(c celast.ComprehensionExpr) round {
	return round{item: c.IterVar(), over: c.IterRange().ID(), cost: staticCost(c.LoopStep())}
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
	items, failed, ok := listOf(frame, n.over)
	if failed != nil {
		return failed
	}
	if !ok {
		return n.InterpretableV2.Exec(frame)
	}
	return n.quantify(frame, items)
}

// Eval implements interpreter.Interpretable.
func (n *quantifierNode) Eval(vars interpreter.Activation) ref.Val {
	return n.Exec(interpreter.AsFrame(vars))
}

func (n *quantifierNode) quantify(frame *interpreter.ExecutionFrame, items []any) ref.Val {
	scope := &itemScope{scope: scope{frame}, name: n.item}
	inner := frame.Push(scope)
	defer inner.Pop()
	var failed ref.Val
	var unknown *types.Unknown
	meter := meterOf(frame)
	for _, item := range items {
		scope.value = n.variable(item)
		meter.charge(n.cost)
		switch val := n.body.Exec(inner).(type) {
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

// scope is what the scopes of loops and bindings have: the frame around them. They are partial activations as that is:
// CEL resolves the index of a reference that may be missing in what it asks for the patterns of what is not known.
type scope struct{ outer *interpreter.ExecutionFrame }

// UnknownAttributePatterns implements interpreter.PartialActivation.
func (s scope) UnknownAttributePatterns() []*interpreter.AttributePattern {
	if partial, ok := s.outer.AsPartialActivation(); ok {
		return partial.UnknownAttributePatterns()
	}
	return nil
}

func (s scope) isPartial() bool {
	_, ok := s.outer.AsPartialActivation()
	return ok
}

// Parent implements interpreter.Activation.
func (scope) Parent() interpreter.Activation { return nil }

// itemScope is the variable of a loop.
type itemScope struct {
	scope

	name  string
	value any
}

// ResolveName implements interpreter.Activation.
func (s *itemScope) ResolveName(name string) (any, bool) {
	if name == s.name {
		return s.value, true
	}
	return s.outer.ResolveName(name)
}

// AsPartialActivation implements CEL's conversion to a PartialActivation.
func (s *itemScope) AsPartialActivation() (interpreter.PartialActivation, bool) {
	return s, s.isPartial()
}
