package expr

import (
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"

	"github.com/clusterimport/clusterimport/pkg/expr/plain"
)

// optionalPath is a selection of fields of JSON objects some of which may be absent, such as source.?spec.?name.
type optionalPath struct {
	variable string
	steps    []optionalStep
}

type optionalStep struct {
	name     string
	optional bool
}

// optionalPathOf recognises one that has an optional step at least.
func optionalPathOf(e celast.Expr) (optionalPath, bool) {
	p, ok := stepsOfPath(e)
	if ok && p.variable == ReferencesVariable && p.steps[0].optional {
		return p, false // a missing reference is not known, which is for CEL to say
	}
	for _, s := range p.steps {
		if s.optional {
			return p, ok
		}
	}
	return p, false
}

func stepsOfPath(e celast.Expr) (optionalPath, bool) {
	switch e.Kind() {
	case celast.IdentKind:
		return optionalPath{variable: e.AsIdent()}, true
	case celast.SelectKind:
		p, ok := stepsOfPath(e.AsSelect().Operand())
		p.steps = append(p.steps, optionalStep{name: e.AsSelect().FieldName()})
		return p, ok && !e.AsSelect().IsTestOnly()
	case celast.CallKind:
		call := e.AsCall()
		name := call.FunctionName()
		optional := name == operators.OptSelect || name == operators.OptIndex
		if !optional && name != operators.Index || call.Args()[1].Kind() != celast.LiteralKind {
			return optionalPath{}, false
		}
		key, isText := call.Args()[1].AsLiteral().(types.String)
		p, ok := stepsOfPath(call.Args()[0])
		p.steps = append(p.steps, optionalStep{string(key), optional})
		return p, ok && isText
	default:
		return optionalPath{}, false
	}
}

// follow follows the path through JSON objects. ok is false for whatever else there is on the way, which is left to CEL.
func (p optionalPath) follow(frame *interpreter.ExecutionFrame) (val any, present, ok bool) {
	val, ok = frame.ResolveName(p.variable)
	if !ok {
		return nil, false, false
	}
	optional := false
	for _, s := range p.steps {
		object, isObject := val.(map[string]any)
		if !isObject {
			return nil, false, false
		}
		optional = optional || s.optional
		var found bool
		if val, found = object[s.name]; !found {
			return nil, false, optional
		}
	}
	return val, true, true
}

// optionalPart recognises what is done with an optional path: orValue, hasValue, a comparison.
func optionalPart(call celast.CallExpr) part {
	name, args := call.FunctionName(), call.Args()
	switch {
	case call.IsMemberFunction() && name == "orValue" && len(args) == 1:
		path, ok := optionalPathOf(call.Target())
		if zero, literal := literalOf(args[0]); ok && literal {
			return optionalValue{path, zero}
		}
	case call.IsMemberFunction() && name == "hasValue" && len(args) == 0:
		if path, ok := optionalPathOf(call.Target()); ok {
			return optionalPresence{path}
		}
	case (name == operators.Equals || name == operators.NotEquals) && len(args) == 2:
		path, ok := optionalPathOf(args[0])
		if text, literal := optionalLiteral(args[1]); ok && literal {
			return optionalComparison{path, text, name == operators.NotEquals}
		}
	}
	return nil
}

// optionalLiteral is the literal of optional.of(literal).
func optionalLiteral(e celast.Expr) (any, bool) {
	if e.Kind() != celast.CallKind || e.AsCall().FunctionName() != "optional.of" || len(e.AsCall().Args()) != 1 {
		return nil, false
	}
	return literalOf(e.AsCall().Args()[0])
}

// literalOf is a literal as a JSON value: a text, a bool or an empty list.
func literalOf(e celast.Expr) (any, bool) {
	switch {
	case e.Kind() == celast.ListKind && e.AsList().Size() == 0:
		return []any{}, true
	case e.Kind() != celast.LiteralKind:
		return nil, false
	}
	switch v := e.AsLiteral().(type) {
	case types.String:
		return string(v), true
	case types.Bool:
		return bool(v), true
	default:
		return nil, false
	}
}

// optionalValue is path.orValue(literal).
type optionalValue struct {
	optionalPath

	zero any
}

func (o optionalValue) plan(_ planner, node interpreter.InterpretableV2) interpreter.InterpretableV2 {
	return &optionalValueNode{node, o}
}

type optionalValueNode struct {
	interpreter.InterpretableV2
	optionalValue
}

// read is the value; ok is false if it is left to CEL.
func (n *optionalValueNode) read(frame *interpreter.ExecutionFrame) (val any, ok bool) {
	val, present, ok := n.follow(frame)
	if ok && !present {
		val = n.zero
	}
	if _, made := val.(ref.Val); made {
		return nil, false
	}
	return val, ok
}

// byCEL is the value as CEL's own node gives it.
func (n *optionalValueNode) byCEL(frame *interpreter.ExecutionFrame) ref.Val {
	return n.InterpretableV2.Exec(frame)
}

// Exec implements interpreter.InterpretableV2.
func (n *optionalValueNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	if val, ok := n.read(frame); ok {
		return plain.Value(val)
	}
	return n.InterpretableV2.Exec(frame)
}

// Eval implements interpreter.Interpretable.
func (n *optionalValueNode) Eval(vars interpreter.Activation) ref.Val {
	return n.Exec(interpreter.AsFrame(vars))
}

// optionalPresence is path.hasValue().
type optionalPresence struct{ optionalPath }

func (o optionalPresence) plan(_ planner, node interpreter.InterpretableV2) interpreter.InterpretableV2 {
	return &optionalPresenceNode{node, o}
}

type optionalPresenceNode struct {
	interpreter.InterpretableV2
	optionalPresence
}

// Exec implements interpreter.InterpretableV2.
func (n *optionalPresenceNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	if _, present, ok := n.follow(frame); ok {
		return types.Bool(present)
	}
	return n.InterpretableV2.Exec(frame)
}

// Eval implements interpreter.Interpretable.
func (n *optionalPresenceNode) Eval(vars interpreter.Activation) ref.Val {
	return n.Exec(interpreter.AsFrame(vars))
}

// optionalComparison is path == optional.of(literal), or !=.
type optionalComparison struct {
	optionalPath

	literal any
	unlike  bool
}

func (o optionalComparison) plan(_ planner, node interpreter.InterpretableV2) interpreter.InterpretableV2 {
	if _, ok := o.literal.(string); !ok {
		return nil
	}
	return &optionalComparisonNode{node, o}
}

type optionalComparisonNode struct {
	interpreter.InterpretableV2
	optionalComparison
}

// Exec implements interpreter.InterpretableV2.
func (n *optionalComparisonNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	val, present, ok := n.follow(frame)
	if text, isText := val.(string); ok && (isText || !present) {
		return types.Bool((present && text == n.literal) != n.unlike)
	}
	return n.InterpretableV2.Exec(frame)
}

// Eval implements interpreter.Interpretable.
func (n *optionalComparisonNode) Eval(vars interpreter.Activation) ref.Val {
	return n.Exec(interpreter.AsFrame(vars))
}
