package compat

import (
	"strings"
	"text/template/parse"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

// Two forms of assignment are values: an if that assigns one or the other, and a loop that raises a flag.

// assignedValue is the value that a variable has after a node that prints nothing, if it has such a form.
func (t *translator) assignedValue(n parse.Node, d dot, name string) (value, bool, error) {
	before := t.variables[t.variables.slot(name)].value
	switch n := n.(type) {
	case *parse.IfNode:
		return t.chosenValue(n, d, name, before)
	case *parse.RangeNode:
		if before.constant == types.False && n.ElseList == nil {
			return t.flag(n, d, name)
		}
	}
	return value{}, false, nil
}

// chosenValue is what an if assigns.
func (t *translator) chosenValue(n *parse.IfNode, d dot, name string, before value) (value, bool, error) {
	chosen := [2]value{before, before}
	for i, nodes := range [][]parse.Node{n.List.Nodes, elseNodes(&n.BranchNode)} {
		p, ok := onlyAssignment(nodes, name)
		if !ok {
			return value{}, false, nil
		}
		if p == nil {
			continue
		}
		v, err := t.pipe(p, d)
		if err != nil {
			return value{}, false, err
		}
		chosen[i] = v
	}
	test, err := t.pipe(n.Pipe, d)
	if err != nil || len(n.Pipe.Decl) > 0 || chosen[0].kind() != chosen[1].kind() || !chosen[0].is(chosen[0].kind()) || !chosen[1].is(chosen[1].kind()) {
		return value{}, false, err
	}
	truth := t.low.truth(test)
	return known(&expr.Schema{Kind: chosen[0].kind()}, func() celast.Expr {
		return t.choose(truth(), t.constantOr(chosen[0])(), t.constantOr(chosen[1])())
	}), true, nil
}

// constantOr makes a constant as CEL has it, or another value.
func (b *builder) constantOr(v value) maker {
	if v.constant == nil {
		return v.make
	}
	return func() celast.Expr { return b.literal(v.constant) }
}

// onlyAssignment returns the pipeline that nodes assign to a variable, if they do nothing else; nil if they do nothing.
func onlyAssignment(nodes []parse.Node, name string) (p *parse.PipeNode, ok bool) {
	for _, n := range nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			if strings.TrimSpace(string(n.Text)) != "" {
				return nil, false
			}
		case *parse.CommentNode:
		case *parse.ActionNode:
			if p != nil || !n.Pipe.IsAssign || n.Pipe.Decl[0].Ident[0] != name {
				return nil, false
			}
			plain := *n.Pipe
			plain.Decl, plain.IsAssign = nil, false
			p = &plain
		default:
			return nil, false
		}
	}
	return p, true
}

// flag is a bool that a loop sets: it is as if the loop printed what it assigns.
func (t *translator) flag(n *parse.RangeNode, d dot, name string) (value, bool, error) {
	body, ok := printsAssignment(n.List.Nodes, name)
	if !ok {
		return value{}, false, nil
	}
	loop := *n
	loop.List = &parse.ListNode{NodeType: parse.NodeList, Pos: n.List.Pos, Nodes: body}
	if jumpsWithin(&loop) {
		return value{}, false, nil
	}
	made, err := t.rounds(&loop, d, raisesOnly(body))
	return known(boolSchema, made), err == nil, err
}

// raisesOnly reports whether nodes print nothing but the constant true: it does not matter then how often.
func raisesOnly(nodes []parse.Node) bool {
	for _, n := range nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			if len(n.Pipe.Decl) == 0 && n.Pipe.String() != "true" {
				return false
			}
		case *parse.IfNode:
			if !raisesOnly(n.List.Nodes) || !raisesOnly(elseNodes(&n.BranchNode)) {
				return false
			}
		}
	}
	return true
}

// printsAssignment are nodes that print what nodes assign to a variable. A break after it goes: no later round matters.
func printsAssignment(nodes []parse.Node, name string) ([]parse.Node, bool) {
	var out []parse.Node
	assigned := false
	for _, n := range nodes {
		switch n := n.(type) {
		case *parse.BreakNode:
			if !assigned {
				return nil, false
			}
			continue
		case *parse.ActionNode:
			if n.Pipe.IsAssign {
				if n.Pipe.Decl[0].Ident[0] != name || assigned {
					return nil, false
				}
				p := *n.Pipe
				p.Decl, p.IsAssign = nil, false
				out, assigned = append(out, &parse.ActionNode{NodeType: parse.NodeAction, Pos: n.Pos, Line: n.Line, Pipe: &p}), true
				continue
			}
		case *parse.IfNode:
			inner, ok := printsAssignment(n.List.Nodes, name)
			otherwise, okElse := printsAssignment(elseNodes(&n.BranchNode), name)
			if !ok || !okElse {
				return nil, false
			}
			branch := *n
			branch.List = &parse.ListNode{NodeType: parse.NodeList, Pos: n.List.Pos, Nodes: inner}
			branch.ElseList = &parse.ListNode{NodeType: parse.NodeList, Pos: n.List.Pos, Nodes: otherwise}
			out = append(out, &branch)
			continue
		case *parse.WithNode, *parse.RangeNode, *parse.TemplateNode:
			return nil, false
		}
		out = append(out, n)
	}
	return out, true
}
