package compat

import (
	"cmp"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

// The comparison functions of text/template: eq compares its first argument with each of the others and
// accepts only values of one basic kind; absent and null equal each other and nothing else.

var errIncomparable = expr.Failuref(expr.CodeWrongType, "incompatible types for comparison")

func eq(args []any) (any, error) {
	for _, arg := range args[1:] {
		same, err := equal(args[0], arg)
		if err != nil {
			return nil, err
		}
		if same {
			return true, nil
		}
	}
	return false, nil
}

func ne(args []any) (any, error) {
	same, err := equal(args[0], args[1])
	return !same, err
}

func equal(a, b any) (bool, error) {
	if isNothing(a) || isNothing(b) {
		return isNothing(a) && isNothing(b), nil
	}
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		return x == y, kindError(ok)
	case bool:
		y, ok := b.(bool)
		return x == y, kindError(ok)
	case int64:
		y, ok := b.(int64)
		return x == y, kindError(ok)
	case float64:
		y, ok := b.(float64)
		return x == y, kindError(ok)
	}
	return false, errIncomparable
}

func kindError(ok bool) error {
	if ok {
		return nil
	}
	return errIncomparable
}

func isNothing(v any) bool { return norm(v) == absent{} }

func ordered(holds func(int) bool) func([]any) (any, error) {
	return func(args []any) (any, error) {
		switch x := args[0].(type) {
		case string:
			if y, ok := args[1].(string); ok {
				return holds(cmp.Compare(x, y)), nil
			}
		case int64:
			if y, ok := args[1].(int64); ok {
				return holds(cmp.Compare(x, y)), nil
			}
		case float64:
			if y, ok := args[1].(float64); ok {
				return holds(cmp.Compare(x, y)), nil
			}
		}
		return nil, errIncomparable
	}
}
