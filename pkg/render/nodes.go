package render

import (
	"context"
	"maps"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

// Node gives one value of a document. It is immutable and safe for concurrent use.
type Node interface {
	// Render returns the JSON value; present is false for an optional without a value, which leaves out its
	// key or item.
	Render(ctx context.Context, b *expr.Binding) (value any, present bool, err error)
}

// Fixed is a value without expressions. It is shared by all rendered documents, which must only be read.
type Fixed struct{ Value any }

// Render implements Node.
func (f Fixed) Render(context.Context, *expr.Binding) (any, bool, error) { return f.Value, true, nil }

// value is an expression that is a whole scalar.
type value struct{ program *expr.Program }

// Render implements Node.
func (v value) Render(ctx context.Context, b *expr.Binding) (any, bool, error) {
	return v.program.JSON(ctx, b)
}

// interpolation is text with expressions in it.
type interpolation struct{ text *Text }

// Render implements Node.
func (i interpolation) Render(ctx context.Context, b *expr.Binding) (any, bool, error) {
	text, err := i.text.Text(ctx, b)
	return text, err == nil, err
}

// Mapping is an object.
type Mapping struct{ Entries []Entry }

// Entry is a field of an object or, when Spread is set, a value that is an object whose fields all become fields; null
// has none. Computed, when set, gives the key.
type Entry struct {
	Key      string
	Computed Node
	Value    Node
	Spread   bool
}

// spreadOnly reports whether all there is comes from values: where these have nothing, there is null.
func (m *Mapping) spreadOnly() bool {
	for _, e := range m.Entries {
		if !e.Spread {
			return false
		}
	}
	return len(m.Entries) > 0
}

// fold turns a mapping without expressions into a Fixed.
func (m *Mapping) fold() Node {
	object := make(map[string]any, len(m.Entries))
	for _, e := range m.Entries {
		part, ok := e.Value.(Fixed)
		if !ok || e.Spread || e.Computed != nil {
			return m
		}
		object[e.Key] = part.Value
	}
	return Fixed{object}
}

// Render implements Node.
func (m *Mapping) Render(ctx context.Context, b *expr.Binding) (any, bool, error) {
	out := make(map[string]any, len(m.Entries))
	for _, e := range m.Entries {
		key := e.Key
		if e.Computed != nil {
			computed, _, err := e.Computed.Render(ctx, b)
			if err != nil {
				return nil, false, err
			}
			key, _ = computed.(string)
		}
		val, present, err := e.Value.Render(ctx, b)
		if err != nil {
			return nil, false, err
		}
		if e.Spread {
			fields, _ := val.(map[string]any)
			maps.Copy(out, fields)
		} else if present {
			out[key] = val
		}
	}
	if len(out) == 0 && m.spreadOnly() {
		return nil, true, nil
	}
	return out, true, nil
}

// Sequence is a list.
type Sequence struct{ Items []Item }

// Item is an item of a list or, when Spread is set, a value that is a list whose items all become items; null has none.
type Item struct {
	Value  Node
	Spread bool
}

func (s *Sequence) spreadOnly() bool {
	for _, item := range s.Items {
		if !item.Spread {
			return false
		}
	}
	return len(s.Items) > 0
}

// fold turns a sequence without expressions into a Fixed.
func (s *Sequence) fold() Node {
	list := make([]any, 0, len(s.Items))
	for _, item := range s.Items {
		part, ok := item.Value.(Fixed)
		if !ok || item.Spread {
			return s
		}
		list = append(list, part.Value)
	}
	return Fixed{list}
}

// Render implements Node.
func (s *Sequence) Render(ctx context.Context, b *expr.Binding) (any, bool, error) {
	out := make([]any, 0, len(s.Items))
	for _, item := range s.Items {
		val, present, err := item.Value.Render(ctx, b)
		if err != nil {
			return nil, false, err
		}
		if item.Spread {
			items, _ := val.([]any)
			out = append(out, items...)
		} else if present {
			out = append(out, val)
		}
	}
	if len(out) == 0 && s.spreadOnly() {
		return nil, true, nil
	}
	return out, true, nil
}
