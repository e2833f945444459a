package compat

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/google/cel-go/cel"

	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/render"
)

// Document translates the template of a PediaCluster. The YAML around the actions is parsed now; an action
// fills a scalar, or a part of one, and can never change the document's structure. The document is nil when the
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
	lang := &templateLanguage{env: env, source: s, parsed: p}
	doc, list := render.Parse(lang, field, lang.mark(p.root.Nodes), schema)
	return doc, lang.mended(list)
}

// templateLanguage is the language of a document whose actions are marked: each action is replaced by a mark,
// its number between two private-use characters, and the document is parsed as YAML with the marks in it.
type templateLanguage struct {
	env     *expr.Env
	source  source
	parsed  *parsed
	actions []parse.Node
	// before has the declarations that stand before each action.
	before       [][]parse.Node
	declarations []parse.Node
}

const (
	markOpen  = '\uE000'
	markClose = '\uE001'
)

func isMark(r rune) bool { return r == markOpen || r == markClose }

// mark returns the text with marks in place of the actions. Declarations at the top print nothing.
func (l *templateLanguage) mark(nodes []parse.Node) string {
	var b strings.Builder
	for _, n := range nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			b.Write(n.Text)
			continue
		case *parse.CommentNode:
			continue
		case *parse.ActionNode:
			if len(n.Pipe.Decl) > 0 {
				l.declarations = append(l.declarations, n)
				continue
			}
		}
		b.WriteRune(markOpen)
		b.WriteString(strconv.Itoa(len(l.actions)))
		b.WriteRune(markClose)
		l.actions = append(l.actions, n)
		l.before = append(l.before, slices.Clip(l.declarations))
	}
	return b.String()
}

// mended makes diagnostics about the marked text speak of the template. Positions of the marked text are not
// those of the template; the line is close enough only where no action spans lines, so none is claimed.
func (l *templateLanguage) mended(list diag.List) diag.List {
	for i, d := range list {
		if strings.ContainsFunc(d.Excerpt+d.Message, isMark) || d.Code == render.CodeYAML {
			list[i].Message = "the YAML around the actions cannot be parsed on its own: " + strings.Map(dropMark, d.Message)
			list[i].Code, list[i].Excerpt = CodeYAMLContext, strings.Map(dropMark, d.Excerpt)
			list[i].Hint = "write each action as a whole scalar or within one, in quotes"
		}
	}
	return list
}

func dropMark(r rune) rune {
	if isMark(r) {
		return '…'
	}
	return r
}

// Literal implements render.Language.
func (*templateLanguage) Literal(text string) string { return text }

// HasExpression implements render.Language.
func (*templateLanguage) HasExpression(text string) bool { return strings.ContainsFunc(text, isMark) }

// Scalar implements render.Language: the text and the actions of a scalar become one program.
func (l *templateLanguage) Scalar(s render.Scalar) (render.Node, diag.List) {
	if !l.HasExpression(s.Text) {
		return nil, nil
	}
	nodes := l.nodes(s.Text)
	program, list := l.parsed.compile(l.env, cel.StringType, func(t *translator) (maker, error) {
		return t.textOf(nodes, rootDot)
	})
	if program == nil {
		return nil, list
	}
	if s.Plain {
		return plainScalar{program, s.Schema}, list
	}
	if !s.Schema.Takes(expr.String) {
		list = append(list, l.source.at(render.CodeValue, nodes[0].Position(), "the field needs "+s.Schema.String()+", not text"))
	}
	return textScalar{program}, list
}

// nodes turns a marked scalar into template nodes, after the declarations that its first action sees.
func (l *templateLanguage) nodes(text string) []parse.Node {
	var out []parse.Node
	literal := func(s string) {
		if s != "" {
			out = append(out, &parse.TextNode{NodeType: parse.NodeText, Text: []byte(s)})
		}
	}
	for {
		before, rest, found := strings.Cut(text, string(markOpen))
		if !found {
			literal(text)
			return out
		}
		number, after, _ := strings.Cut(rest, string(markClose))
		index, err := strconv.Atoi(number)
		if err != nil || index >= len(l.actions) {
			return out
		}
		if len(out) == 0 {
			out = append(out, l.before[index]...)
		}
		literal(before)
		out = append(out, l.actions[index])
		text = after
	}
}

// textScalar is a quoted or block scalar.
type textScalar struct{ program *expr.Program }

// Render implements render.Node.
func (n textScalar) Render(ctx context.Context, b *expr.Binding) (any, bool, error) {
	text, err := n.program.Text(ctx, b)
	return text, err == nil, err
}

// plainScalar is a scalar without quotes: text in a field that needs text, else the bool, integer or null that
// YAML makes of it.
type plainScalar struct {
	program *expr.Program
	schema  *expr.Schema
}

// Render implements render.Node.
func (n plainScalar) Render(ctx context.Context, b *expr.Binding) (any, bool, error) {
	text, err := n.program.Text(ctx, b)
	if err != nil {
		return nil, false, err
	}
	text = strings.TrimSpace(text)
	if n.schema.Known() && n.schema.Takes(expr.String) {
		return text, true, nil
	}
	return scalarValue(text), true, nil
}

func scalarValue(text string) any {
	switch text {
	case "", "null", "~":
		return nil
	case "true", "True", "TRUE":
		return true
	case "false", "False", "FALSE":
		return false
	}
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i
	}
	return text
}
