package expr

import (
	"slices"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/functions"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
)

// sharedError is the number of no node. CEL has one value for all calls without an overload and writes into it the node
// that failed first; a number that it has already keeps it from that.
const sharedError = -1

// labelSharedError is called before anything is evaluated.
func labelSharedError() { types.LabelErrNode(sharedError, types.NoSuchOverloadErr()) }

// callNode is a call whose lack of an overload has a place of its own.
type callNode struct{ interpreter.InterpretableCall }

// Exec implements interpreter.InterpretableV2.
func (n callNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	return located(n.ID(), n.InterpretableCall.Exec(frame))
}

// Eval implements interpreter.Interpretable: CEL asks the parts of a selection so.
func (n callNode) Eval(vars interpreter.Activation) ref.Val { return n.Exec(interpreter.AsFrame(vars)) }

func located(id int64, val ref.Val) ref.Val {
	if val == types.NoSuchOverloadErr() {
		return types.NewErrWithNodeID(id, "no such overload")
	}
	return types.LabelErrNode(id, val)
}

// chargedCall is a call whose cost depends on its arguments. It is charged before it begins.
type chargedCall struct {
	interpreter.InterpretableV2

	args   []interpreter.InterpretableV2
	charge charge
	invoke functions.FunctionOp
}

// Exec implements interpreter.InterpretableV2.
func (n chargedCall) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	args := make([]ref.Val, len(n.args))
	for i, arg := range n.args {
		if args[i] = arg.Exec(frame); types.IsUnknownOrError(args[i]) {
			return args[i]
		}
	}
	meterOf(frame).charge(n.charge(args))
	return located(n.ID(), n.invoke(args...))
}

// Eval implements interpreter.Interpretable.
func (n chargedCall) Eval(vars interpreter.Activation) ref.Val {
	return n.Exec(interpreter.AsFrame(vars))
}

// implementations are the functions of an environment by their names.
type implementations map[string]functions.FunctionOp

func implementationsOf(env *cel.Env) (implementations, error) {
	found := implementations{}
	for name, declared := range env.Functions() {
		overloads, err := declared.Bindings()
		if err != nil {
			return nil, err
		}
		for _, o := range overloads {
			if o.Operator == name && !o.NonStrict {
				found[name] = invoker(o)
			}
		}
	}
	// CEL declares these two and has nodes of its own for them.
	found[operators.Equals] = func(args ...ref.Val) ref.Val { return types.Equal(args[0], args[1]) }
	found[operators.NotEquals] = func(args ...ref.Val) ref.Val {
		return types.Bool(types.Equal(args[0], args[1]) != types.True)
	}
	found["substring"] = substring(found["substring"])
	return found, nil
}

// substring cuts a text of ASCII characters, as names are, where it is; others are left to CEL, which copies them to
// count their characters.
func substring(others functions.FunctionOp) functions.FunctionOp {
	return func(args ...ref.Val) ref.Val {
		text, ok := args[0].(types.String)
		start, end := types.Int(-1), types.Int(len(text))
		if len(args) > 1 {
			start, _ = args[1].(types.Int)
		}
		if len(args) > 2 {
			end, _ = args[2].(types.Int)
		}
		if !ok || start < 0 || start > end || end > types.Int(len(text)) || !isASCII(string(text)) || !areInts(args[1:]) {
			return others(args...)
		}
		return text[start:end]
	}
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func areInts(list []ref.Val) bool {
	return !slices.ContainsFunc(list, func(val ref.Val) bool { _, ok := val.(types.Int); return !ok })
}

// invoker calls a function as CEL does.
func invoker(f *functions.Overload) functions.FunctionOp {
	return func(args ...ref.Val) ref.Val {
		switch {
		case f.OperandTrait != 0 && !args[0].Type().HasTrait(f.OperandTrait):
			return types.NoSuchOverloadErr()
		case len(args) == 1 && f.Unary != nil:
			return f.Unary(args[0])
		case len(args) == 2 && f.Binary != nil:
			return f.Binary(args[0], args[1])
		case f.Function != nil:
			return f.Function(args...)
		default:
			return types.NoSuchOverloadErr()
		}
	}
}

// call returns the node of a call, charged where its cost is not known from the expression.
func (found implementations) call(node interpreter.InterpretableCall) (interpreter.InterpretableV2, error) {
	name := node.Function()
	if match := patternFunctions[name]; match != nil {
		return patternCall(node, match)
	}
	charge := chargeOf(name)
	if charge == nil || found[name] == nil || isBounded(node) {
		return callNode{node}, nil
	}
	return chargedCall{node, node.Args(), charge, found[name]}, nil
}

// boundedByLiteral are functions that read no more than their shorter operand.
var boundedByLiteral = map[string]bool{
	operators.Equals: true, operators.NotEquals: true, "startsWith": true, "endsWith": true,
	operators.Less: true, operators.LessEquals: true, operators.Greater: true, operators.GreaterEquals: true,
}

// isBounded reports whether a call costs no more than its literal operand is long, or looks up in a literal list, which
// CEL makes a set.
func isBounded(node interpreter.InterpretableCall) bool {
	if node.Function() == operators.In {
		_, ok := node.Args()[1].(interpreter.InterpretableConst)
		return ok
	}
	if !boundedByLiteral[node.Function()] {
		return false
	}
	for _, arg := range node.Args() {
		if literal, ok := arg.(interpreter.InterpretableConst); ok && length(literal.Value()) <= maxShortText && items(literal.Value()) == 0 {
			return true
		}
	}
	return false
}

// maxShortText is how long a text may be that costs no more than a selection.
const maxShortText = 256

// textComparison is an equality of something that is read with a literal text.
type textComparison struct {
	interpreter.InterpretableV2

	read   func(frame *interpreter.ExecutionFrame) (val any, ok bool)
	text   string
	unlike bool
}

// compareText returns a textComparison where a node is one.
func (p planner) compareText(node interpreter.InterpretableV2) interpreter.InterpretableV2 {
	call, ok := node.(callNode)
	if !ok || (call.Function() != operators.Equals && call.Function() != operators.NotEquals) {
		return node
	}
	read := p.reading(call.Args()[0])
	literal, okLiteral := call.Args()[1].(interpreter.InterpretableConst)
	if read == nil || !okLiteral {
		return node
	}
	text, ok := literal.Value().(types.String)
	if !ok {
		return node
	}
	return &textComparison{node, read, string(text), call.Function() == operators.NotEquals}
}

// reading returns how a node's value is read without making a CEL value, or nil.
func (p planner) reading(node interpreter.InterpretableV2) func(frame *interpreter.ExecutionFrame) (any, bool) {
	switch n := node.(type) {
	case *optionalValueNode:
		return n.read
	case interpreter.InterpretableAttribute:
		if name, ok := p.shape.names[n.ID()]; ok {
			return func(frame *interpreter.ExecutionFrame) (any, bool) { return frame.ResolveName(name) }
		}
		return func(frame *interpreter.ExecutionFrame) (any, bool) {
			val, err := n.Resolve(frame)
			return val, err == nil
		}
	default:
		return nil
	}
}

// Exec implements interpreter.InterpretableV2. What is no text is left to CEL.
func (c *textComparison) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	if val, ok := c.read(frame); ok {
		if text, ok := val.(string); ok {
			return types.Bool((text == c.text) != c.unlike)
		}
	}
	return c.InterpretableV2.Exec(frame)
}

// Eval implements interpreter.Interpretable.
func (c *textComparison) Eval(vars interpreter.Activation) ref.Val {
	return c.Exec(interpreter.AsFrame(vars))
}
