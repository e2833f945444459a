package compat

import (
	"bytes"
	"slices"
	"strings"
	"text/template/parse"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	yamlv3 "go.yaml.in/yaml/v3"

	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/render"
)

// ConvertDocument converts the template of a PediaCluster; see ConvertText. Comments and the order of keys stay, the
// indentation becomes two spaces.
func ConvertDocument(env *expr.Env, field, src string, schema *expr.Schema) (*Conversion, diag.List) {
	return convert(env, source{field, src}, func(c *converter) (string, diag.List) {
		if _, list := c.parsed.document(env, schema); slices.ContainsFunc(list, isContext) {
			d := list[slices.IndexFunc(list, isContext)]
			d.Code, d.Message = CodeNative, d.Message+", and CEL stands in scalars"
			return "", diag.List{d}
		}
		text, err := c.document(schema)
		if err != nil {
			return "", c.parsed.source.refusals(err)
		}
		_, list := render.ParseDocument(env, field, text, schema)
		return text, list
	})
}

// document is the template's YAML with ${…} in its scalars.
func (c *converter) document(schema *expr.Schema) (string, error) {
	p := c.parsed
	l := documentLanguage{parsed: p, env: c.env, marker: &marker{source: p.source, templates: p.templates, within: []string{rootName}}}
	d := &documentConverter{converter: c, language: l}
	root, err := d.yaml(p.root.Nodes)
	if err != nil {
		return "", err
	}
	if err := d.node(root, schema, nil); err != nil {
		return "", err
	}
	var out bytes.Buffer
	encoder := yamlv3.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(root); err != nil {
		return "", err
	}
	return out.String(), nil
}

// documentConverter replaces the marks of a document by expressions.
type documentConverter struct {
	*converter

	language documentLanguage
}

// around makes the expression of a leaf from that of its text: it puts a condition around it.
type around func(t *translator, text lowerNodes, nodes []parse.Node) (maker, error)

// yaml parses nodes as YAML with marks.
func (d *documentConverter) yaml(nodes []parse.Node) (*yamlv3.Node, error) {
	w, err := d.language.mark(nodes)
	if err != nil {
		return nil, err
	}
	var root yamlv3.Node
	if err := yamlv3.Unmarshal([]byte(w.text.String()), &root); err != nil || root.Kind == 0 {
		return nil, d.cannot(0, "the YAML around the actions cannot be parsed on its own")
	}
	return root.Content[0], nil
}

func (d *documentConverter) cannot(pos parse.Pos, why string) error {
	return d.parsed.source.refuse(CodeNative, pos, "%s", why)
}

func (d *documentConverter) node(n *yamlv3.Node, schema *expr.Schema, in around) error {
	for _, comment := range []*string{&n.HeadComment, &n.LineComment, &n.FootComment} {
		*comment = d.unmarked(*comment)
	}
	switch n.Kind {
	case yamlv3.MappingNode:
		return d.mapping(n, schema, in)
	case yamlv3.SequenceNode:
		return d.sequence(n, schema, in)
	case yamlv3.ScalarNode:
		return d.scalar(n, schema, in)
	default:
		return nil
	}
}

// unmarked puts the actions back into a comment.
func (d *documentConverter) unmarked(comment string) string {
	for {
		before, number, after, found := cutMark(comment, len(d.language.marks))
		if !found {
			return comment
		}
		comment = before + d.language.marks[number].node.String() + after
	}
}

// lines returns the mark of a text that stands for whole lines.
func (d *documentConverter) lines(text string) (mark, bool) {
	_, marks := d.language.nodes(text)
	if len(marks) == 1 && marks[0].lines {
		return marks[0], true
	}
	return mark{}, false
}

func (d *documentConverter) mapping(n *yamlv3.Node, schema *expr.Schema, in around) error {
	var content []*yamlv3.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		k, lines := d.lines(key.Value)
		switch {
		case !lines && d.language.HasExpression(key.Value):
			return d.cannot(0, "a key that is computed has no counterpart")
		case lines && in != nil:
			return d.cannot(k.node.Position(), "lines under a condition within others have no counterpart")
		case lines:
			entries, err := d.conditional(k, schema)
			if err != nil {
				return err
			}
			content = append(content, entries...)
			continue
		}
		if err := d.node(key, nil, nil); err != nil {
			return err
		}
		field, _ := schema.Field(key.Value)
		if err := d.node(val, field, in); err != nil {
			return err
		}
		content = append(content, key, val)
	}
	n.Content = content
	return nil
}

// conditional are the entries under an if: each is there or not by itself.
func (d *documentConverter) conditional(k mark, schema *expr.Schema) ([]*yamlv3.Node, error) {
	n, ok := k.node.(*parse.IfNode)
	if !ok || n.ElseList != nil || len(n.Pipe.Decl) > 0 {
		return nil, d.cannot(k.node.Position(), "lines under anything but an if without else have no counterpart")
	}
	lines, err := d.yaml(n.List.Nodes)
	if err != nil {
		return nil, err
	}
	if lines.Kind != yamlv3.MappingNode {
		return nil, d.cannot(n.Pos, "lines that are no fields have no counterpart under an if")
	}
	err = d.node(lines, schema, func(t *translator, text lowerNodes, nodes []parse.Node) (maker, error) {
		made, err := t.after(k.before, rootDot, func() (maker, error) {
			test, err := t.pipe(n.Pipe, rootDot)
			if err != nil {
				return nil, err
			}
			leaf, err := text(nodes, rootDot)
			truth := t.low.truth(test)
			return func() celast.Expr {
				return t.choose(truth(), t.optionalOf(bare(leaf())), t.absent())
			}, err
		})
		return made, err
	})
	return lines.Content, err
}

