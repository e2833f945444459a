package expr

import (
	"context"
	"errors"
	"slices"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
)

// Program is a compiled expression. It is immutable and safe for concurrent use.
type Program struct {
	src        Source
	info       *celast.SourceInfo
	out        *cel.Type
	references []string
	loops      bool

	// One of these three evaluates the expression: a literal and a plain selection such as
	// source.metadata.name need no CEL program.
	literal ref.Val
	path    *path
	cel     cel.Program
}

// Source returns where the expression stands.
func (p *Program) Source() Source { return p.src }

// Type returns the checked type of the expression.
func (p *Program) Type() *cel.Type { return p.out }

// References are the keys of the references that the expression reads.
func (p *Program) References() []string { return p.references }

// Eval evaluates the expression. Strings, lists and maps of the result may be those of the binding: they must
// only be read. The error is a *PendingError when a missing reference decides the result, else an *Error.
func (p *Program) Eval(ctx context.Context, b *Binding) (ref.Val, error) {
	if p.literal != nil {
		return p.literal, nil
	}
	if p.path != nil {
		return p.walk(b)
	}
	val, err := p.run(ctx, b)
	if err != nil {
		return nil, p.runtimeError(err)
	}
	if u, ok := val.(*types.Unknown); ok {
		return nil, &PendingError{References: pendingOn(u, b.missing)}
	}
	return val, nil
}

func (p *Program) run(ctx context.Context, b *Binding) (ref.Val, error) {
	if !p.loops {
		val, _, err := p.cel.Eval(interpreter.Activation(b))
		return val, err
	}
	val, _, err := p.cel.ContextEval(ctx, interpreter.Activation(b))
	return val, err
}

// walk evaluates a plain selection.
func (p *Program) walk(b *Binding) (ref.Val, error) {
	if p.path.variable == ReferencesVariable && slices.Contains(b.missing, p.path.fields[0].name) {
		return nil, &PendingError{References: []string{p.path.fields[0].name}}
	}
	root, _ := b.ResolveName(p.path.variable)
	val, id, err := p.path.walk(root)
	if err != nil {
		return nil, p.errorAt(id, err)
	}
	return types.DefaultTypeAdapter.NativeToValue(val), nil
}

// Bool evaluates an expression of type bool. An optional without a value is false.
func (p *Program) Bool(ctx context.Context, b *Binding) (bool, error) {
	val, err := p.Eval(ctx, b)
	if err != nil {
		return false, err
	}
	if opt, ok := val.(*types.Optional); ok {
		if !opt.HasValue() {
			return false, nil
		}
		val = opt.GetValue()
	}
	if truth, ok := val.(types.Bool); ok {
		return bool(truth), nil
	}
	return false, p.errorAt(0, Failuref(CodeWrongType, "the condition is %s, not bool", val.Type().TypeName()))
}

// Text evaluates an expression and prints its value: a string is itself, an absent value and null are "",
// numbers and bools as CEL prints them. Lists, maps and bytes have no text.
func (p *Program) Text(ctx context.Context, b *Binding) (string, error) {
	val, err := p.Eval(ctx, b)
	if err != nil {
		return "", err
	}
	text, err := textOf(val)
	if err != nil {
		return "", p.errorAt(0, err)
	}
	return text, nil
}

func textOf(val ref.Val) (string, error) {
	switch v := val.(type) {
	case types.String:
		return string(v), nil
	case types.Null:
		return "", nil
	case *types.Optional:
		if !v.HasValue() {
			return "", nil
		}
		return textOf(v.GetValue())
	case types.Int, types.Uint, types.Double, types.Bool, types.Timestamp, types.Duration:
		if s, ok := v.ConvertToType(types.StringType).(types.String); ok {
			return string(s), nil
		}
	}
	return "", Failuref(CodeWrongType, "a value of type %s has no text", val.Type().TypeName())
}

// JSON evaluates an expression to a JSON value: nil, bool, int64, float64, string, []any or map[string]any.
// present is false for an optional without a value. Maps and lists may alias the binding.
func (p *Program) JSON(ctx context.Context, b *Binding) (value any, present bool, err error) {
	val, err := p.Eval(ctx, b)
	if err != nil {
		return nil, false, err
	}
	value, present, err = toJSON(val)
	if err != nil {
		return nil, false, p.errorAt(0, err)
	}
	return value, present, nil
}

// runtimeError hides what CEL says, which may hold values, and keeps its kind and place.
func (p *Program) runtimeError(err error) error {
	if celErr, ok := errors.AsType[*types.Err](err); ok {
		return p.errorAt(celErr.NodeID(), err)
	}
	return p.errorAt(0, err)
}

func (p *Program) errorAt(id int64, err error) error {
	line, column := 1, 1
	if location := p.info.GetStartLocation(id); id != 0 && location.Line() > 0 {
		line, column = location.Line(), location.Column()+1
	}
	f := failureOf(err)
	return &Error{diagnostic: p.src.at(f.Code, line, column, f.Message), cause: f}
}
