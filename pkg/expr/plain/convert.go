package plain

import (
	"cmp"
	"encoding/base64"
	"math"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// Error says why a CEL value has no JSON form. All errors are constants, so that none can hold a value that was read.
type Error string

// Error implements error.
func (e Error) Error() string { return string(e) }

// Errors of FromCEL.
const (
	ErrNoJSON Error = "the value has no JSON form"
	ErrKey    Error = "the keys of an object must be strings"
	ErrNumber Error = "a number does not fit in 64 bits"

	ErrTooLong Error = "the text is too long"
	ErrTooDeep Error = "the value is nested too deeply"
	ErrTooMany Error = "there are too many values"
)

// Limits bound a converted value.
type Limits struct {
	// Values is how many values it may have in all, Bytes how much text, and Depth how many lists and objects may
	// stand in each other.
	Values, Bytes, Depth int
}

// FromCEL turns a CEL value into a JSON value: nil, bool, int64, float64, string, []any or map[string]any. Bytes become
// base64, a timestamp RFC 3339, a duration the text that Kubernetes has for it; an optional without a value drops
// its key or item, and as the whole value is not present. Objects and lists that an expression did not make are
// those that it read, and must only be read. The error is an Error.
func FromCEL(val ref.Val, within Limits) (value any, present bool, err error) {
	c := converter{left: within}
	if value, present, err = c.convert(val, 0); err != nil {
		return nil, false, err
	}
	return value, present, nil
}

// Within reports whether a JSON value is within limits. The error is an Error.
func Within(value any, limits Limits) error {
	if text, ok := value.(string); ok && len(text) <= limits.Bytes && limits.Values > 0 {
		return nil // the usual leaf of a document
	}
	c := converter{left: limits}
	return cmp.Or(c.count(), c.measure(value, 0))
}

// converter counts down what a value may still hold.
type converter struct{ left Limits }

//nolint:cyclop // one case for each kind of value
func (c *converter) convert(val ref.Val, depth int) (any, bool, error) {
	if err := c.count(); err != nil {
		return nil, false, err
	}
	switch v := val.(type) {
	case types.String:
		return string(v), true, c.text(len(v))
	case types.Bool:
		return bool(v), true, nil
	case types.Int:
		return int64(v), true, nil
	case types.Uint:
		if uint64(v) > math.MaxInt64 {
			return nil, false, ErrNumber
		}
		return int64(v), true, nil //nolint:gosec // bounded above
	case types.Double:
		if f := float64(v); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f, true, nil
		}
		return nil, false, ErrNoJSON
	case types.Null:
		return nil, true, nil
	case *object:
		return v.fields, true, c.measure(v.fields, depth)
	case *list:
		return v.items, true, c.measure(v.items, depth)
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
	return c.scalar(val)
}

// scalar converts what JSON has as text.
func (c *converter) scalar(val ref.Val) (any, bool, error) {
	var text string
	switch v := val.(type) {
	case types.Bytes:
		text = base64.StdEncoding.EncodeToString(v)
	case types.Timestamp:
		text = v.UTC().Format(time.RFC3339Nano)
	case types.Duration:
		text = v.String()
	default:
		return nil, false, ErrNoJSON
	}
	return text, true, c.text(len(text))
}

func (c *converter) count() error {
	if c.left.Values--; c.left.Values < 0 {
		return ErrTooMany
	}
	return nil
}

// enter is called for a list or object that stands in depth others.
func (c *converter) enter(depth int) error {
	if depth >= c.left.Depth {
		return ErrTooDeep
	}
	return nil
}

func (c *converter) text(size int) error {
	if c.left.Bytes -= size; c.left.Bytes < 0 {
		return ErrTooLong
	}
	return nil
}

func (c *converter) list(l traits.Lister, depth int) (any, bool, error) {
	if err := c.enter(depth); err != nil {
		return nil, false, err
	}
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
	if err := c.enter(depth); err != nil {
		return nil, false, err
	}
	out := map[string]any{}
	for it := m.Iterator(); it.HasNext() == types.True; {
		key, ok := it.Next().(types.String)
		if !ok {
			return nil, false, ErrKey
		}
		if err := c.text(len(key)); err != nil {
			return nil, false, err
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

// measure counts what stands in a JSON value that is given back as it is.
func (c *converter) measure(value any, depth int) error {
	switch v := value.(type) {
	case string:
		return c.text(len(v))
	case []any:
		if err := c.enter(depth); err != nil {
			return err
		}
		for _, item := range v {
			if err := cmp.Or(c.count(), c.measure(item, depth+1)); err != nil {
				return err
			}
		}
	case map[string]any:
		if err := c.enter(depth); err != nil {
			return err
		}
		for key, item := range v {
			if err := cmp.Or(c.count(), c.text(len(key)), c.measure(item, depth+1)); err != nil {
				return err
			}
		}
	}
	return nil
}
