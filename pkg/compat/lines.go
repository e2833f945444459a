package compat

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"text/template/parse"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"

	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/render"
)

// Lines of a document under an if, a with, a range or in a template of their own become one expression: a map or a
// list, which goes into the mapping or sequence around it.

// lineKind is what lines are: fields of a mapping (fnMerge), items of a list (fnConcat), or a value (no function).
type lineKind struct {
	schema   *expr.Schema
	function string
	prefix   string
}

// leaf is a part of an expression that is being made: it is never rendered by itself.
type leaf struct{ make maker }

// Render implements render.Node.
func (leaf) Render(context.Context, *expr.Binding) (any, bool, error) {
	return nil, false, errors.New("a part of an expression has no value of its own")
}

// linesOf lowers the node of a mark.
func (l documentLanguage) linesOf(t *translator, d dot, k mark, kind lineKind) (maker, error) {
	kind.prefix = k.prefix
	return t.after(k.before, d, func() (maker, error) { return l.control(t, d, k.node, kind) })
}

// after lowers nodes that print nothing, and body after them. If they jump there is null instead.
func (t *translator) after(nodes []parse.Node, d dot, body func() (maker, error)) (maker, error) {
	var failed error
	made, err := t.sequence(nodes, d, nil, func(_ []maker, status maker) maker {
		if status != nil {
			return t.null
		}
		made, err := body()
		if err != nil {
			failed = err
			return t.null
		}
		return func() celast.Expr { return t.dyn(made()) }
	})
	if err == nil {
		err = failed
	}
	return made, err
}

func (b *builder) null() celast.Expr { return b.dyn(b.literal(types.NullValue)) }

func (l documentLanguage) control(t *translator, d dot, n parse.Node, kind lineKind) (maker, error) {
	body := func(nodes []parse.Node, d dot) (maker, error) { return l.branch(t, d, nodes, kind) }
	if names := t.assigned(n); len(names) > 0 {
		return nil, t.source.refuse(CodeYAMLContext, n.Position(), "an assignment to %s does not last beyond the lines of the document that it stands in", names[0])
	}
	switch n := n.(type) {
	case *parse.IfNode:
		return t.branch(&n.BranchNode, d, false, body)
	case *parse.WithNode:
		return t.branch(&n.BranchNode, d, true, body)
	case *parse.TemplateNode:
		return t.inline(n, d, body)
	case *parse.RangeNode:
		if kind.function == "" {
			return nil, &refusal{l.refuse(mark{node: n}, "what this may print is more than a part of a scalar")}
		}
		if slices.ContainsFunc(n.List.Nodes, breaks) {
			return nil, t.source.refuse(CodeYAMLContext, n.Pos, "a break is not supported in a range over lines of the document")
		}
		return t.ranged(n, d, func(lp loop) (func(maker) maker, error) {
			made, err := body(n.List.Nodes, lp.dot)
			return func(over maker) maker {
				return func() celast.Expr { return t.call(kind.function, t.mapEach(over(), lp.item, made())) }
			}, err
		}, body)
	default:
		return nil, t.source.refuse(CodeUnsupported, n.Position(), "%s is not supported", n)
	}
}

// breaks reports whether a node may end the loop that it stands in.
func breaks(n parse.Node) bool {
	if _, ok := n.(*parse.BreakNode); ok {
		return true
	}
	if _, loop := n.(*parse.RangeNode); loop {
		return false
	}
	b := branchOf(n)
	return b != nil && (slices.ContainsFunc(b.List.Nodes, breaks) || slices.ContainsFunc(elseNodes(b), breaks))
}

// branch lowers the lines of one branch, after what stands before them without printing.
func (l documentLanguage) branch(t *translator, d dot, nodes []parse.Node, kind lineKind) (maker, error) {
	lead := 0
	for i, n := range nodes {
		if !silent(n) {
			break
		}
		if _, text := n.(*parse.TextNode); !text {
			lead = i + 1
		}
	}
	return t.after(nodes[:lead], d, func() (maker, error) { return l.parse(t, d, nodes[lead:], kind) })
}

// parse parses lines as YAML and makes their value.
func (l documentLanguage) parse(t *translator, d dot, nodes []parse.Node, kind lineKind) (maker, error) {
	if kind.function == "" && len(nodes) == 1 && branchOf(nodes[0]) != nil {
		return l.control(t, d, nodes[0], kind)
	}
	w, err := l.mark(nodes)
	if err != nil {
		return nil, err
	}
	text := w.text.String()
	if isBlank(text) {
		return t.null, nil
	}
	origin, prefix := l.origin(w), ""
	if kind.function != "" && !startsLine(text) {
		prefix = kind.prefix
		origin.Locate = func(offset int) int { return w.locate(max(0, offset-len(prefix))) }
	}
	inner := l
	inner.inner, inner.dot = t, d
	n, list := render.ParseLines(inner, origin, prefix+text, kind.schema)
	list = inTemplate(list)
	if n != nil && !kind.fits(n) {
		d := l.parsed.source.at(CodeYAMLContext, nodes[0].Position(), "these lines are neither fields nor items of what is around them")
		list = append(list, d)
	}
	if list.HasErrors() {
		return nil, &refusal{list}
	}
	t.warnings = append(t.warnings, list...)
	return t.documentValue(n), nil
}

