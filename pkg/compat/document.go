package compat

import (
	"context"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"

	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/render"
)

// Document translates the template of a PediaCluster. The YAML around the actions is parsed now; an action fills a
// scalar, or a part of one, or stands for lines whose structure is known now. A template for which that is not enough is
// text that is parsed when it is rendered. A value can never change the document's structure. The document is nil when the
// list has errors.
func Document(env *expr.Env, field, src string, schema *expr.Schema) (*render.Document, diag.List) {
	s := source{field, src}
	p, list := s.parse()
	if p == nil {
		return nil, list
	}
	if i := strings.IndexFunc(src, isMark); i >= 0 {
		return nil, diag.List{s.at(CodeUnsupported, parse.Pos(i), "private-use characters are not supported in templates")}
	}
	env, err := env.Extend(extension) // once, and not for each expression
	if err != nil {
		return nil, diag.List{s.at(expr.CodeInternal, 0, err.Error())}
	}
	doc, list := p.document(env, schema)
	if slices.ContainsFunc(list, isContext) {
		doc, list = p.textMode(env, schema, list)
	}
	return doc, p.said(list)
}

// document compiles a document whose structure is known.
func (p *parsed) document(env *expr.Env, schema *expr.Schema) (*render.Document, diag.List) {
	l := documentLanguage{parsed: p, env: env, marker: &marker{source: p.source, templates: p.templates, within: []string{rootName}}}
	w, err := l.mark(p.root.Nodes)
	if err != nil {
		return nil, p.source.refusals(err)
	}
	doc, list := render.Parse(l, l.origin(w), w.text.String(), schema)
	return doc, inTemplate(list)
}

// inTemplate makes diagnostics about YAML speak of a template.
func inTemplate(list diag.List) diag.List {
	for i, d := range list {
		switch d.Code {
		case render.CodeYAML:
			list[i].Code = CodeYAMLContext
			list[i].Message = "the YAML around the actions cannot be parsed on its own: " + strings.Map(withoutMark, d.Message)
			list[i].Hint = "write each action as a whole scalar, within one in quotes, or around whole lines"
		case render.CodeLarge:
			list[i].Code = CodeTooLarge
		case render.CodeField, render.CodeValue:
			list[i].Code, list[i].Message = CodeYAMLSchema, strings.Map(withoutMark, d.Message)
		}
	}
	return list
}

func withoutMark(r rune) rune {
	if isMark(r) {
		return '…'
	}
	return r
}

// documentLanguage is the language of a document whose actions are marked.
type documentLanguage struct {
	*marker
	marksInText

	parsed *parsed
	env    *expr.Env
	// inner, if set, lowers lines that stand within others: their scalars are parts of one expression. dot is theirs.
	inner *translator
	dot   dot
}

func (l documentLanguage) origin(w *marked) render.Origin {
	return render.Origin{Field: l.parsed.source.field, Text: l.parsed.source.text, Locate: w.locate}
}

// lowered makes a node of an expression: a program, or a part of the expression that is being made.
func (l documentLanguage) lowered(want *cel.Type, lower func(t *translator, d dot) (maker, error)) (render.Node, diag.List) {
	if l.inner != nil {
		made, err := lower(l.inner, l.dot)
		if err != nil {
			return nil, l.parsed.source.refusals(err)
		}
		return leaf{made}, nil
	}
	program, list := l.parsed.compile(l.env, want, func(t *translator) (maker, error) { return lower(t, rootDot) })
	if program == nil {
		return nil, list
	}
	return expression{program}, list
}

// expression is a scalar, or lines, with actions.
type expression struct{ program *expr.Program }

// Render implements render.Node. What is absent is null, as it is when it is printed.
func (n expression) Render(ctx context.Context, b *expr.Binding) (any, bool, error) {
	val, _, err := n.program.JSON(ctx, b)
	return val, err == nil, err
}

// Scalar implements render.Language: the text and the actions of a scalar become one expression.
func (l documentLanguage) Scalar(s render.Scalar) (render.Node, diag.List) {
	if !l.HasExpression(s.Text) {
		return nil, nil
	}
	nodes, marks := l.nodes(s.Text)
	for _, k := range marks {
		if k.lines {
			return nil, l.refuse(k, "these lines stand within a scalar")
		}
	}
	if whole := len(marks) == 1 && len(nodes) == len(marks[0].before)+1; whole && s.Plain {
		if n, list, ok := l.wholeScalar(marks[0], s.Schema); ok {
			return n, list
		}
	}
	for _, k := range marks {
		if s.Plain && printsYAML(k.node, s.Flow) {
			return nil, l.refuse(k, "what this may print is more than a part of a scalar")
		}
	}
	return l.textScalar(s, nodes, marks[0])
}

