package expr

import (
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
)

// callPart recognises calls that are planned by what their arguments are.
func callPart(e celast.Expr) part {
	call := e.AsCall()
	switch {
	case call.FunctionName() == operators.Conditional:
		return choice{call.Args()[0].ID(), call.Args()[1].ID(), call.Args()[2].ID()}
	default:
		return optionalPart(call)
	}
}

// choice is test ? yes : no.
type choice struct{ test, yes, no int64 }

func (c choice) plan(p planner, node interpreter.InterpretableV2) interpreter.InterpretableV2 {
	n := &choiceNode{node, p.nodes[c.test], p.nodes[c.yes], p.nodes[c.no]}
	if n.test == nil || n.yes == nil || n.no == nil {
		return nil
	}
	_, yes := n.yes.(plainNode)
	_, no := n.no.(plainNode)
	if yes || no {
		return &plainChoice{n, p.reader(n.yes), p.reader(n.no)}
	}
	return n
}

// choiceNode evaluates one of its branches, without the detour by which CEL makes both parts of a selection.
type choiceNode struct {
	interpreter.InterpretableV2

	test, yes, no interpreter.InterpretableV2
}

// Exec implements interpreter.InterpretableV2.
func (n *choiceNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	taken, failed := n.taken(frame)
	if failed != nil {
		return failed
	}
	if taken {
		return n.yes.Exec(frame)
	}
	return n.no.Exec(frame)
}

// Eval implements interpreter.Interpretable.
func (n *choiceNode) Eval(vars interpreter.Activation) ref.Val {
	return n.Exec(interpreter.AsFrame(vars))
}

func (n *choiceNode) taken(frame *interpreter.ExecutionFrame) (yes bool, failed ref.Val) {
	switch test := n.test.(type) {
	case *textCall:
		return test.truth(frame)
	case *plainCall:
		val, failed := test.plainValue(frame)
		if truth, isBool := val.(bool); isBool || failed != nil {
			return truth, failed
		}
	}
	switch val := n.test.Exec(frame).(type) {
	case types.Bool:
		return bool(val), nil
	case *types.Unknown:
		return false, val
	default:
		return false, located(n.ID(), types.MaybeNoSuchOverloadErr(val))
	}
}

// plainChoice is a choice between plain values.
type plainChoice struct {
	*choiceNode

	plainYes, plainNo plainNode
}

func (n *plainChoice) plainValue(frame *interpreter.ExecutionFrame) (any, ref.Val) {
	taken, failed := n.taken(frame)
	switch {
	case failed != nil:
		return nil, failed
	case taken:
		return n.plainYes.plainValue(frame)
	default:
		return n.plainNo.plainValue(frame)
	}
}

// binding is cel.bind(name, init, result).
type binding struct {
	name         string
	init, result int64
}

func bindingOf(c celast.ComprehensionExpr) (binding, bool) {
	over, while := c.IterRange(), c.LoopCondition()
	if over.Kind() != celast.ListKind || over.AsList().Size() > 0 || c.HasIterVar2() ||
		while.Kind() != celast.LiteralKind || while.AsLiteral() != types.False {
		return binding{}, false
	}
	return binding{c.AccuVar(), c.AccuInit().ID(), c.Result().ID()}, true
}

func (b binding) plan(p planner, node interpreter.InterpretableV2) interpreter.InterpretableV2 {
	init, result := p.nodes[b.init], p.nodes[b.result]
	if init == nil || result == nil {
		return nil
	}
	n := &bindingNode{node, b.name, init, result}
	if _, ok := result.(plainNode); ok {
		return &plainBinding{n, p.reader(result)}
	}
	return n
}

// bindingNode evaluates an expression that sees the value of another under a name.
type bindingNode struct {
	interpreter.InterpretableV2

	name         string
	init, result interpreter.InterpretableV2
}

// Exec implements interpreter.InterpretableV2.
func (n *bindingNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	inner := frame.Push(&boundScope{scope: scope{frame}, node: n})
	val := n.result.Exec(inner)
	inner.Pop()
	return val
}

// Eval implements interpreter.Interpretable.
func (n *bindingNode) Eval(vars interpreter.Activation) ref.Val {
	return n.Exec(interpreter.AsFrame(vars))
}

type plainBinding struct {
	*bindingNode

	plainResult plainNode
}

func (n *plainBinding) plainValue(frame *interpreter.ExecutionFrame) (any, ref.Val) {
	inner := frame.Push(&boundScope{scope: scope{frame}, node: n.bindingNode})
	val, failed := n.plainResult.plainValue(inner)
	inner.Pop()
	return val, failed
}

// boundScope is the name that is bound. Its value is evaluated when it is first asked for, if ever.
type boundScope struct {
	scope

	node  *bindingNode
	value any
	known bool
}

// ResolveName implements interpreter.Activation.
func (s *boundScope) ResolveName(name string) (any, bool) {
	if name != s.node.name {
		return s.outer.ResolveName(name)
	}
	if !s.known {
		s.value, s.known = valueOf(s.outer, s.node.init), true
	}
	return s.value, true
}

// AsPartialActivation implements CEL's conversion to a PartialActivation.
func (s *boundScope) AsPartialActivation() (interpreter.PartialActivation, bool) {
	return s, s.isPartial()
}

// valueOf is the value of a node as a variable holds it.
func valueOf(frame *interpreter.ExecutionFrame, node interpreter.InterpretableV2) any {
	switch n := node.(type) {
	case *plainCall:
		return n.held(n.plainValue(frame))
	case *plainPath:
		return n.held(n.plainValue(frame))
	default:
		return node.Exec(frame)
	}
}

func (n *plainCall) held(val any, failed ref.Val) any {
	if failed != nil {
		return failed
	}
	return n.variable(val)
}
