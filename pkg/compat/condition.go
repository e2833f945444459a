package compat

import (
	"strings"
	"text/template/parse"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"

	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// Condition translates the template of a condition: it is true when the template prints exactly one "true",
// whatever white space is around it. The program is nil when the list has errors.
func Condition(env *expr.Env, field, src string) (*expr.Program, diag.List) {
	s := source{field, src}
	p, list := s.parse()
	if p == nil {
		return nil, list
	}
	return p.compile(env, cel.BoolType, func(t *translator) (maker, error) {
		return t.one(p.root.Nodes, rootDot)
	})
}

// one lowers nodes to "they print exactly one true and nothing else". Text matters only modulo white space, so
// a range is true when exactly one of its rounds is, and no text is ever built. What does not fit this form is
// printed and compared.
func (t *translator) one(nodes []parse.Node, d dot) (maker, error) {
	for i, n := range nodes {
		if !prints(n) {
			continue
		}
		if err := t.count(n); err != nil {
			return nil, err
		}
		others := nodes[i+1:]
		rest := func() (maker, error) { return t.one(others, d) }
		if action, ok := n.(*parse.ActionNode); ok && len(action.Pipe.Decl) > 0 {
			return t.define(action.Pipe, d, rest)
		}
		names, jumps := t.assigned(n), jumpsOut(n)
		switch {
		case len(names) > 0 && !jumps && silent(n):
			return t.withState(n, d, names, false, nil, func([]maker) (maker, error) { return rest() }, nil)
		case len(names) > 0 || jumps || assignedPipe(n) != nil || speak(others):
			return t.printedTrue(nodes[i:], d)
		default:
			return t.oneNode(n, d)
		}
	}
	return func() celast.Expr { return t.boolean(false) }, nil
}

// speak reports whether one of nodes may print.
func speak(nodes []parse.Node) bool {
	for _, n := range nodes {
		if action, ok := n.(*parse.ActionNode); ok && len(action.Pipe.Decl) > 0 {
			continue
		}
		if prints(n) {
			return true
		}
	}
	return false
}

// prints reports whether a node may print more than white space, or declares a variable.
func prints(n parse.Node) bool {
	switch n := n.(type) {
	case *parse.TextNode:
		return strings.TrimSpace(string(n.Text)) != ""
	case *parse.CommentNode:
		return false
	default:
		return true
	}
}

// silent reports whether a node prints white space at most, whatever it does else.
func silent(n parse.Node) bool {
	switch n := n.(type) {
	case *parse.ActionNode:
		return len(n.Pipe.Decl) > 0
	case *parse.BreakNode, *parse.ContinueNode:
		return true
	}
	if b := branchOf(n); b != nil {
		return allOf(b.List.Nodes, silent) && allOf(elseNodes(b), silent)
	}
	return !prints(n)
}

func allOf(nodes []parse.Node, is func(parse.Node) bool) bool {
	for _, n := range nodes {
		if !is(n) {
			return false
		}
	}
	return true
}

// oneNode lowers the only node that prints.
func (t *translator) oneNode(n parse.Node, d dot) (maker, error) {
	switch n := n.(type) {
	case *parse.TextNode:
		return t.at(n.Pos, func() celast.Expr { return t.boolean(isTrue(string(n.Text))) }), nil
	case *parse.ActionNode:
		v, err := t.pipe(n.Pipe, d)
		if err != nil {
			return nil, err
		}
		if v.kind() == expr.Bool {
			return t.at(n.Pos, t.low.truth(v)), nil
		}
		printed := t.low.printed(v)
		return t.at(n.Pos, func() celast.Expr { return t.call(fnIsTrue, printed()) }), nil
	case *parse.IfNode:
		return t.branch(&n.BranchNode, d, false, t.one)
	case *parse.WithNode:
		return t.branch(&n.BranchNode, d, true, t.one)
	case *parse.TemplateNode:
		return t.inline(n, d, t.one)
	case *parse.RangeNode:
		if !jumpsWithin(n) && t.silentOrTrue(n.List.Nodes) {
			return t.oneRound(n, d)
		}
	}
	return t.printedTrue([]parse.Node{n}, d)
}

// oneRound lowers a range of which exactly one round may print true.
func (t *translator) oneRound(n *parse.RangeNode, d dot) (maker, error) {
	return t.ranged(n, d, func(l loop) (func(maker) maker, error) {
		body, err := t.one(n.List.Nodes, l.dot)
		return func(over maker) maker { return t.low.oneRound(over, l.item, body) }, err
	}, t.one)
}

// printedTrue prints the nodes and compares the text.
func (t *translator) printedTrue(nodes []parse.Node, d dot) (maker, error) {
	text, err := t.textOf(nodes, d)
	if err != nil {
		return nil, err
	}
	return func() celast.Expr { return t.call(fnIsTrue, text()) }, nil
}

// silentOrTrue reports whether nodes print nothing but white space and one "true": a round that prints other text
// would spoil the round that prints true.
func (t *translator) silentOrTrue(nodes []parse.Node) bool {
	speakers := 0
	for _, n := range nodes {
		if silent(n) {
			continue
		}
		speakers++
		ok := false
		switch n := n.(type) {
		case *parse.TextNode:
			ok = isTrue(string(n.Text))
		case *parse.IfNode, *parse.WithNode:
			b := branchOf(n)
			ok = t.silentOrTrue(b.List.Nodes) && t.silentOrTrue(elseNodes(b))
		}
		if !ok || speakers > 1 {
			return false
		}
	}
	return true
}
