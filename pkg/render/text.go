package render

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/cel-go/cel"

	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// Text is a compiled text with ${…}. It is immutable and safe for concurrent use.
type Text struct {
	segments []segment
}

// segment is literal text or, when program is set, an expression.
type segment struct {
	literal string
	program *expr.Program
}

// origin says where a scanned text stands in its field: for a whole field at offset 0, for a scalar of a YAML
// document somewhere within.
type origin struct {
	field, text string
	// locate turns an offset of the scanned text and the expression there into an offset of the field's text.
	locate func(offset int, expression string) int
	// left is how many more expressions the field may have.
	left *int
}

// maxExpressions is how many expressions a field may have, each of which takes some hundred microseconds to compile.
const maxExpressions = 500

// maxText is how long a text may be, in bytes.
const maxText = 1 << 20

// ParseText compiles the text of a field.
func ParseText(env *expr.Env, field, src string) (*Text, diag.List) {
	left := maxExpressions
	o := origin{field: field, text: src, locate: func(offset int, _ string) int { return offset }, left: &left}
	pieces, list := o.scan(src)
	if list.HasErrors() {
		return nil, list
	}
	t, list := o.compileText(env, pieces)
	if list.HasErrors() {
		return nil, list
	}
	return t, list
}

func (o origin) scan(text string) ([]piece, diag.List) {
	pieces, unterminated := scan(text)
	if unterminated < 0 {
		return pieces, nil
	}
	d := diag.At(diag.Error, CodeUnterminated, o.field, o.text, o.locate(unterminated, "${"), "the ${ has no }")
	d.Hint = "end the expression with }, or write $${ for a literal ${"
	return nil, diag.List{d}
}

func (o origin) compileText(env *expr.Env, pieces []piece) (*Text, diag.List) {
	t := &Text{}
	var list diag.List
	for _, p := range pieces {
		if !p.expr {
			t.segments = append(t.segments, segment{literal: p.text})
			continue
		}
		program, found := o.compile(env, p, cel.DynType)
		list = append(list, found...)
		if program == nil {
			continue
		}
		if kind := program.Type().Kind(); kind == cel.ListKind || kind == cel.MapKind || kind == cel.StructKind {
			list = append(list, diag.At(diag.Error, expr.CodeResult, o.field, o.text, o.locate(p.offset, p.text),
				"an expression within text must give text, a number or a bool, not "+cel.FormatCELType(program.Type())))
		}
		t.segments = append(t.segments, segment{program: program})
	}
	return t, list
}

// compile compiles an expression. The first that is too many is said, and the others are not compiled.
func (o origin) compile(env *expr.Env, p piece, want *cel.Type) (*expr.Program, diag.List) {
	switch *o.left--; {
	case *o.left == -1:
		message := fmt.Sprintf("the field has more than %d expressions", maxExpressions)
		return nil, diag.List{diag.At(diag.Error, CodeLarge, o.field, o.text, o.locate(p.offset, p.text), message)}
	case *o.left < 0:
		return nil, nil
	}
	return env.Compile(expr.Source{
		Field: o.field, Text: o.text, Offset: o.locate(p.offset, p.text), Expr: p.text,
	}, want)
}

// Text evaluates the expressions and returns the whole text, of a mebibyte at most. The error is that of the first
// expression that fails; see expr.Program.Eval.
func (t *Text) Text(ctx context.Context, b *expr.Binding) (string, error) {
	// A name has few parts: they need no memory but the result's.
	var few [8]string
	parts, size := few[:0], 0
	for _, s := range t.segments {
		part := s.literal
		if s.program != nil {
			var err error
			if part, err = s.program.Text(ctx, b); err != nil {
				return "", err
			}
			if size += len(part); size > maxText {
				return "", s.program.Fail(expr.Failuref(expr.CodeTooExpensive, "the text is too large"))
			}
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ""), nil
}

// Literal returns the text of a Text without expressions.
func (t *Text) Literal() (string, bool) {
	switch len(t.segments) {
	case 0:
		return "", true
	case 1:
		return t.segments[0].literal, t.segments[0].program == nil
	default:
		return "", false
	}
}
