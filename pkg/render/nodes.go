package render

import (
	"context"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

// fixed is a value that stands in the document.
type fixed struct{ val any }

func (f fixed) Render(context.Context, *expr.Binding) (any, bool, error) { return f.val, true, nil }

// value is a scalar that is exactly one ${…}.
type value struct{ program *expr.Program }

func (v value) Render(ctx context.Context, b *expr.Binding) (any, bool, error) {
	return v.program.JSON(ctx, b)
}

// interpolation is a scalar with text around its ${…}.
type interpolation struct{ text *Text }

func (i interpolation) Render(ctx context.Context, b *expr.Binding) (any, bool, error) {
	text, err := i.text.Text(ctx, b)
	return text, err == nil, err
}

// mapping is an object; entries keep the order of the document so that the first error is always the same.
type mapping struct{ entries []entry }

type entry struct {
	key   string
	value Node
}

// fold returns a mapping without expressions as what it always gives.
func (m *mapping) fold() Node {
	object := make(map[string]any, len(m.entries))
	for _, e := range m.entries {
		part, ok := e.value.(fixed)
		if !ok {
			return m
		}
		object[e.key] = part.val
	}
	return fixed{object}
}

// Render implements Node.
func (m *mapping) Render(ctx context.Context, b *expr.Binding) (any, bool, error) {
	out := make(map[string]any, len(m.entries))
	for _, e := range m.entries {
		val, present, err := e.value.Render(ctx, b)
		if err != nil {
			return nil, false, err
		}
		if present {
			out[e.key] = val
		}
	}
	return out, true, nil
}

// sequence is a list.
type sequence struct{ items []Node }

// fold returns a sequence without expressions as what it always gives.
func (s *sequence) fold() Node {
	list := make([]any, 0, len(s.items))
	for _, item := range s.items {
		part, ok := item.(fixed)
		if !ok {
			return s
		}
		list = append(list, part.val)
	}
	return fixed{list}
}

// Render implements Node.
func (s *sequence) Render(ctx context.Context, b *expr.Binding) (any, bool, error) {
	out := make([]any, 0, len(s.items))
	for _, item := range s.items {
		val, present, err := item.Render(ctx, b)
		if err != nil {
			return nil, false, err
		}
		if present {
			out = append(out, val)
		}
	}
	return out, true, nil
}
