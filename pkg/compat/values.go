package compat

import (
	"slices"
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"github.com/clusterimport/clusterimport/pkg/compat/sprig"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/expr/plain"
)

// absent is a template value that is not there, such as a missing map key; nil is an explicit null. In CEL it
// is an optional without a value.
type absent = sprig.Absent

// native turns a CEL value into the Go value that a template function works on; see package sprig.
func native(val ref.Val) (any, error) {
	switch v := val.(type) {
	case types.String:
		return string(v), nil
	case types.Bool:
		return bool(v), nil
	case types.Int:
		return int64(v), nil
	case goInt:
		return int(v), nil
	case types.Double:
		return float64(v), nil
	case types.Null:
		return nil, nil //nolint:nilnil // an explicit null
	case *types.Optional:
		if !v.HasValue() {
			return absent{}, nil
		}
		return native(v.GetValue())
	case traits.Mapper:
		return nativeMap(v)
	case traits.Lister:
		return nativeList(v)
	}
	return nil, expr.Failuref(expr.CodeWrongType, "templates have no values of type %s", val.Type().TypeName())
}

func nativeMap(m traits.Mapper) (any, error) {
	if object, ok := m.Value().(map[string]any); ok {
		return object, nil
	}
	out := map[string]any{}
	for it := m.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		name, ok := key.(types.String)
		if !ok {
			return nil, expr.Failuref(expr.CodeWrongType, "templates have maps with text keys only")
		}
		item, err := native(m.Get(key))
		if err != nil {
			return nil, err
		}
		out[string(name)] = item
	}
	return out, nil
}

func nativeList(l traits.Lister) (any, error) {
	if list, ok := l.Value().([]any); ok {
		return list, nil
	}
	out := []any{} // templates tell an empty list from none
	for it := l.Iterator(); it.HasNext() == types.True; {
		item, err := native(it.Next())
		if err != nil {
			return nil, err
		}
		out = append(out, item)
	}
	return out, nil
}

// wrap turns the Go value of a template function into a CEL value.
func wrap(val any) ref.Val {
	switch v := val.(type) {
	case absent:
		return types.OptionalNone
	case int:
		return goInt(v)
	case []any:
		return wrapList(v)
	default:
		return plain.Value(val)
	}
}

// wrapList wraps the items of a list that CEL cannot wrap itself.
func wrapList(list []any) ref.Val {
	for _, item := range list {
		switch item.(type) {
		case int, absent:
			items := make([]ref.Val, len(list))
			for i, item := range list {
				items[i] = wrap(item)
			}
			return types.NewRefValList(plain.Adapter{}, items)
		}
	}
	return plain.Value(list)
}

// field is the template expression x.name.
func field(x any, name string) (any, error) {
	switch v := x.(type) {
	case map[string]any:
		if val, ok := v[name]; ok {
			return val, nil
		}
		return absent{}, nil
	case absent:
		return absent{}, nil
	case nil:
		return nil, expr.Failuref(expr.CodeWrongType, "a field of null")
	default:
		return nil, expr.Failuref(expr.CodeWrongType, "a field of a value that is no map")
	}
}

// isTrue is the test that Clusterpedia makes of a rendered condition.
func isTrue(text string) bool { return strings.ToLower(strings.TrimSpace(text)) == "true" }

// maxRange bounds what a template may range over.
const maxRange = 100_000

// items are the values that range visits; keys are their indexes or map keys, in order.
func items(val any) (keys, values []any, err error) {
	switch v := val.(type) {
	case nil, absent:
		return nil, nil, nil
	case []any:
		keys = make([]any, len(v))
		for i := range v {
			keys[i] = i
		}
		return keys, v, nil
	case map[string]any:
		names := namesOf(v)
		keys, values = make([]any, len(names)), make([]any, len(names))
		for i, name := range names {
			keys[i], values[i] = name, v[name]
		}
		return keys, values, nil
	case int:
		return counted(v, func(i int) any { return i })
	case int64:
		return counted(int(v), func(i int) any { return int64(i) })
	default:
		return nil, nil, expr.Failuref(expr.CodeWrongType, "a range over a value that is no list, map or integer")
	}
}

// namesOf are the keys of a map in their order.
func namesOf(object map[string]any) []string {
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// counted are the values of a range over a number; it has no keys.
func counted(n int, value func(int) any) (keys, values []any, err error) {
	if n > maxRange {
		return nil, nil, expr.Failuref(expr.CodeTooExpensive, "a range of more than %d", maxRange)
	}
	values = make([]any, max(0, n))
	for i := range values {
		values[i] = value(i)
	}
	return nil, values, nil
}