// optionalOf makes an optional of an expression, unless it is one.
func (b *builder) optionalOf(e celast.Expr) celast.Expr {
	if e.Kind() == celast.CallKind && strings.Contains(e.AsCall().FunctionName(), "?") && e.AsCall().FunctionName() != "_?_:_" {
		return e
	}
	return b.call("optional.of", e)
}

func (d *documentConverter) sequence(n *yamlv3.Node, schema *expr.Schema, in around) error {
	for _, item := range n.Content {
		k, lines := d.lines(item.Value)
		switch {
		case lines && len(n.Content) == 1 && in == nil:
			return d.loop(n, k)
		case lines:
			return d.cannot(k.node.Position(), "a loop over items beside others has no counterpart")
		}
		if err := d.node(item, schema.Items(), in); err != nil {
			return err
		}
	}
	return nil
}

// loop is a list of which all items come from one range.
func (d *documentConverter) loop(n *yamlv3.Node, k mark) error {
	r, ok := k.node.(*parse.RangeNode)
	if !ok || r.ElseList != nil || len(k.before) > 0 {
		return d.cannot(k.node.Position(), "items under anything but a plain range have no counterpart")
	}
	items, err := d.yaml(r.List.Nodes)
	if err != nil {
		return err
	}
	if items.Kind != yamlv3.SequenceNode || len(items.Content) != 1 || items.Content[0].Kind != yamlv3.ScalarNode {
		return d.cannot(r.Pos, "a loop over anything but one scalar has no counterpart")
	}
	nodes, _ := d.language.nodes(items.Content[0].Value)
	text, err := d.text(func(t *translator) (maker, error) {
		return t.ranged(r, rootDot, func(l loop) (func(maker) maker, error) {
			body, err := t.textOf(nodes, l.dot)
			return func(over maker) maker {
				return func() celast.Expr { return t.method(over(), "map", t.ident(l.item), bare(body())) }
			}, err
		}, nil)
	})
	*n = yamlv3.Node{Kind: yamlv3.ScalarNode, Tag: "!!str", Value: text, HeadComment: n.HeadComment, LineComment: n.LineComment}
	return err
}

// scalar puts an expression into a scalar. One that is a single expression is written without quotes if it can be.
func (d *documentConverter) scalar(n *yamlv3.Node, schema *expr.Schema, in around) error {
	if !d.language.HasExpression(n.Value) {
		n.Value = strings.ReplaceAll(n.Value, "${", "$${")
		if in == nil {
			return nil
		}
		if n.Tag != "!!str" {
			return d.cannot(0, "a value that is no text has no counterpart under an if")
		}
	}
	nodes, marks := d.language.nodes(n.Value)
	if len(marks) == 1 && n.Style == 0 {
		nodes = asValue(nodes)
	}
	if slices.ContainsFunc(marks, func(k mark) bool { return k.lines }) {
		return d.cannot(marks[0].node.Position(), "lines within a scalar have no counterpart")
	}
	text, err := d.text(func(t *translator) (maker, error) {
		if in != nil {
			return in(t, t.textOf, nodes)
		}
		text, err := t.textOf(nodes, rootDot)
		if n.Style == 0 && schema.Known() && !schema.Takes(expr.String) {
			return func() celast.Expr { return t.wordsAsBools(text()) }, err
		}
		return text, err
	})
	if err != nil {
		return err
	}
	n.Value = text
	if leaf := (Assumption{Kind: AssumesLeaf}); !slices.Contains(d.assumed, leaf) {
		d.assumed = append(d.assumed, leaf)
	}
	if strings.HasPrefix(text, "${") && n.Style&(yamlv3.LiteralStyle|yamlv3.FoldedStyle) == 0 {
		n.Style = 0
	}
	n.Tag = "!!str"
	return nil
}

// wordsAsBools makes a bool of a choice between the words true and false, and leaves other expressions.
func (t *translator) wordsAsBools(e celast.Expr) celast.Expr {
	if word, ok := textOf(e); ok && (word == "true" || word == "false") {
		return t.boolean(word == "true")
	}
	if e.Kind() != celast.CallKind || e.AsCall().FunctionName() != operators.Conditional {
		return e
	}
	args := e.AsCall().Args()
	yes, no := t.wordsAsBools(args[1]), t.wordsAsBools(args[2])
	return t.low.when(func() celast.Expr { return args[0] }, func() celast.Expr { return yes }, func() celast.Expr { return no })()
}

// asValue takes toJson, quote and squote from the last action: a scalar takes the value itself.
func asValue(nodes []parse.Node) []parse.Node {
	action, ok := nodes[len(nodes)-1].(*parse.ActionNode)
	if !ok {
		return nodes
	}
	name, pipe, args := lastCall(action.Pipe)
	switch name {
	case "quote", "squote":
		if len(args) == 0 {
			plain := &parse.ActionNode{NodeType: parse.NodeAction, Pos: action.Pos, Line: action.Line, Pipe: pipe}
			return append(slices.Clone(nodes[:len(nodes)-1]), plain)
		}
	}
	return nodes
}
