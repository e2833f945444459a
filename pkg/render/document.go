package render

import (
	"context"
	"errors"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"

	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// Codes of diagnostics about a document.
const (
	// CodeYAML is a text that is not one YAML mapping.
	CodeYAML diag.Code = "TEMPLATE-YAML"
	// CodeField is a field that the schema does not have, or that is missing.
	CodeField diag.Code = "TEMPLATE-FIELD"
	// CodeValue is a value that its field cannot take.
	CodeValue diag.Code = "TEMPLATE-VALUE"
)

// Document is a compiled YAML document with expressions in its scalars. It is immutable and safe for
// concurrent use.
type Document struct {
	root Node
}

// Node is a part of a document that has a JSON value when it is rendered.
type Node interface {
	// Render returns the JSON value; present is false for an optional without a value, which leaves out its
	// key or item.
	Render(ctx context.Context, b *expr.Binding) (value any, present bool, err error)
}

// Scalar is one scalar of a document, for the language that its expressions are written in.
type Scalar struct {
	// Text is the scalar's value after YAML's escapes; Plain says that it stands without quotes on one line.
	Text  string
	Plain bool
	// Line and Column, from 1, and Offset, in bytes, are where the scalar begins in the parsed text.
	Line, Column, Offset int
	Schema               *expr.Schema
}

// Language compiles the expressions of scalars.
type Language interface {
	// Scalar returns the node of a scalar, or nil for one without expressions.
	Scalar(s Scalar) (Node, diag.List)
	// Literal returns the text that a scalar without expressions stands for.
	Literal(text string) string
	// HasExpression reports whether text has an expression: keys must not.
	HasExpression(text string) bool
}

// ParseDocument compiles the YAML of a field with ${…} in its scalars and checks it against schema as far as
// types are known.
func ParseDocument(env *expr.Env, field, src string, schema *expr.Schema) (*Document, diag.List) {
	return Parse(celLanguage{env: env, field: field, text: src}, field, src, schema)
}

// Parse compiles a YAML document whose scalars are written in lang.
func Parse(lang Language, field, src string, schema *expr.Schema) (*Document, diag.List) {
	p := &documentParser{lang: lang, field: field, text: src}
	var root yamlv3.Node
	if err := yamlv3.Unmarshal([]byte(src), &root); err != nil {
		return nil, diag.List{diag.AtLine(diag.Error, CodeYAML, field, src, yamlErrorLine(err), 1, yamlErrorText(err))}
	}
	if root.Kind != yamlv3.DocumentNode || root.Content[0].Kind != yamlv3.MappingNode {
		return nil, diag.List{diag.AtLine(diag.Error, CodeYAML, field, src, 1, 1, "the template is not a YAML mapping")}
	}
	doc := &Document{root: p.node(root.Content[0], schema)}
	p.list.Sort()
	if p.list.HasErrors() {
		return nil, p.list
	}
	return doc, p.list
}

// Render evaluates every expression. Parts of the result may be those of the binding or of the document: it must only
// be read.
func (d *Document) Render(ctx context.Context, b *expr.Binding) (map[string]any, error) {
	value, _, err := d.root.Render(ctx, b)
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("the template is not a mapping")
	}
	return object, nil
}

type documentParser struct {
	lang        Language
	field, text string
	list        diag.List
}

func (p *documentParser) report(at *yamlv3.Node, code diag.Code, message string) {
	p.list = append(p.list, diag.AtLine(diag.Error, code, p.field, p.text, at.Line, at.Column, message))
}

func (p *documentParser) node(n *yamlv3.Node, schema *expr.Schema) Node {
	switch n.Kind {
	case yamlv3.MappingNode:
		return p.mapping(n, schema)
	case yamlv3.SequenceNode:
		return p.sequence(n, schema)
	case yamlv3.ScalarNode:
		return p.scalar(n, schema)
	case yamlv3.AliasNode:
		p.report(n, CodeYAML, "anchors and aliases are not supported in templates")
	default:
		p.report(n, CodeYAML, "not a YAML value")
	}
	return fixed{}
}

func (p *documentParser) mapping(n *yamlv3.Node, schema *expr.Schema) Node {
	if !schema.Takes(expr.Object) && !schema.Takes(expr.Map) {
		p.report(n, CodeValue, "the field needs "+schema.String()+", not a mapping")
		return fixed{}
	}
	m := &mapping{}
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yamlv3.ScalarNode || key.Tag == "!!merge" || p.lang.HasExpression(key.Value) {
			p.report(key, CodeYAML, "a key must be plain text, without merge keys and expressions")
			continue
		}
		if seen[key.Value] {
			p.report(key, CodeYAML, "the key \""+key.Value+"\" stands twice")
		}
		seen[key.Value] = true
		elem, ok := schema.Field(key.Value)
		if !ok {
			p.report(key, CodeField, "unknown field \""+key.Value+"\"")
			continue
		}
		m.entries = append(m.entries, entry{p.lang.Literal(key.Value), p.node(n.Content[i+1], elem)})
	}
	for _, name := range schema.RequiredFields() {
		if !seen[name] {
			p.report(n, CodeField, "the field \""+name+"\" is missing")
		}
	}
	return m.fold()
}

func (p *documentParser) sequence(n *yamlv3.Node, schema *expr.Schema) Node {
	if !schema.Takes(expr.List) {
		p.report(n, CodeValue, "the field needs "+schema.String()+", not a sequence")
		return fixed{}
	}
	s := &sequence{}
	for _, item := range n.Content {
		s.items = append(s.items, p.node(item, schema.Items()))
	}
	return s.fold()
}

// scalar compiles one scalar; one without expressions is what YAML says.
func (p *documentParser) scalar(n *yamlv3.Node, schema *expr.Schema) Node {
	compiled, list := p.lang.Scalar(Scalar{
		Text: n.Value, Plain: n.Style&quoted == 0 && !strings.Contains(n.Value, "\n"), Schema: schema,
		Line: n.Line, Column: n.Column, Offset: offsetOf(p.text, n.Line, n.Column),
	})
	p.list = append(p.list, list...)
	if compiled == nil && !list.HasErrors() {
		return p.fixedScalar(n, schema)
	}
	return compiled
}

// quoted are the styles whose scalars are text whatever they say.
const quoted = yamlv3.DoubleQuotedStyle | yamlv3.SingleQuotedStyle | yamlv3.LiteralStyle | yamlv3.FoldedStyle

func (p *documentParser) fixedScalar(n *yamlv3.Node, schema *expr.Schema) Node {
	var val any = p.lang.Literal(n.Value)
	// A plain 1.24 or yes in a field that needs text is the text that stands there.
	if !schema.Known() || !schema.Takes(expr.String) || n.Tag == "!!null" {
		var err error
		if val, err = plainValue(n, p.lang.Literal(n.Value)); err != nil {
			p.report(n, CodeYAML, "not a YAML value")
		}
	}
	if fault := Conform(schema, val); fault != nil {
		p.report(n, CodeValue, fault.Message)
	}
	return fixed{val}
}
