package library

import (
	"encoding/base64"
	"math"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

const (
	errNoJSON Error = "the value has no JSON form"
	errKey    Error = "the keys of an object must be strings"
)

// toPlain turns a CEL value into plain JSON values within the limits of a document and a length of text.
func toPlain(val ref.Val, length int) (any, error) {
	p := plainer{values: maxValues, bytes: length}
	plain, present, err := p.value(val, 0)
	if err == nil && !present {
		return nil, errNoJSON
	}
	return plain, err
}

// plainer converts values and counts down what may still come. Bytes become base64, a timestamp RFC 3339, a duration
// the text that Kubernetes has for it, and an optional without a value drops its key or item. NaN, infinities and
// the types of the Kubernetes libraries, such as quantities, have no JSON form.
type plainer struct {
	values, bytes int
}

//nolint:cyclop // one case for each kind of value
func (p *plainer) value(val ref.Val, depth int) (plain any, present bool, err error) {
	if p.values--; p.values < 0 {
		return nil, false, errTooMany
	}
	switch v := val.(type) {
	case types.Null:
		return nil, true, nil
	case types.Bool:
		return bool(v), true, nil
	case types.Int:
		return int64(v), true, nil
	case types.Uint:
		return uint64(v), true, nil
	case types.Double:
		if f := float64(v); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f, true, nil
		}
	case types.String:
		return p.text(string(v))
	case types.Bytes:
		return p.text(base64.StdEncoding.EncodeToString(v))
	case types.Timestamp:
		return p.text(v.UTC().Format(time.RFC3339Nano))
	case types.Duration:
		return p.text(v.String())
	case *types.Optional:
		if !v.HasValue() {
			return nil, false, nil
		}
		return p.value(v.GetValue(), depth)
	case traits.Mapper:
		return p.object(v, depth+1)
	case traits.Lister:
		return p.list(v, depth+1)
	}
	return nil, false, errNoJSON
}

func (p *plainer) text(text string) (any, bool, error) {
	if p.bytes -= len(text); p.bytes < 0 {
		return nil, false, errTooLong
	}
	return text, true, nil
}

func (p *plainer) list(l traits.Lister, depth int) (any, bool, error) {
	if depth > maxDepth {
		return nil, false, errTooDeep
	}
	list := []any{}
	for it := l.Iterator(); it.HasNext() == types.True; {
		item, present, err := p.value(it.Next(), depth)
		if err != nil {
			return nil, false, err
		}
		if present {
			list = append(list, item)
		}
	}
	return list, true, nil
}

func (p *plainer) object(m traits.Mapper, depth int) (any, bool, error) {
	if depth > maxDepth {
		return nil, false, errTooDeep
	}
	object := map[string]any{}
	for it := m.Iterator(); it.HasNext() == types.True; {
		key, ok := it.Next().(types.String)
		if !ok {
			return nil, false, errKey
		}
		if p.bytes -= len(key); p.bytes < 0 {
			return nil, false, errTooLong
		}
		value, present, err := p.value(m.Get(key), depth)
		if err != nil {
			return nil, false, err
		}
		if present {
			object[string(key)] = value
		}
	}
	return object, true, nil
}