// fits reports whether parsed lines are what goes into the mapping or list around them.
func (k lineKind) fits(n render.Node) bool {
	switch n := n.(type) {
	case *render.Mapping:
		return k.function != fnConcat
	case *render.Sequence:
		return k.function != fnMerge
	case render.Fixed:
		switch n.Value.(type) {
		case map[string]any:
			return k.function != fnConcat
		case []any:
			return k.function != fnMerge
		}
	}
	return k.function == ""
}

// documentValue makes the value of parsed lines.
func (t *translator) documentValue(n render.Node) maker {
	switch n := n.(type) {
	case render.Fixed:
		return func() celast.Expr { return t.json(n.Value) }
	case *render.Mapping:
		return t.mapping(n)
	case *render.Sequence:
		return t.sequenceValue(n)
	case leaf:
		return n.make
	default:
		return t.null
	}
}

// mapping makes a map literal, or of several with spread lines between them one map.
func (t *translator) mapping(m *render.Mapping) maker {
	var parts []maker
	var fields []render.Entry
	flush := func() {
		if entries := fields; len(entries) > 0 {
			parts = append(parts, func() celast.Expr { return t.objectLiteral(entries) })
		}
		fields = nil
	}
	for _, e := range m.Entries {
		if !e.Spread {
			fields = append(fields, e)
			continue
		}
		flush()
		parts = append(parts, t.documentValue(e.Value))
	}
	spread := len(fields) != len(m.Entries)
	flush()
	return t.spreading(fnMerge, parts, spread, func() celast.Expr { return t.factory.NewMap(t.id(), nil) })
}

// spreading puts parts together if lines are among them, and is the only part otherwise.
func (t *translator) spreading(function string, parts []maker, spread bool, none maker) maker {
	if !spread {
		if len(parts) == 0 {
			return none
		}
		return parts[0]
	}
	return func() celast.Expr {
		made := make([]celast.Expr, len(parts))
		for i, part := range parts {
			made[i] = t.dyn(part())
		}
		return t.call(function, t.list(made...))
	}
}

func (t *translator) objectLiteral(fields []render.Entry) celast.Expr {
	entries := make([]celast.EntryExpr, len(fields))
	for i, e := range fields {
		key := func() celast.Expr { return t.text(e.Key) }
		if e.Computed != nil {
			key = t.documentValue(e.Computed)
		}
		entries[i] = t.factory.NewMapEntry(t.id(), key(), t.dyn(t.documentValue(e.Value)()), false)
	}
	return t.factory.NewMap(t.id(), entries)
}

func (t *translator) sequenceValue(s *render.Sequence) maker {
	var parts, items []maker
	flush := func() {
		if list := items; len(list) > 0 {
			parts = append(parts, func() celast.Expr {
				made := make([]celast.Expr, len(list))
				for i, item := range list {
					made[i] = t.dyn(item())
				}
				return t.list(made...)
			})
		}
		items = nil
	}
	for _, item := range s.Items {
		if !item.Spread {
			items = append(items, t.documentValue(item.Value))
			continue
		}
		flush()
		parts = append(parts, t.documentValue(item.Value))
	}
	spread := len(items) != len(s.Items)
	flush()
	return t.spreading(fnConcat, parts, spread, func() celast.Expr { return t.list() })
}

// json is a literal of a JSON value.
func (b *builder) json(val any) celast.Expr {
	switch v := val.(type) {
	case map[string]any:
		var entries []celast.EntryExpr
		for _, key := range slices.Sorted(maps.Keys(v)) {
			entries = append(entries, b.factory.NewMapEntry(b.id(), b.text(key), b.json(v[key]), false))
		}
		return b.factory.NewMap(b.id(), entries)
	case []any:
		items := make([]celast.Expr, len(v))
		for i, item := range v {
			items[i] = b.json(item)
		}
		return b.list(items...)
	default:
		return b.literal(types.DefaultTypeAdapter.NativeToValue(val))
	}
}

// printsYAML reports whether a node under control of an if, a with or a range has literal text that means something
// to YAML.
func printsYAML(n parse.Node, flow bool) bool {
	if text, ok := n.(*parse.TextNode); ok {
		return isYAML(string(text.Text), flow)
	}
	if _, ok := n.(*parse.TemplateNode); ok {
		return true
	}
	b := branchOf(n)
	prints := func(n parse.Node) bool { return printsYAML(n, flow) }
	return b != nil && (slices.ContainsFunc(b.List.Nodes, prints) || slices.ContainsFunc(elseNodes(b), prints))
}

func isYAML(text string, flow bool) bool {
	signs := "\"'\n\t#&*!|>%@`"
	if flow {
		signs += ",[]{}"
	}
	return strings.ContainsAny(text, signs) || strings.Contains(text, ": ") || strings.HasSuffix(text, ":") ||
		strings.HasPrefix(strings.TrimSpace(text), "- ") || strings.HasPrefix(text, "[") || strings.HasPrefix(text, "{")
}
