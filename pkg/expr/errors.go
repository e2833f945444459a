package expr

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/cel-go/interpreter"

	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr/plain"
)

// Codes of errors that evaluating an expression gives.
const (
	// CodeNoSuchKey is a field, key or index that the value does not have.
	CodeNoSuchKey diag.Code = "EVAL-NO-SUCH-KEY"
	// CodeWrongType is an operation on a value of another type.
	CodeWrongType diag.Code = "EVAL-WRONG-TYPE"
	// CodeArithmetic is an overflow or a division by zero.
	CodeArithmetic diag.Code = "EVAL-ARITHMETIC"
	// CodeFunction is a function that refuses its arguments.
	CodeFunction diag.Code = "EVAL-FUNCTION"
	// CodeTooExpensive is an evaluation that exceeds a limit of cost, size or time.
	CodeTooExpensive diag.Code = "EVAL-TOO-EXPENSIVE"
)

// PendingError says that a result depends on references that have no object yet.
type PendingError struct {
	// References are the keys of these references, sorted.
	References []string
}

// Error implements error.
func (e *PendingError) Error() string {
	return "waits for " + strings.Join(e.References, ", ")
}

// Error is a failed evaluation. It says what kind of failure and where, and holds no value that was read.
type Error struct {
	diagnostic diag.Diagnostic
	cause      *FailureError
}

// Error implements error: one line with field, line and column.
func (e *Error) Error() string {
	d := e.diagnostic
	return fmt.Sprintf("%s:%d:%d: %s", d.Field, d.Line, d.Column, d.Message)
}

// Diagnostic is the error with the place in the policy's text.
func (e *Error) Diagnostic() diag.Diagnostic { return e.diagnostic }

// Code is the kind of failure.
func (e *Error) Code() diag.Code { return e.diagnostic.Code }

// Unwrap returns the FailureError.
func (e *Error) Unwrap() error { return e.cause }

// FailureError is an error that a CEL function of this project returns. Its message is written by this project and
// must hold nothing of the arguments: they may come from a Secret.
type FailureError struct {
	Code    diag.Code
	Message string
}

// Error implements error.
func (f *FailureError) Error() string { return f.Message }

// Failuref makes a FailureError. The arguments must not be values that an expression reads.
func Failuref(code diag.Code, format string, args ...any) *FailureError {
	return &FailureError{Code: code, Message: fmt.Sprintf(format, args...)}
}

// failureOf classifies a CEL error and drops its text, which may hold values. CEL has no error values for its
// own errors, so they are told apart by how they begin; an error that is not recognised loses its detail only.
func failureOf(err error) *FailureError {
	if own, ok := errors.AsType[*FailureError](err); ok {
		return own
	}
	if constant, ok := errors.AsType[plain.Error](err); ok {
		return &FailureError{codeOf(constant), constant.Error()}
	}
	if errors.As(err, new(interpreter.EvalCancelledError)) || errors.Is(err, interpreter.InterruptError{}) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &FailureError{CodeTooExpensive, "the evaluation exceeds its limit of cost or time"}
	}
	text := err.Error()
	for _, known := range celErrors {
		if strings.Contains(text, known.marker) {
			return &FailureError{known.code, known.message}
		}
	}
	return &FailureError{CodeFunction, "a function refuses its arguments"}
}

// codeOf tells the errors of converting a result from those of a function, which has its own limits.
func codeOf(err plain.Error) diag.Code {
	switch err {
	case plain.ErrTooLong, plain.ErrTooDeep, plain.ErrTooMany:
		return CodeTooExpensive
	case plain.ErrNumber:
		return CodeArithmetic
	case plain.ErrNoJSON, plain.ErrKey:
		return CodeWrongType
	default:
		return CodeFunction
	}
}

var celErrors = []struct {
	marker  string
	code    diag.Code
	message string
}{
	{"internal error: ", CodeInternal, "internal error: please report it with the expression"},
	{"no such key", CodeNoSuchKey, "no such key"},
	{"no such attribute", CodeNoSuchKey, "no such key"},
	{"index out of bounds", CodeNoSuchKey, "index out of bounds"},
	{"out of range", CodeNoSuchKey, "index out of range"},
	{"no such overload", CodeWrongType, "no such overload: an operand has another type than expected"},
	{"unsupported index type", CodeWrongType, "the index has the wrong type"},
	{"unsupported index value", CodeWrongType, "the index has the wrong type"},
	{"invalid qualifier type", CodeWrongType, "the index has the wrong type"},
	{"type conversion error", CodeWrongType, "the value cannot be converted to this type"},
	{"unsupported conversion", CodeWrongType, "the value cannot be converted to this type"},
	{"integer overflow", CodeArithmetic, "integer overflow"},
	{"by zero", CodeArithmetic, "division by zero"},
	{"optional.none() dereference", CodeNoSuchKey, "the optional has no value"},
}
