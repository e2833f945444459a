package expr

import (
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"

	"github.com/clusterimport/clusterimport/pkg/expr/plain"
)

// fastPlan replaces nodes of an uncounted program by ones that do the same with fewer steps and without making CEL
// values of texts that are only compared. A test evaluates with and without it and finds no difference.
type fastPlan struct {
	loops map[int64]quantifier
	// nodes are the parts of loops, which are planned before the loops themselves.
	nodes map[int64]interpreter.InterpretableV2
}

// decorate is called for every node, the innermost first.
func (f fastPlan) decorate(node interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	if q, ok := f.loops[node.ID()]; ok {
		return &quantifierNode{node, q, f.nodes[q.over.ID()], f.nodes[q.predicate.ID()]}, nil
	}
	if call, ok := node.(interpreter.InterpretableCall); ok {
		node = compareText(call)
	}
	f.nodes[node.ID()] = node
	return node, nil
}

// quantifier is a comprehension that is all or exists.
type quantifier struct {
	item            string
	over, predicate celast.Expr
	// answer is what the predicate must be for one item to decide: true for exists, false for all.
	answer types.Bool
}

// quantifierOf recognises what the macros all and exists become.
func quantifierOf(c celast.ComprehensionExpr) (quantifier, bool) {
	q := quantifier{item: c.IterVar(), over: c.IterRange()}
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

// errLongLoop makes the counted program decide; it never leaves this package.
var errLongLoop = Failuref(CodeTooExpensive, "the loop is too long")

// Exec implements interpreter.InterpretableV2. As CEL has it, an item that decides outweighs others that fail, and a
// value that is not known outweighs an error.
func (n *quantifierNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	over := n.over.Exec(frame)
	if types.IsUnknownOrError(over) {
		return over
	}
	if s, ok := over.(traits.Sizer); ok {
		if size, ok := s.Size().(types.Int); ok && size > maxLinearItems {
			return types.WrapErr(errLongLoop)
		}
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
	for _, scope.value = range items {
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

// textComparison is an equality of something that is read with a literal text.
type textComparison struct {
	interpreter.InterpretableV2

	read   interpreter.InterpretableAttribute
	text   string
	unlike bool
}

// compareText returns a textComparison where the call is one.
func compareText(call interpreter.InterpretableCall) interpreter.InterpretableV2 {
	name, args := call.Function(), call.Args()
	if (name != operators.Equals && name != operators.NotEquals) || len(args) != 2 {
		return call
	}
	read, okRead := args[0].(interpreter.InterpretableAttribute)
	literal, okLiteral := args[1].(interpreter.InterpretableConst)
	if !okRead || !okLiteral {
		return call
	}
	text, ok := literal.Value().(types.String)
	if !ok {
		return call
	}
	return &textComparison{call, read, string(text), name == operators.NotEquals}
}

// Exec implements interpreter.InterpretableV2. What is no text is left to CEL.
func (c *textComparison) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	if val, err := c.read.Resolve(frame); err == nil {
		if text, ok := val.(string); ok {
			return types.Bool((text == c.text) != c.unlike)
		}
	}
	return c.InterpretableV2.Exec(frame)
}
