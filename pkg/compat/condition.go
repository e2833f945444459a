package compat

import (
	"slices"
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
	program, list := p.compile(env, cel.BoolType, func(t *translator) (maker, error) {
		return t.one(p.root.Nodes, rootDot)
	})
	return program, p.said(append(list, p.decided(program)...))
}

// decided warns of a condition whose answer does not depend on the source.
func (p *parsed) decided(program *expr.Program) diag.List {
	if program == nil {
		return nil
	}
	always, isConstant := program.Constant()
	switch {
	case neverTrue(p.root.Nodes), isConstant && always == false:
		return diag.List{p.source.warning(CodeNeverTrue, 0, "the condition is never true", "print true where it is to be met")}
	case isConstant && always == true:
		return diag.List{p.source.warning(CodeAlwaysTrue, 0, "the condition is always true", "write true, without a template, if that is meant")}
	}
	return nil
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
		names, jumps := t.assigned(n), jumpsOut(n) && !t.breaksWhenTrue
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
	case *parse.CommentNode, *parse.BreakNode, *parse.ContinueNode:
		return false
	default:
		return true
	}
}

// silent reports whether a node prints white space at most, whatever it does else.
func silent(n parse.Node) bool {
	if action, ok := n.(*parse.ActionNode); ok {
		return len(action.Pipe.Decl) > 0
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
		return t.at(n.Pos, t.low.isTrue(t.low.printed(v))), nil
	case *parse.IfNode:
		return t.branch(&n.BranchNode, d, false, t.one)
	case *parse.WithNode:
		return t.branch(&n.BranchNode, d, true, t.one)
	case *parse.TemplateNode:
		return t.inline(n, d, t.one)
	case *parse.RangeNode:
		switch {
		case !jumpsWithin(n) && t.silentOrTrue(n.List.Nodes):
			if n.ElseList == nil {
				t.warn(CodeTwoMatches, n.Pos, "this prints true for each item that matches: two give \"truetrue\", which is not true",
					"write {{ break }} after true, so that the first match counts")
			}
			return t.rounds(n, d, false)
		case breaksWhenTrue(n.List.Nodes):
			return t.rounds(n, d, true)
		}
	}
	return t.printedTrue([]parse.Node{n}, d)
}

// rounds lowers a range of which exactly one round may print true, or which ends with the first that does.
func (t *translator) rounds(n *parse.RangeNode, d dot, first bool) (maker, error) {
	return t.ranged(n, d, func(l loop) (func(maker) maker, error) {
		before := t.breaksWhenTrue
		t.breaksWhenTrue = first
		body, err := t.one(n.List.Nodes, l.dot)
		t.breaksWhenTrue = before
		return func(over maker) maker { return t.low.rounds(over, l.item, body, first) }, err
	}, t.one)
}

// printedTrue prints the nodes and compares the text.
func (t *translator) printedTrue(nodes []parse.Node, d dot) (maker, error) {
	text, err := t.textOf(nodes, d)
	if err != nil {
		return nil, err
	}
	return t.low.isTrue(text), nil
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

// breaksWhenTrue reports whether nodes print nothing but white space and, where they then end the loop, "true".
func breaksWhenTrue(nodes []parse.Node) bool {
	for i, n := range nodes {
		if text, ok := n.(*parse.TextNode); ok && !isBlank(string(text.Text)) {
			return isTrue(string(text.Text)) && startsWithBreak(nodes[i+1:])
		}
		b := branchOf(n)
		switch {
		case silent(n) && !jumpsOut(n):
		case b == nil || jumpsOut(n) && isRange(n) || speak(nodes[i+1:]):
			return false
		case !isRange(n):
			return breaksWhenTrue(b.List.Nodes) && breaksWhenTrue(elseNodes(b)) && !slices.ContainsFunc(nodes[i+1:], jumpsOut)
		default:
			return false
		}
	}
	return true
}

func isRange(n parse.Node) bool { _, ok := n.(*parse.RangeNode); return ok }

func startsWithBreak(nodes []parse.Node) bool {
	for _, n := range nodes {
		if _, ok := n.(*parse.BreakNode); ok {
			return true
		}
		if prints(n) {
			return false
		}
	}
	return false
}
