package expr

import (
	"encoding/base64"
	"math"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// toJSON turns a CEL value into a JSON value within the limits of a result.
func toJSON(val ref.Val) (value any, present bool, err error) {
	c := converter{nodes: maxResultNodes, bytes: maxResultBytes}
	return c.convert(val, 0)
}

// converter counts down what a result may still hold.
type converter struct {
	nodes, bytes int
}

//nolint:cyclop // one case for each kind of value
func (c *converter) convert(val ref.Val, depth int) (any, bool, error) {
	if c.nodes--; c.nodes < 0 || depth > maxResultDepth {
		return nil, false, errTooLarge
	}
	switch v := val.(type) {
	case types.Null:
		return nil, true, nil
	case types.Bool:
		return bool(v), true, nil
	case types.String:
		return c.text(string(v))
	case types.Int:
		return int64(v), true, nil
	case types.Uint:
		if uint64(v) > math.MaxInt64 {
			return nil, false, Failuref(CodeArithmetic, "an unsigned integer does not fit in 64 signed bits")
		}
		return int64(v), true, nil //nolint:gosec // bounded above
	case types.Double:
		if f := float64(v); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f, true, nil
		}
		return nil, false, Failuref(CodeArithmetic, "JSON has no infinite number and no NaN")
	case types.Bytes:
		return c.text(base64.StdEncoding.EncodeToString(v))
	case types.Timestamp:
		return c.text(v.UTC().Format(time.RFC3339))
	case types.Duration:
		return c.text(v.String())
	case *types.Optional:
		if !v.HasValue() {
			return nil, false, nil
		}
		return c.convert(v.GetValue(), depth)
	case traits.Mapper:
		return c.object(v, depth)
	case traits.Lister:
		return c.list(v, depth)
	}
	return nil, false, Failuref(CodeWrongType, "a value of type %s has no JSON form", val.Type().TypeName())
}

var errTooLarge = Failuref(CodeTooExpensive, "the result is too large")

func (c *converter) text(s string) (any, bool, error) {
	if c.bytes -= len(s); c.bytes < 0 {
		return nil, false, errTooLarge
	}
	return s, true, nil
}

func (c *converter) list(l traits.Lister, depth int) (any, bool, error) {
	out := []any{}
	for it := l.Iterator(); it.HasNext() == types.True; {
		item, present, err := c.convert(it.Next(), depth+1)
		if err != nil {
			return nil, false, err
		}
		if present {
			out = append(out, item)
		}
	}
	return out, true, nil
}

func (c *converter) object(m traits.Mapper, depth int) (any, bool, error) {
	out := map[string]any{}
	for it := m.Iterator(); it.HasNext() == types.True; {
		key, ok := it.Next().(types.String)
		if !ok {
			return nil, false, Failuref(CodeWrongType, "a JSON object has keys of type string only")
		}
		if c.bytes -= len(key); c.bytes < 0 {
			return nil, false, errTooLarge
		}
		value, present, err := c.convert(m.Get(key), depth+1)
		if err != nil {
			return nil, false, err
		}
		if present {
			out[string(key)] = value
		}
	}
	return out, true, nil
}
