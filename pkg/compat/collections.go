package compat

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

var (
	errNeedsMap  = expr.Failuref(expr.CodeWrongType, "the function needs a map")
	errNeedsList = expr.Failuref(expr.CodeWrongType, "the function needs a list")
	errNoIndex   = expr.Failuref(expr.CodeNoSuchKey, "index out of range")
)

// index is text/template's: an absent key is fine at the last step only.
func index(args []any) (any, error) {
	val := args[0]
	for _, key := range args[1:] {
		if isNothing(val) {
			return nil, expr.Failuref(expr.CodeWrongType, "index of nothing")
		}
		var err error
		if val, err = indexOne(val, key); err != nil {
			return nil, err
		}
	}
	return val, nil
}

func indexOne(val, key any) (any, error) {
	switch v := val.(type) {
	case map[string]any:
		name, ok := key.(string)
		if !ok {
			return nil, errNeedsText
		}
		if item, ok := v[name]; ok {
			return item, nil
		}
		return absent{}, nil
	case []any:
		i, err := position(key, len(v))
		if err != nil {
			return nil, err
		}
		return v[i], nil
	case string:
		i, err := position(key, len(v))
		if err != nil {
			return nil, err
		}
		return int64(v[i]), nil
	default:
		return nil, expr.Failuref(expr.CodeWrongType, "index of a value that is no map and no list")
	}
}

func position(key any, size int) (int, error) {
	i, ok := key.(int64)
	if !ok {
		return 0, errNeedsInteger
	}
	if i < 0 || i >= int64(size) {
		return 0, errNoIndex
	}
	return int(i), nil
}

func length(args []any) (any, error) {
	switch v := args[0].(type) {
	case string:
		return int64(len(v)), nil
	case []any:
		return int64(len(v)), nil
	case map[string]any:
		return int64(len(v)), nil
	default:
		return nil, expr.Failuref(expr.CodeWrongType, "len of a value that has none")
	}
}

func defaultTo(args []any) (any, error) {
	if len(args) == 2 && truth(args[1]) {
		return args[1], nil
	}
	return args[0], nil
}

func coalesce(args []any) (any, error) {
	for _, arg := range args {
		if truth(arg) {
			return arg, nil
		}
	}
	return absent{}, nil
}

func ternary(args []any) (any, error) {
	choose, ok := args[2].(bool)
	if !ok {
		return nil, expr.Failuref(expr.CodeWrongType, "ternary needs a bool")
	}
	if choose {
		return args[0], nil
	}
	return args[1], nil
}

// mapArgument is a parameter of type map: an absent value is an empty map, a null is not.
func mapArgument(arg any) (map[string]any, error) {
	switch v := arg.(type) {
	case map[string]any:
		return v, nil
	case absent:
		return nil, nil //nolint:nilnil // the empty map
	default:
		return nil, errNeedsMap
	}
}

func get(args []any) (any, error) {
	m, err := mapArgument(args[0])
	if err != nil {
		return nil, err
	}
	key, ok := args[1].(string)
	if !ok {
		return nil, errNeedsText
	}
	if val, ok := m[key]; ok {
		return val, nil
	}
	return "", nil
}

func hasKey(args []any) (any, error) {
	m, err := mapArgument(args[0])
	if err != nil {
		return nil, err
	}
	key, ok := args[1].(string)
	if !ok {
		return nil, errNeedsText
	}
	_, found := m[key]
	return found, nil
}

func dict(args []any) (any, error) {
	out := map[string]any{}
	for i := 0; i < len(args); i += 2 {
		var val any = ""
		if i+1 < len(args) {
			if val = args[i+1]; isNothing(val) {
				val = nil
			}
		}
		out[fmt.Sprint(plainArguments(args[i:i+1])...)] = val
	}
	return out, nil
}

func keysOf(args []any) (any, error) {
	var out []any
	for _, arg := range args {
		m, err := mapArgument(arg)
		if err != nil {
			return nil, err
		}
		for _, key := range slices.Sorted(maps.Keys(m)) {
			out = append(out, key)
		}
	}
	return out, nil
}

func list(args []any) (any, error) { return plainArguments(args), nil }

func first(args []any) (any, error) {
	l, ok := args[0].([]any)
	if !ok {
		return nil, errNeedsList
	}
	if len(l) == 0 {
		return absent{}, nil
	}
	return l[0], nil
}

func last(args []any) (any, error) {
	l, ok := args[0].([]any)
	if !ok {
		return nil, errNeedsList
	}
	if len(l) == 0 {
		return absent{}, nil
	}
	return l[len(l)-1], nil
}

func has(args []any) (any, error) {
	if isNothing(args[1]) {
		return false, nil
	}
	l, ok := args[1].([]any)
	if !ok {
		return nil, errNeedsList
	}
	for _, item := range l {
		if same, err := equal(item, args[0]); err == nil && same {
			return true, nil
		}
	}
	return false, nil
}

func join(args []any) (any, error) {
	separator, ok := args[0].(string)
	if !ok {
		return nil, errNeedsText
	}
	l, ok := args[1].([]any)
	if !ok {
		return printed(args[1]), nil
	}
	var parts []string
	for _, item := range l {
		if item != nil {
			parts = append(parts, fmt.Sprint(item))
		}
	}
	return strings.Join(parts, separator), nil
}

func anyList(parts []string) []any {
	out := make([]any, len(parts))
	for i, part := range parts {
		out[i] = part
	}
	return out
}
