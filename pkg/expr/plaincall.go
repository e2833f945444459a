package expr

import (
	"sync"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
)

// plainCall calls a function on plain values.
type plainCall struct {
	interpreter.InterpretableCall
	converter

	f    PlainFunction
	args []plainNode
	// evaluate evaluates the arguments and calls the function.
	evaluate func(n *plainCall, frame *interpreter.ExecutionFrame) (any, ref.Val)
}

func (p planner) plainCall(call interpreter.InterpretableCall, f PlainFunction) interpreter.InterpretableV2 {
	n := &plainCall{InterpretableCall: call, converter: &p.extension.functions, f: f, evaluate: (*plainCall).callMany}
	args, isList := call.Args(), f.List != nil
	if isList {
		var ok bool
		if n.args, ok = p.items(args[0]); !ok {
			n.args, n.evaluate = []plainNode{p.reader(args[0])}, (*plainCall).callOnList
			return n
		}
	} else {
		for _, arg := range args {
			n.args = append(n.args, p.reader(arg))
		}
	}
	switch {
	case p.isFields(f) && n.names() != nil:
		return &plainPath{plainCall: n, steps: n.names()}
	case f.Unary != nil:
		n.evaluate = (*plainCall).callOne
	case f.Binary != nil:
		n.evaluate = func(n *plainCall, frame *interpreter.ExecutionFrame) (any, ref.Val) {
			return n.callTwo(frame, f.Binary)
		}
	case f.Texts != nil && len(n.args) == 2:
		if text, ok := n.args[1].(plainConst); ok {
			if literal, ok := text.val.(string); ok && len(literal) <= maxShortText {
				return &textCall{n, literal}
			}
		}
	}
	return n
}

// textCall calls a function of two texts, the second of which is a literal.
type textCall struct {
	*plainCall

	text string
}

// Exec implements interpreter.InterpretableV2.
func (n *textCall) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	return n.made(n.plainValue(frame))
}

// Eval implements interpreter.Interpretable.
func (n *textCall) Eval(vars interpreter.Activation) ref.Val {
	return n.Exec(interpreter.AsFrame(vars))
}

func (n *textCall) plainValue(frame *interpreter.ExecutionFrame) (any, ref.Val) {
	return n.truth(frame)
}

func (n *textCall) truth(frame *interpreter.ExecutionFrame) (bool, ref.Val) {
	first, failed := n.args[0].plainValue(frame)
	if failed != nil {
		return false, failed
	}
	if text, ok := first.(string); ok {
		return n.f.Texts(text, n.text), nil
	}
	val, failed := n.result(n.f.List([]any{first, n.text}))
	truth, _ := val.(bool)
	return truth, failed
}

// Exec implements interpreter.InterpretableV2.
func (n *plainCall) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	return n.made(n.plainValue(frame))
}

// Eval implements interpreter.Interpretable.
func (n *plainCall) Eval(vars interpreter.Activation) ref.Val {
	return n.Exec(interpreter.AsFrame(vars))
}

func (n *plainCall) plainValue(frame *interpreter.ExecutionFrame) (any, ref.Val) {
	return n.evaluate(n, frame)
}

func (n *plainCall) charge(frame *interpreter.ExecutionFrame, cost int) {
	if cost > 0 {
		meterOf(frame).charge(cost)
	}
}

func (n *plainCall) result(val any, err error) (any, ref.Val) {
	if err != nil {
		return nil, located(n.ID(), types.WrapErr(err))
	}
	return val, nil
}

func (n *plainCall) callOne(frame *interpreter.ExecutionFrame) (any, ref.Val) {
	arg, failed := n.args[0].plainValue(frame)
	if failed != nil {
		return nil, failed
	}
	cost := n.f.costOf(arg)
	if n.f.Work != nil {
		cost += n.f.Work([]any{arg})
	}
	n.charge(frame, cost)
	val, failed := n.result(n.f.Unary(arg))
	if n.f.Makes {
		text, _ := arg.(string)
		list, _ := arg.([]any)
		n.charge(frame, costOfMade(val, len(text), list))
	}
	return val, failed
}

