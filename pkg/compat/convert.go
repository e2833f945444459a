package compat

import (
	"strings"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/parser"

	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/render"
)

// Conversion is the text of a field as a person would have written it in CEL. It gives what the template gives if the
// assumptions hold.
type Conversion struct {
	Text        string
	Assumptions []Assumption
	// Notes say what the template does although it may not be meant, and what to write instead.
	Notes []string
}

// ConvertText converts the template of a name or namespace. The conversion is nil if the template has no such form: the
// list says why, and the template can stay as it is.
func ConvertText(env *expr.Env, field, src string) (*Conversion, diag.List) {
	return convert(env, source{field, src}, func(c *converter) (string, diag.List) {
		text, err := c.text(func(t *translator) (maker, error) { return t.textOf(c.parsed.root.Nodes, rootDot) })
		if err != nil {
			return "", c.parsed.source.refusals(err)
		}
		_, list := render.ParseText(env, field, text)
		return text, list
	})
}

// ConvertCondition converts the template of a condition; see ConvertText.
func ConvertCondition(env *expr.Env, field, src string) (*Conversion, diag.List) {
	return convert(env, source{field, src}, func(c *converter) (string, diag.List) {
		root, err := c.lower(func(t *translator) (maker, error) { return t.one(c.parsed.root.Nodes, rootDot) })
		if err != nil {
			return "", c.parsed.source.refusals(err)
		}
		text, err := root.wrapped()
		if err != nil {
			return "", c.parsed.source.refusals(err)
		}
		_, list := env.Compile(expr.Whole(field, text), cel.BoolType)
		return text, list
	})
}

// converter converts one field.
type converter struct {
	parsed  *parsed
	env     *expr.Env
	assumed []Assumption
	notes   []string
}

// convert makes the conversion of a field: do gives its text, and what is wrong with that text in CEL.
func convert(env *expr.Env, s source, do func(c *converter) (string, diag.List)) (*Conversion, diag.List) {
	p, list := s.parse()
	if p == nil {
		return nil, list
	}
	c := &converter{parsed: p, env: env}
	text, list := do(c)
	switch {
	case text == "" && list.HasErrors():
		return nil, list
	case list.HasErrors():
		d := s.at(CodeNative, 0, "its form in CEL does not compile: "+list[0].Message)
		return nil, diag.List{d}
	}
	return &Conversion{Text: text, Assumptions: c.assumed, Notes: c.notes}, nil
}

// lowered is an expression and where its parts come from.
type lowered struct {
	root    celast.Expr
	builder *builder
}

// lower makes the expression of a part of the field.
func (c *converter) lower(lower func(*translator) (maker, error)) (lowered, error) {
	t := c.parsed.translator(c.env.Scope())
	t.low = idiomatic{t.builder, &c.assumed, &c.notes}
	var root celast.Expr
	_, err := t.translate(func(t *translator) (maker, error) {
		made, err := lower(t)
		if err != nil {
			return nil, err
		}
		return func() celast.Expr {
			root = made()
			return root
		}, nil
	})
	return lowered{root, t.builder}, err
}

// print prints an expression in one line.
func (l lowered) print(e celast.Expr) (string, error) {
	return parser.Unparse(e, l.builder.info, oneLine)
}

// lineLength is how long a line of a condition may be.
const lineLength = 100

// wrapped is an expression with a line for each operand of its && if it is long.
func (l lowered) wrapped() (string, error) {
	text, err := l.print(l.root)
	if err != nil || len(text) <= lineLength {
		return text, err
	}
	var lines []string
	for _, operand := range operands(l.root) {
		line, err := l.print(operand)
		if err != nil {
			return "", err
		}
		if operand.Kind() == celast.CallKind {
			switch operand.AsCall().FunctionName() {
			case operators.LogicalOr, operators.Conditional:
				line = "(" + line + ")"
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, " &&\n"), nil
}

// operands are those of &&.
func operands(e celast.Expr) []celast.Expr {
	if e.Kind() != celast.CallKind || e.AsCall().FunctionName() != operators.LogicalAnd {
		return []celast.Expr{e}
	}
	args := e.AsCall().Args()
	return append(operands(args[0]), operands(args[1])...)
}

// text makes text with ${…} of an expression that gives text.
func (c *converter) text(lower func(*translator) (maker, error)) (string, error) {
	l, err := c.lower(lower)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	all := parts(l.root)
	for i, part := range all {
		if literal, ok := textOf(part); ok {
			b.WriteString(escaped(literal, i+1 < len(all)))
			continue
		}
		text, err := l.print(part)
		if err != nil {
			return "", err
		}
		b.WriteString("${" + text + "}")
	}
	return b.String(), nil
}

// escaped is a literal among ${…}: $${ stands for ${, and a dollar in front of an expression is one itself.
func escaped(literal string, before bool) string {
	literal = strings.ReplaceAll(literal, "${", "$${")
	if before && strings.HasSuffix(literal, "$") {
		literal = strings.TrimSuffix(literal, "$") + `${"$"}`
	}
	return literal
}

// parts takes text apart into literals and what stands between them: there, absent values are no text and need no
// conversion.
func parts(e celast.Expr) []celast.Expr {
	if e.Kind() == celast.CallKind && e.AsCall().FunctionName() == operators.Add {
		var out []celast.Expr
		for _, arg := range e.AsCall().Args() {
			out = append(out, parts(arg)...)
		}
		return out
	}
	return []celast.Expr{bare(e)}
}

// bare takes string(), dyn() and orValue("") from an expression.
func bare(e celast.Expr) celast.Expr {
	if e.Kind() != celast.CallKind {
		return e
	}
	switch call := e.AsCall(); {
	case (call.FunctionName() == "string" || call.FunctionName() == "dyn") && !call.IsMemberFunction():
		return bare(call.Args()[0])
	case call.FunctionName() == "orValue" && isLiteral(call.Args()[0], types.String("")):
		return call.Target()
	}
	return e
}
