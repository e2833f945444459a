package compat

import (
	"slices"
	"text/template/parse"
)

// assigned returns the variables in scope that a node assigns to, sorted.
func (t *translator) assigned(n parse.Node) []string {
	var names []string
	collectAssigned(n, nil, func(name string) {
		if t.variables.slot(name) >= 0 && !slices.Contains(names, name) {
			names = append(names, name)
		}
	})
	slices.Sort(names)
	return names
}

// collectAssigned finds assignments to variables that are not declared within the node; hidden are those that are.
func collectAssigned(n parse.Node, hidden []string, found func(name string)) {
	assigned := func(p *parse.PipeNode) {
		if p.IsAssign && !slices.Contains(hidden, p.Decl[0].Ident[0]) {
			found(p.Decl[0].Ident[0])
		}
	}
	switch n := n.(type) {
	case *parse.ListNode:
		for _, child := range n.Nodes {
			collectAssigned(child, hidden, found)
			if action, ok := child.(*parse.ActionNode); ok && !action.Pipe.IsAssign {
				hidden = append(slices.Clip(hidden), declaredNames(action.Pipe)...)
			}
		}
	case *parse.ActionNode:
		assigned(n.Pipe)
	default:
		if b := branchOf(n); b != nil {
			assigned(b.Pipe)
			inner := append(slices.Clip(hidden), declaredNames(b.Pipe)...)
			for _, list := range []*parse.ListNode{b.List, b.ElseList} {
				if list != nil {
					collectAssigned(list, inner, found)
				}
			}
		}
	}
}

// branchOf is the common part of if, with and range, or nil.
func branchOf(n parse.Node) *parse.BranchNode {
	switch n := n.(type) {
	case *parse.IfNode:
		return &n.BranchNode
	case *parse.WithNode:
		return &n.BranchNode
	case *parse.RangeNode:
		return &n.BranchNode
	default:
		return nil
	}
}

func declaredNames(p *parse.PipeNode) []string {
	if p.IsAssign {
		return nil
	}
	var names []string
	for _, v := range p.Decl {
		names = append(names, v.Ident[0])
	}
	return names
}

// assignedPipe is the pipeline of an if or with that assigns its value to a variable: {{ if $x = .a }}.
func assignedPipe(n parse.Node) *parse.PipeNode {
	if _, loop := n.(*parse.RangeNode); loop {
		return nil
	}
	if b := branchOf(n); b != nil && b.Pipe.IsAssign {
		return b.Pipe
	}
	return nil
}

// withoutAssignment is an if or with that assigns, for after the assignment: it looks at the variable.
func withoutAssignment(n parse.Node) parse.Node {
	over := func(b parse.BranchNode) parse.BranchNode {
		variable := *b.Pipe.Decl[0]
		command := &parse.CommandNode{NodeType: parse.NodeCommand, Pos: b.Pipe.Pos, Args: []parse.Node{&variable}}
		b.Pipe = &parse.PipeNode{NodeType: parse.NodePipe, Pos: b.Pipe.Pos, Line: b.Pipe.Line, Cmds: []*parse.CommandNode{command}}
		return b
	}
	switch n := n.(type) {
	case *parse.IfNode:
		return &parse.IfNode{BranchNode: over(n.BranchNode)}
	case *parse.WithNode:
		return &parse.WithNode{BranchNode: over(n.BranchNode)}
	default:
		return n
	}
}

// jumpsOut reports whether a node may end the round of the loop that it stands in.
func jumpsOut(n parse.Node) bool {
	switch n := n.(type) {
	case *parse.BreakNode, *parse.ContinueNode:
		return true
	case *parse.RangeNode:
		// A break in the else of a range ends that range, a continue the round of the one around it.
		return slices.ContainsFunc(elseNodes(&n.BranchNode), continues)
	default:
		b := branchOf(n)
		return b != nil && (slices.ContainsFunc(b.List.Nodes, jumpsOut) || slices.ContainsFunc(elseNodes(b), jumpsOut))
	}
}

// continues reports whether a node may go on with the next round.
func continues(n parse.Node) bool {
	switch n := n.(type) {
	case *parse.ContinueNode:
		return true
	case *parse.RangeNode:
		return slices.ContainsFunc(elseNodes(&n.BranchNode), continues)
	default:
		b := branchOf(n)
		return b != nil && (slices.ContainsFunc(b.List.Nodes, continues) || slices.ContainsFunc(elseNodes(b), continues))
	}
}

// jumpsWithin reports whether a round of the loop may end early.
func jumpsWithin(n *parse.RangeNode) bool { return slices.ContainsFunc(n.List.Nodes, jumpsOut) }
