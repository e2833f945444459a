package compat

import (
	"slices"
	"text/template/parse"

	celast "github.com/google/cel-go/common/ast"
)

// CEL has no assignment. Nodes that assign to variables of an outer scope are lowered to a list of what they print
// and of the variables' values after them, [text, value, …]; the nodes after them read it from there. A range
// passes such a list from round to round.

// assigned returns the variables in scope that a node assigns to, sorted.
func (t *translator) assigned(n parse.Node) []string {
	var names []string
	collectAssigned(n, nil, func(name string) {
		inScope := slices.ContainsFunc(t.variables, func(v variable) bool { return v.name == name })
		if inScope && !slices.Contains(names, name) {
			names = append(names, name)
		}
	})
	slices.Sort(names)
	return names
}

// collectAssigned finds assignments to variables that are not declared within the node; hidden are those that are.
func collectAssigned(n parse.Node, hidden []string, found func(name string)) {
	switch n := n.(type) {
	case *parse.ListNode:
		for _, child := range n.Nodes {
			collectAssigned(child, hidden, found)
			if action, ok := child.(*parse.ActionNode); ok && !action.Pipe.IsAssign {
				hidden = append(slices.Clip(hidden), declaredNames(action.Pipe)...)
			}
		}
	case *parse.ActionNode:
		if n.Pipe.IsAssign && !slices.Contains(hidden, n.Pipe.Decl[0].Ident[0]) {
			found(n.Pipe.Decl[0].Ident[0])
		}
	case *parse.IfNode:
		collectInBranch(&n.BranchNode, hidden, found)
	case *parse.WithNode:
		collectInBranch(&n.BranchNode, hidden, found)
	case *parse.RangeNode:
		collectInBranch(&n.BranchNode, hidden, found)
	}
}

func collectInBranch(n *parse.BranchNode, hidden []string, found func(name string)) {
	inner := append(slices.Clip(hidden), declaredNames(n.Pipe)...)
	collectAssigned(n.List, inner, found)
	if n.ElseList != nil {
		collectAssigned(n.ElseList, inner, found)
	}
}

func declaredNames(p *parse.PipeNode) []string {
	var names []string
	for _, v := range p.Decl {
		names = append(names, v.Ident[0])
	}
	return names
}

// place returns where the innermost variable of that name stands in t.variables, or -1.
func (t *translator) place(name string) int {
	for i, v := range slices.Backward(t.variables) {
		if v.name == name {
			return i
		}
	}
	return -1
}

// assign lowers $x = pipeline and what follows it.
func (t *translator) assign(p *parse.PipeNode, d dot, rest func() (value, error)) (value, error) {
	name := p.Decl[0].Ident[0]
	if t.place(name) < 0 {
		return nil, t.source.refuse(CodeUnsupported, p.Pos, "the variable %s is not in scope here", name)
	}
	made, err := t.pipe(p, d)
	if err != nil {
		return nil, err
	}
	return t.bound("", t.norm(made, p.Pos), p.Pos, func(held value) (value, error) {
		return t.holding([]string{name}, []value{held}, rest)
	})
}

// holding lowers rest while variables hold other values.
func (t *translator) holding(names []string, values []value, rest func() (value, error)) (value, error) {
	before := slices.Clone(t.variables)
	for i, name := range names {
		t.variables[t.place(name)].value = values[i]
	}
	made, err := rest()
	t.variables = before
	return made, err
}

// withState lowers a node that assigns to names; then lowers what follows it and is given what the node prints.
func (t *translator) withState(
	n parse.Node, d dot, names []string, then func(text value) (value, error),
) (value, error) {
	state, err := t.stateOf(n, d, names)
	if err != nil {
		return nil, err
	}
	return t.bound("", state, n.Position(), func(held value) (value, error) {
		return t.holding(names, t.parts(held, len(names)), func() (value, error) { return then(t.part(held, 0)) })
	})
}

// part is an item of a state, parts are the values of its variables.
func (t *translator) part(state value, i int) value {
	return func() celast.Expr { return t.call("_[_]", state(), t.literal(intValue(int64(i)))) }
}

func (t *translator) parts(state value, n int) []value {
	values := make([]value, n)
	for i := range values {
		values[i] = t.part(state, i+1)
	}
	return values
}

// stateOf lowers a node to its state.
func (t *translator) stateOf(n parse.Node, d dot, names []string) (value, error) {
	body := func(nodes []parse.Node, d dot) (value, error) {
		return t.sequence(nodes, d, nil, func(pieces []value) value { return t.state(pieces, names) })
	}
	switch n := n.(type) {
	case *parse.IfNode:
		return t.branch(&n.BranchNode, d, false, body)
	case *parse.WithNode:
		return t.branch(&n.BranchNode, d, true, body)
	case *parse.RangeNode:
		return t.rangeState(n, d, names, body)
	default:
		return nil, t.source.refuse(CodeUnsupported, n.Position(), "an assignment is not supported here")
	}
}

// state is what has been printed and what the variables hold now.
func (t *translator) state(pieces []value, names []string) value {
	text := t.joined(pieces)
	var held []value
	for _, name := range names {
		held = append(held, t.variables[t.place(name)].value)
	}
	return func() celast.Expr {
		items := []celast.Expr{t.call("dyn", text())}
		for _, v := range held {
			items = append(items, v())
		}
		return t.list(items...)
	}
}

// rangeState lowers a range whose rounds assign to names.
func (t *translator) rangeState(
	n *parse.RangeNode, d dot, names []string, body func([]parse.Node, dot) (value, error),
) (value, error) {
	before := t.state(nil, names)
	scope := slices.Clone(t.variables)
	defer func() { t.variables = scope }()
	l, err := t.enter(n, d)
	if err != nil {
		return nil, err
	}
	t.id()
	accu := t.fresh()
	state := func() celast.Expr { return t.ident(accu) }
	step, err := t.holding(names, t.parts(state, len(names)), func() (value, error) {
		return t.sequence(n.List.Nodes, l.dot, []value{t.part(state, 0)}, func(pieces []value) value { return t.state(pieces, names) })
	})
	if err != nil {
		return nil, err
	}
	loop := func(over value) celast.Expr {
		return t.factory.NewComprehension(t.id(), over(), l.item, accu, before(), t.truth(true), step(), state())
	}
	if n.ElseList == nil {
		return t.at(n.Pos, func() celast.Expr { return loop(l.over) }), nil
	}
	t.variables = slices.Clone(scope)
	otherwise, err := body(n.ElseList.Nodes, d)
	if err != nil {
		return nil, err
	}
	return t.bound("", l.over, n.Pos, func(held value) (value, error) {
		return func() celast.Expr { return t.choose(t.call(fnTruth, held()), loop(held), otherwise()) }, nil
	})
}
