package plain

import (
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// Adapter is the types.Adapter of JSON values. What is none is left to CEL's own adapter.
type Adapter struct{}

// NativeToValue implements types.Adapter.
func (Adapter) NativeToValue(value any) ref.Val { return Value(value) }

// Value is a JSON value as CEL sees it. Lists and objects alias it.
func Value(value any) ref.Val {
	switch v := value.(type) {
	case string:
		return types.String(v)
	case map[string]any:
		return &object{v}
	case []any:
		return &list{v}
	case bool:
		return types.Bool(v)
	case int64:
		return types.Int(v)
	case float64:
		return types.Double(v)
	case nil:
		return types.NullValue
	default:
		return types.DefaultTypeAdapter.NativeToValue(value)
	}
}

// sameText reports whether a JSON value is that text.
func sameText(value any, text types.String) bool {
	s, ok := value.(string)
	return ok && s == string(text)
}

// Read reports whether a CEL value is a JSON list or object that was read, and not made by an expression.
func Read(val ref.Val) bool {
	switch val.(type) {
	case *object, *list:
		return true
	default:
		return false
	}
}