func (n *plainCall) callTwo(frame *interpreter.ExecutionFrame, f func(a, b any) (any, error)) (any, ref.Val) {
	a, failed := n.args[0].plainValue(frame)
	if failed != nil {
		return nil, failed
	}
	b, failed := n.args[1].plainValue(frame)
	if failed != nil {
		return nil, failed
	}
	n.charge(frame, n.f.costOf(a)+n.f.costOf(b))
	return n.result(f(a, b))
}

// maxHeldArguments is the length of the lists of arguments that are used again.
const maxHeldArguments = 8

// heldArguments are such lists: no function keeps its own.
var heldArguments = sync.Pool{New: func() any { return new([maxHeldArguments]any) }}

func (n *plainCall) callMany(frame *interpreter.ExecutionFrame) (any, ref.Val) {
	if len(n.args) > maxHeldArguments {
		return n.callWith(frame, make([]any, len(n.args)))
	}
	held, _ := heldArguments.Get().(*[maxHeldArguments]any)
	val, failed := n.callWith(frame, held[:len(n.args)])
	clear(held[:len(n.args)])
	heldArguments.Put(held)
	return val, failed
}

func (n *plainCall) callWith(frame *interpreter.ExecutionFrame, args []any) (any, ref.Val) {
	for i, arg := range n.args {
		var failed ref.Val
		if args[i], failed = arg.plainValue(frame); failed != nil {
			return nil, failed
		}
	}
	n.charge(frame, n.f.cost(args))
	return n.callList(frame, args)
}

// callOnList calls a function with a list that is not made for the call.
func (n *plainCall) callOnList(frame *interpreter.ExecutionFrame) (any, ref.Val) {
	val, failed := n.args[0].plainValue(frame)
	if failed != nil {
		return nil, failed
	}
	items, _ := val.([]any)
	n.charge(frame, len(items)+n.f.cost(items))
	return n.callList(frame, items)
}

// callList calls a function with its arguments, and charges what it makes.
func (n *plainCall) callList(frame *interpreter.ExecutionFrame, args []any) (any, ref.Val) {
	val, failed := n.result(n.f.List(args))
	if n.f.Makes {
		n.charge(frame, costOfMade(val, textsIn(args), nil))
	}
	return val, failed
}

// isFields reports whether a function selects fields by a list of their names.
func (p planner) isFields(f PlainFunction) bool {
	return f.Binary != nil && len(p.extension.functions.Fields) > 0 && f.Name == p.extension.functions.Fields[0]
}

// names are the second argument, if it is a literal list of names.
func (n *plainCall) names() []string {
	literal, ok := n.args[1].(plainConst)
	if !ok {
		return nil
	}
	list, _ := literal.val.([]any)
	names := make([]string, len(list))
	for i, item := range list {
		if names[i], ok = item.(string); !ok {
			return nil
		}
	}
	return names
}

// plainPath selects fields by literal names. What is no object, and what is missing, is for the function.
type plainPath struct {
	*plainCall

	steps []string
}

// Exec implements interpreter.InterpretableV2.
func (n *plainPath) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	return n.made(n.plainValue(frame))
}

// Eval implements interpreter.Interpretable.
func (n *plainPath) Eval(vars interpreter.Activation) ref.Val {
	return n.Exec(interpreter.AsFrame(vars))
}

func (n *plainPath) plainValue(frame *interpreter.ExecutionFrame) (any, ref.Val) {
	base, failed := n.args[0].plainValue(frame)
	if failed != nil {
		return nil, failed
	}
	val := base
	for _, name := range n.steps {
		object, ok := val.(map[string]any)
		if ok {
			val, ok = object[name]
		}
		if !ok {
			return n.missing(frame, base)
		}
	}
	return val, nil
}

func (n *plainPath) missing(frame *interpreter.ExecutionFrame, base any) (any, ref.Val) {
	names, failed := n.args[1].plainValue(frame)
	if failed != nil {
		return nil, failed
	}
	return n.result(n.f.Binary(base, names))
}
