package render

import (
	"strings"

	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// celLanguage is CEL in ${…}.
type celLanguage struct {
	env         *expr.Env
	field, text string
	places      *places
	// left is how many more expressions the document may have.
	left *int
}

// Scalar implements Language: exactly one ${…} takes the expression's value and type, other text with ${…} is
// a string.
func (l celLanguage) Scalar(s Scalar) (Node, diag.List) {
	o := l.origin(s)
	pieces, list := o.scan(s.Text)
	switch {
	case list.HasErrors():
		return nil, list
	case len(pieces) == 1 && pieces[0].expr:
		program, list := o.compile(l.env, pieces[0], s.Schema.CELType())
		return value{program}, list
	case len(pieces) <= 1:
		return nil, nil
	}
	text, list := o.compileText(l.env, pieces)
	if !s.Schema.Takes(expr.String) {
		list = append(list, diag.AtLine(diag.Error, CodeValue, l.field, l.text, s.Line, s.Column,
			"the field needs "+s.Schema.String()+", not text"))
	}
	return interpolation{text}, list
}

// Literal implements Language: $${ is a literal ${.
func (celLanguage) Literal(text string) string { return strings.ReplaceAll(text, "$${", "${") }

// HasExpression implements Language.
func (celLanguage) HasExpression(text string) bool {
	return strings.Contains(strings.ReplaceAll(text, "$${", ""), "${")
}

// Key implements Language: a key has no expressions.
func (celLanguage) Key(Scalar) Node { return nil }

// Spread implements Language: an expression stands in a scalar.
func (celLanguage) Spread(Scalar) (Node, diag.List, bool) { return nil, nil, false }

// origin finds expressions of a scalar in the field's text, so that diagnostics point at them.
func (l celLanguage) origin(s Scalar) origin {
	return origin{field: l.field, text: l.text, left: l.left, locate: func(_ int, expression string) int {
		from := l.places.of(s.Line, s.Column)
		return from + max(0, strings.Index(l.text[from:], expression))
	}}
}
