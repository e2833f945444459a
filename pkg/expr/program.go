package expr

import (
	"context"
	"errors"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"

	"github.com/clusterimport/clusterimport/pkg/expr/plain"
)

// Program is a compiled expression. It is immutable and safe for concurrent use.
type Program struct {
	src        Source
	info       *celast.SourceInfo
	out        *cel.Type
	references []string
	inputs     *Inputs

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

// Constant is the value of an expression that is a literal: a string, bool, int64 or float64.
func (p *Program) Constant() (val any, ok bool) {
	if p.literal == nil {
		return nil, false
	}
	return p.literal.Value(), true
}

// References are the keys of the references that the expression reads.
func (p *Program) References() []string { return p.references }

// Inputs are the parts of the variables that the expression reads; they must only be read.
func (p *Program) Inputs() *Inputs { return p.inputs }

// Eval evaluates the expression. Strings, lists and maps of the result may be those of the binding: they must
// only be read. The error is a *PendingError when a missing reference decides the result, else an *Error.
func (p *Program) Eval(ctx context.Context, b *Binding) (ref.Val, error) {
	if p.literal != nil {
		return p.literal, nil
	}
	if p.path != nil {
		val, err := p.walk(b)
		if err != nil {
			return nil, err
		}
		return plain.Value(val), nil
	}
	val, err := p.run(ctx, b)
	if err != nil {
		return nil, p.runtimeError(err)
	}
	if u, ok := val.(*types.Unknown); ok {
		return nil, &PendingError{References: pendingOn(u, b.Missing())}
	}
	return val, nil
}

func (p *Program) run(ctx context.Context, b *Binding) (ref.Val, error) {
	limit := b.limit()
	b.meter = newMeter(ctx, limit)
	val, _, err := p.cel.Eval(interpreter.Activation(b))
	b.spent += limit - b.meter.left
	return val, err
}

// walk evaluates a plain selection.
func (p *Program) walk(b *Binding) (any, error) {
	if key := p.path.reference; key != "" && b.lacks(key) {
		return nil, &PendingError{References: []string{key}}
	}
	val, failed, err := p.path.walk(b)
	if err != nil {
		return nil, p.errorAt(failed, err)
	}
	return val, nil
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
	if p.path != nil {
		// The usual name is made of texts that are selected: it costs no CEL value.
		if val, err := p.walk(b); err == nil {
			if text, ok := val.(string); ok {
				return text, nil
			}
		}
	}
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
	if p.path != nil {
		return p.read(b)
	}
	val, err := p.Eval(ctx, b)
	if err != nil {
		return nil, false, err
	}
	value, present, err = plain.FromCEL(val, resultLimits)
	if err != nil {
		return nil, false, p.errorAt(0, err)
	}
	return value, present, nil
}

// read evaluates a plain selection to a JSON value.
func (p *Program) read(b *Binding) (value any, present bool, err error) {
	if value, err = p.walk(b); err != nil {
		return nil, false, err
	}
	if err := plain.Within(value, resultLimits); err != nil {
		return nil, false, p.errorAt(0, err)
	}
	return value, true, nil
}

// runtimeError hides what CEL says, which may hold values, and keeps its kind and place.
func (p *Program) runtimeError(err error) error {
	if celErr, ok := errors.AsType[*types.Err](err); ok {
		return p.errorAt(celErr.NodeID(), err)
	}
	return p.errorAt(0, err)
}

// Fail is the error of a result that cannot be used, for a reason that only its user knows.
func (p *Program) Fail(f *FailureError) error { return p.errorAt(0, f) }

func (p *Program) errorAt(id int64, err error) error {
	line, column := 1, 1
	if location := p.info.GetStartLocation(id); id != 0 && location.Line() > 0 {
		line, column = location.Line(), location.Column()+1
	}
	f := failureOf(err)
	return &Error{diagnostic: p.src.at(f.Code, line, column, f.Message), cause: f}
}
