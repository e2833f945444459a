package render

import (
	"context"
	"errors"
	"fmt"
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
	// CodeLarge is a document beyond the limit of its size.
	CodeLarge diag.Code = "TEMPLATE-LARGE"
)

// Document is a compiled YAML document with expressions in its scalars. It is immutable and safe for
// concurrent use.
type Document struct {
	root Node
}

// Scalar is one scalar of a document, for the language that its expressions are written in.
type Scalar struct {
	// Text is the scalar's value after YAML's escapes; Plain says that it stands without quotes on one line.
	Text  string
	Plain bool
	// Line and Column, from 1, are where the scalar begins in the parsed text.
	Line, Column int
	Schema       *expr.Schema
	// Flow says that the scalar stands between brackets or braces.
	Flow bool
}

// Language compiles the expressions of scalars.
type Language interface {
	// Scalar returns the node of a scalar, or nil for one without expressions.
	Scalar(s Scalar) (Node, diag.List)
	// Literal returns the text that a scalar without expressions stands for.
	Literal(text string) string
	// HasExpression reports whether text has an expression.
	HasExpression(text string) bool
	// Key returns the node of a key with expressions, which gives text; nil is refused.
	Key(s Scalar) Node
	// Spread returns the node that a key or item stands for, if that is one for lines of the document; see Entry and
	// Item. ok is false for any other text.
	Spread(s Scalar) (n Node, list diag.List, ok bool)
}

// Origin says where a parsed text comes from.
type Origin struct {
	// Field is the path of the policy's field, and Text its text.
	Field, Text string
	// Locate turns an offset of the parsed text into one of the field's text; nil says that they are the same.
	Locate func(offset int) int
}

// DocumentOf is a document of one node, which gives a mapping.
func DocumentOf(root Node) *Document { return &Document{root} }

// ParseDocument compiles the YAML of a field with ${…} in its scalars and checks it against schema as far as
// types are known.
func ParseDocument(env *expr.Env, field, src string, schema *expr.Schema) (*Document, diag.List) {
	left := maxExpressions
	lang := celLanguage{env: env, field: field, text: src, places: newPlaces(src), left: &left}
	return Parse(lang, Origin{Field: field, Text: src}, src, schema)
}

// Parse compiles a YAML document whose scalars are written in lang.
func Parse(lang Language, origin Origin, src string, schema *expr.Schema) (*Document, diag.List) {
	p := newDocumentParser(lang, origin, src)
	root := p.parse()
	if root != nil && root.Kind != yamlv3.MappingNode {
		p.report(root, CodeYAML, "the template is not a YAML mapping")
	}
	if p.list.HasErrors() {
		return nil, p.list
	}
	doc := &Document{root: p.node(root, schema)}
	p.list.Sort()
	if p.list.HasErrors() {
		return nil, p.list
	}
	return doc, p.list
}

// ParseLines compiles lines that stand within a document: a part of a mapping of the schema, some items of a list, or a
// value. The node is nil when the list has errors.
func ParseLines(lang Language, origin Origin, src string, schema *expr.Schema) (Node, diag.List) {
	p := newDocumentParser(lang, origin, src)
	root := p.parse()
	if p.list.HasErrors() {
		return nil, p.list
	}
	p.part = root
	n := p.node(root, schema)
	if p.list.HasErrors() {
		return nil, p.list
	}
	return n, p.list
}

// Render evaluates every expression, all together within what one evaluation may cost. Parts of the result may be those
// of the binding or of the document: it must only be read.
func (d *Document) Render(ctx context.Context, b *expr.Binding) (map[string]any, error) {
	whole := b.ShareLimit()
	value, _, err := d.root.Render(ctx, b)
	b.EndShare(whole)
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("the template is not a mapping")
	}
	return object, nil
}

// maxDocumentParts is how many lines, and what separates the values of one line, a document may have: each may be a value,
// and the parser makes some hundred bytes of each.
const maxDocumentParts = 20_000

// maxPlainScalars is how many scalars may be read as whatever YAML makes of them: each is a document to its parser.
const maxPlainScalars = 2_000

type documentParser struct {
	lang   Language
	origin Origin
	text   string
	places *places
	list   diag.List
	// part is a mapping that need not have all required fields.
	part *yamlv3.Node
	// flow counts the brackets and braces that are open, plain the scalars that YAML makes something of.
	flow, plain int
}

func newDocumentParser(lang Language, origin Origin, src string) *documentParser {
	return &documentParser{lang: lang, origin: origin, text: src, places: newPlaces(src)}
}

func (p *documentParser) report(at *yamlv3.Node, code diag.Code, message string) {
	p.reportAt(at.Line, at.Column, code, message)
}

func (p *documentParser) reportAt(line, column int, code diag.Code, message string) {
	if p.list.Full(diag.Error) {
		return
	}
	if p.origin.Locate == nil {
		p.list = append(p.list, diag.AtLine(diag.Error, code, p.origin.Field, p.text, line, column, message))
		return
	}
	offset := p.origin.Locate(p.places.of(line, column))
	p.list = append(p.list, diag.At(diag.Error, code, p.origin.Field, p.origin.Text, offset, message))
}