func (l documentLanguage) refuse(k mark, why string) diag.List {
	d := l.parsed.source.at(CodeYAMLContext, k.node.Position(), why)
	d.Hint = "write each action as a whole scalar, within one in quotes, or around whole lines"
	return diag.List{d}
}

// textScalar is text: trimmed if it is plain, and then what YAML makes of it in a field that needs no text.
func (l documentLanguage) textScalar(s render.Scalar, nodes []parse.Node, first mark) (render.Node, diag.List) {
	isText := s.Schema.Known() && s.Schema.Takes(expr.String)
	n, list := l.lowered(cel.DynType, func(t *translator, d dot) (maker, error) {
		text, err := t.textOf(nodes, d)
		switch {
		case !s.Plain:
			return text, err
		case isText:
			return func() celast.Expr { return t.method(text(), "trim") }, err
		default:
			return func() celast.Expr { return t.call(fnScalar, text()) }, err
		}
	})
	if !s.Plain && !s.Schema.Takes(expr.String) {
		d := l.parsed.source.at(CodeYAMLSchema, first.node.Position(), "the field needs "+s.Schema.String()+", not text")
		list = append(list, d)
	}
	return n, list
}

// wholeScalar is a plain scalar that is one action, of those that are more than text: toJson gives its argument as a
// value, quote as text, and the branches of an if are values of their own.
func (l documentLanguage) wholeScalar(k mark, schema *expr.Schema) (render.Node, diag.List, bool) {
	action, ok := k.node.(*parse.ActionNode)
	if !ok {
		if _, loop := k.node.(*parse.RangeNode); !loop && printsYAML(k.node, true) {
			n, list := l.lowered(cel.DynType, func(t *translator, d dot) (maker, error) {
				return l.linesOf(t, d, k, lineKind{schema: schema})
			})
			return n, list, true
		}
		return nil, nil, false
	}
	name, pipe, args := lastCall(action.Pipe)
	if len(args) > 0 {
		return nil, nil, false
	}
	switch {
	case isJSONFunction(name):
		n, list := l.lowered(schema.CELType(), func(t *translator, d dot) (maker, error) {
			return t.after(k.before, d, func() (maker, error) {
				v, err := t.pipe(pipe, d)
				return func() celast.Expr { return t.call(fnValue, v.make()) }, err
			})
		})
		return n, list, true
	case name == "quote" || name == "squote":
		printed := &parse.ActionNode{NodeType: parse.NodeAction, Pos: action.Pos, Line: action.Line, Pipe: pipe}
		nodes := append(append([]parse.Node{}, k.before...), printed)
		n, list := l.textScalar(render.Scalar{Schema: schema}, nodes, k)
		return n, list, true
	}
	return nil, nil, false
}

// isJSONFunction reports whether a function prints its argument as JSON.
func isJSONFunction(name string) bool {
	switch name {
	case "toJson", "toRawJson", "toPrettyJson", "mustToJson", "mustToRawJson", "mustToPrettyJson":
		return true
	}
	return false
}

// nodes turns a marked text into template nodes, after the declarations that its first action sees.
func (l documentLanguage) nodes(text string) (nodes []parse.Node, marks []mark) {
	literal := func(s string) {
		if s != "" {
			nodes = append(nodes, &parse.TextNode{NodeType: parse.NodeText, Text: []byte(s)})
		}
	}
	for {
		before, number, after, found := cutMark(text, len(l.marks))
		if !found {
			literal(before)
			return nodes, marks
		}
		k := l.marks[number]
		if len(marks) == 0 {
			nodes = append(nodes, k.before...)
		}
		literal(before)
		nodes, marks = append(nodes, k.node), append(marks, k)
		text = after
	}
}

// Key implements render.Language: a key may be text with actions.
func (l documentLanguage) Key(s render.Scalar) render.Node {
	nodes, _ := l.nodes(s.Text)
	n, list := l.lowered(cel.DynType, func(t *translator, d dot) (maker, error) {
		text, err := t.textOf(nodes, d)
		return func() celast.Expr { return t.method(text(), "trim") }, err
	})
	if list.HasErrors() {
		return nil
	}
	return n
}

// Spread implements render.Language: lines of the document.
func (l documentLanguage) Spread(s render.Scalar) (render.Node, diag.List, bool) {
	nodes, marks := l.nodes(s.Text)
	if len(marks) != 1 || !marks[0].lines || len(nodes) != len(marks[0].before)+1 {
		return nil, nil, false
	}
	kind := lineKind{schema: s.Schema, function: fnMerge}
	if marks[0].item {
		kind.function = fnConcat
	}
	n, list := l.lowered(cel.DynType, func(t *translator, d dot) (maker, error) { return l.linesOf(t, d, marks[0], kind) })
	return n, list, true
}
