// Package hostile owns the Go templates that try to take time or memory, the objects that they are evaluated with, and
// what stops each. The test of this package asserts the code, the cost and the bytes, test/bench the time. It refuses to
// own the limits themselves, which are those of pkg/compat and pkg/expr.
package hostile

import (
	"context"
	"fmt"
	"strings"

	"github.com/clusterimport/clusterimport/pkg/compat"
	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// Bounds of refusing or stopping a template.
const (
	// Bytes is what translating it, and what evaluating it, may allocate in all.
	Bytes = 32 << 20
	// Cost is what an evaluation may cost, in units of package expr.
	Cost = 1_000_000
)

// Form is how a template is used.
type Form string

// The forms: a name, a condition, a scalar of a document in quotes, lines of a document, and a document of its own.
const (
	Text      Form = "text"
	Condition Form = "condition"
	Scalar    Form = "scalar"
	Lines     Form = "lines"
	Document  Form = "document"
)

// Template is a hostile template.
type Template struct {
	Text string
	// Stops are the codes of the diagnostics or errors that stop it, by the forms that it is used in. It is evaluated to
	// its end where the code is empty.
	Stops map[Form]diag.Code
	// Costs is what an evaluation to its end costs at least, as it works on so much.
	Costs int
}

// Evaluation evaluates a translated template. What it gives is dropped.
type Evaluation func(ctx context.Context, b *expr.Binding) error

// Translate translates a template for a form. The evaluation is nil when the list has errors.
func (f Form) Translate(env *expr.Env, template string) (Evaluation, diag.List) {
	switch f {
	case Text:
		p, list := compat.Text(env, "f", template)
		if p == nil {
			return nil, list
		}
		return func(ctx context.Context, b *expr.Binding) error {
			_, err := p.Text(ctx, b)
			return err
		}, list
	case Condition:
		p, list := compat.Condition(env, "f", template)
		if p == nil {
			return nil, list
		}
		return func(ctx context.Context, b *expr.Binding) error {
			_, err := p.Bool(ctx, b)
			return err
		}, list
	case Scalar:
		template = "spec:\n  server: \"" + template + "\"\n"
	case Lines:
		template = "spec:\n" + template + "\n"
	case Document:
	}
	d, list := compat.Document(env, "f", template, shape())
	if d == nil {
		return nil, list
	}
	return func(ctx context.Context, b *expr.Binding) error {
		_, err := d.Render(ctx, b)
		return err
	}, list
}

// shape is that of the documents.
func shape() *expr.Schema {
	text := &expr.Schema{Kind: expr.String}
	return &expr.Schema{Kind: expr.Object, Fields: map[string]*expr.Schema{
		"spec": {Kind: expr.Object, Fields: map[string]*expr.Schema{
			"server": text, "flag": {Kind: expr.Bool}, "any": {}, "items": {Kind: expr.List, Elem: text},
			"labels": {Kind: expr.Map, Elem: text},
		}},
	}}
}

// Source is the object that the templates see: source.list and source.map have a thousand items, source.some a hundred
// objects, source.big and source.same a megabyte of text each, source.part ten kilobytes. source.a is an empty object.
func Source() map[string]any {
	list, object, some := make([]any, 1000), map[string]any{}, make([]any, 100)
	for i := range list {
		list[i] = fmt.Sprintf("item-%d", i)
		object[fmt.Sprintf("key-%d", i)] = "value"
	}
	for i := range some {
		some[i] = map[string]any{"name": fmt.Sprintf("some-%d", i), "value": strings.Repeat("v", 200)}
	}
	big := strings.Repeat("ab", 500_000)
	return map[string]any{
		"a": map[string]any{}, "list": list, "map": object, "some": some,
		"big": big, "same": strings.Clone(big), "part": big[:10_000],
		"pattern": "(?i)" + strings.Repeat(`[B-\x{10FFFF}]`, 200),
	}
}

// refused is the code of what is refused in any form.
func refused(code diag.Code) map[Form]diag.Code {
	return map[Form]diag.Code{Text: code, Condition: code, Scalar: code, Lines: code}
}

// always is the code of what ends alike as a text, as a condition and in a scalar.
func always(code diag.Code) map[Form]diag.Code {
	return map[Form]diag.Code{Text: code, Condition: code, Scalar: code}
}

// whole is the code of a document.
func whole(code diag.Code) map[Form]diag.Code { return map[Form]diag.Code{Document: code} }