// parse parses the text. The result is nil when that fails.
func (p *documentParser) parse() *yamlv3.Node {
	if n := strings.Count(p.text, "\n") + strings.Count(p.text, ",") + strings.Count(p.text, "[") + strings.Count(p.text, "{"); n > maxDocumentParts {
		p.reportAt(1, 1, CodeLarge, fmt.Sprintf("the document has more than %d lines, commas and brackets", maxDocumentParts))
		return nil
	}
	var root yamlv3.Node
	if err := yamlv3.Unmarshal([]byte(p.text), &root); err != nil {
		p.reportAt(yamlErrorLine(p.text, err), 1, CodeYAML, yamlErrorText(err))
		return nil
	}
	if root.Kind != yamlv3.DocumentNode {
		p.reportAt(1, 1, CodeYAML, "the template is not a YAML mapping")
		return nil
	}
	return root.Content[0]
}

func (p *documentParser) node(n *yamlv3.Node, schema *expr.Schema) Node {
	if p.list.Full(diag.Error) {
		return Fixed{}
	}
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
	return Fixed{}
}

func (p *documentParser) mapping(n *yamlv3.Node, schema *expr.Schema) Node {
	if !schema.Takes(expr.Object) && !schema.Takes(expr.Map) {
		p.report(n, CodeValue, "the field needs "+schema.String()+", not a mapping")
		return Fixed{}
	}
	p.enter(n)
	defer p.leave(n)
	m := &Mapping{}
	seen := map[string]bool{}
	open := n == p.part
	for i := 0; i < len(n.Content) && !p.list.Full(diag.Error); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		if key.Kind != yamlv3.ScalarNode || key.Tag == "!!merge" {
			p.report(key, CodeYAML, "a key must be plain text, without merge keys and expressions")
			continue
		}
		if p.lang.HasExpression(key.Value) {
			open = true
			if e, ok := p.computed(key, val, schema); ok {
				m.Entries = append(m.Entries, e)
			}
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
		m.Entries = append(m.Entries, Entry{Key: p.lang.Literal(key.Value), Value: p.node(val, elem)})
	}
	for _, name := range schema.RequiredFields() {
		if !seen[name] && !open {
			p.report(n, CodeField, "the field \""+name+"\" is missing")
		}
	}
	return m.fold()
}

// computed is an entry whose key has an expression: a key that is computed, or lines.
func (p *documentParser) computed(key, val *yamlv3.Node, schema *expr.Schema) (Entry, bool) {
	s := p.describe(key, schema)
	if n, list, ok := p.lang.Spread(s); ok {
		p.list = append(p.list, list...)
		return Entry{Value: n, Spread: true}, n != nil
	}
	computed := p.lang.Key(s)
	if computed == nil {
		p.report(key, CodeYAML, "a key must be plain text, without merge keys and expressions")
		return Entry{}, false
	}
	elem := schema.Items()
	return Entry{Computed: computed, Value: p.node(val, elem)}, true
}

func (p *documentParser) enter(n *yamlv3.Node) {
	if n.Style&yamlv3.FlowStyle != 0 {
		p.flow++
	}
}

func (p *documentParser) leave(n *yamlv3.Node) {
	if n.Style&yamlv3.FlowStyle != 0 {
		p.flow--
	}
}

func (p *documentParser) sequence(n *yamlv3.Node, schema *expr.Schema) Node {
	if !schema.Takes(expr.List) {
		p.report(n, CodeValue, "the field needs "+schema.String()+", not a sequence")
		return Fixed{}
	}
	p.enter(n)
	defer p.leave(n)
	s := &Sequence{}
	for _, item := range n.Content {
		if p.list.Full(diag.Error) {
			break
		}
		if item.Kind == yamlv3.ScalarNode && p.lang.HasExpression(item.Value) {
			if spread, list, ok := p.lang.Spread(p.describe(item, schema)); ok {
				p.list = append(p.list, list...)
				s.Items = append(s.Items, Item{Value: spread, Spread: true})
				continue
			}
		}
		s.Items = append(s.Items, Item{Value: p.node(item, schema.Items())})
	}
	return s.fold()
}

// describe is a scalar as languages see it.
func (p *documentParser) describe(n *yamlv3.Node, schema *expr.Schema) Scalar {
	return Scalar{
		Text: n.Value, Plain: n.Style&quoted == 0 && !strings.Contains(n.Value, "\n"), Schema: schema,
		Line: n.Line, Column: n.Column, Flow: p.flow > 0,
	}
}

func (p *documentParser) scalar(n *yamlv3.Node, schema *expr.Schema) Node {
	compiled, list := p.lang.Scalar(p.describe(n, schema))
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
		if n.Style&quoted == 0 {
			if p.plain++; p.plain > maxPlainScalars {
				p.report(n, CodeLarge, fmt.Sprintf("more than %d scalars without quotes stand where it is not known that text is needed", maxPlainScalars))
				return Fixed{}
			}
		}
		var err error
		if val, err = plainValue(n, p.lang.Literal(n.Value)); err != nil {
			p.report(n, CodeYAML, "not a YAML value")
		}
	}
	if fault := Conform(schema, val); fault != nil {
		p.report(n, CodeValue, fault.Message)
	}
	return Fixed{val}
}
