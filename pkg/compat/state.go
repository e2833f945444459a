package compat

import (
	"cmp"
	"slices"
	"text/template/parse"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

// CEL has no assignment and no jump. Nodes that assign to variables of an outer scope, or may break or continue, are
// lowered to a list of what they print, of the variables' values after them and of how they end,
// [text, value, …, status]; the nodes after them read it from there. A range passes such a list from round to round.

// How nodes end.
const (
	statusGoOn = iota
	statusContinue
	statusBreak
)

// anyList is a list of anything.
var anyList = expr.Schema{Kind: expr.List}

func (t *translator) status(s int64) maker {
	return func() celast.Expr { return t.number(s) }
}

// assign lowers $x = pipeline and what follows it.
func (t *translator) assign(p *parse.PipeNode, d dot, rest func() (maker, error)) (maker, error) {
	name := p.Decl[0].Ident[0]
	if t.variables.slot(name) < 0 {
		return nil, t.source.refuse(CodeUnsupported, p.Pos, "the variable %s is not in scope here", name)
	}
	made, err := t.pipe(p, d)
	if err != nil {
		return nil, err
	}
	return t.bound("", name, t.low.normal(made), p.Pos, func(held value) (maker, error) {
		return t.holding([]string{name}, []value{held}, rest)
	})
}

// holding lowers rest while variables hold other values.
func (t *translator) holding(names []string, values []value, rest func() (maker, error)) (maker, error) {
	before := slices.Clone(t.variables)
	for i, name := range names {
		t.variables[t.variables.slot(name)].value = values[i]
	}
	made, err := rest()
	t.variables = before
	return made, err
}

// withState lowers a node that assigns to names or jumps, and then what follows it: rest is given what is printed
// until there. After a jump nothing follows, but end.
func (t *translator) withState(
	n parse.Node, d dot, names []string, jumps bool, pieces []maker, rest func(pieces []maker) (maker, error), end ending,
) (maker, error) {
	if err := t.low.stateful(n.Position()); err != nil {
		if len(names) != 1 || jumps || !silent(n) {
			return nil, err
		}
		v, ok, failed := t.assignedValue(n, d, names[0])
		if failed != nil || !ok {
			return nil, cmp.Or(failed, err)
		}
		return t.holding(names, []value{v}, func() (maker, error) { return rest(pieces) })
	}
	state, err := t.stateOf(n, d, names, jumps)
	if err != nil {
		return nil, err
	}
	return t.bound("", "state", unknown(state), n.Position(), func(held value) (maker, error) {
		pieces := append(slices.Clip(pieces), t.part(held.make, 0))
		return t.holding(names, t.parts(held.make, len(names)), func() (maker, error) {
			goOn, err := rest(pieces)
			if err != nil || !jumps {
				return goOn, err
			}
			status := t.part(held.make, len(names)+1)
			stop := end(pieces, status)
			return func() celast.Expr {
				return t.choose(t.call(operators.Equals, status(), t.number(statusGoOn)), goOn(), stop())
			}, nil
		})
	})
}

// part is an item of a state, parts are the values of its variables.
func (t *translator) part(state maker, i int) maker {
	return func() celast.Expr { return t.item(state(), i) }
}

func (t *translator) parts(state maker, n int) []value {
	values := make([]value, n)
	for i := range values {
		values[i] = value{simple: true, make: t.part(state, i+1)}
	}
	return values
}

// stateOf lowers a node to its state.
func (t *translator) stateOf(n parse.Node, d dot, names []string, jumps bool) (maker, error) {
	body := func(nodes []parse.Node, d dot) (maker, error) {
		return t.sequence(nodes, d, nil, t.stateEnding(names, jumps))
	}
	switch n := n.(type) {
	case *parse.IfNode:
		return t.branch(&n.BranchNode, d, false, body)
	case *parse.WithNode:
		return t.branch(&n.BranchNode, d, true, body)
	case *parse.RangeNode:
		return t.rangeState(n, d, names, jumps)
	default:
		return nil, t.source.refuse(CodeUnsupported, n.Position(), "an assignment is not supported here")
	}
}

// stateEnding is what has been printed, what the variables hold then and, for nodes that may jump, how they end. The
// variables are those in scope now: what is declared until the end may have their names.
func (t *translator) stateEnding(names []string, jumps bool) ending {
	slots := make([]int, len(names))
	for i, name := range names {
		slots[i] = t.variables.slot(name)
	}
	return func(pieces []maker, status maker) maker {
		text := t.joined(pieces)
		if status == nil {
			status = t.status(statusGoOn)
		}
		held := make([]value, len(slots))
		for i, slot := range slots {
			held[i] = t.variables[slot].value
		}
		return func() celast.Expr {
			items := []celast.Expr{t.dyn(text())}
			for _, v := range held {
				items = append(items, t.anything(v))
			}
			if jumps {
				items = append(items, t.dyn(status()))
			}
			return t.list(items...)
		}
	}
}

// rangeState lowers a range whose rounds assign to names or jump.
func (t *translator) rangeState(n *parse.RangeNode, d dot, names []string, jumps bool) (maker, error) {
	if err := t.low.stateful(n.Pos); err != nil {
		return nil, err
	}
	inner := jumpsWithin(n)
	before := t.stateEnding(names, inner)(nil, nil)
	body := func(l loop) (func(maker) maker, error) {
		accu := t.fresh("state")
		state := func() celast.Expr { return t.ident(accu) }
		step, err := t.holding(names, t.parts(state, len(names)), func() (maker, error) {
			return t.sequence(n.List.Nodes, l.dot, []maker{t.part(state, 0)}, t.stateEnding(names, inner))
		})
		while := func() celast.Expr { return t.boolean(true) }
		if inner {
			while = func() celast.Expr {
				return t.call(operators.NotEquals, t.part(state, len(names)+1)(), t.number(statusBreak))
			}
		}
		return func(over maker) maker {
			whole := func() celast.Expr { return t.fold(over(), l.item, accu, before(), while(), step()) }
			if !jumps {
				return whole
			}
			return t.afterLoop(whole, len(names))
		}, err
	}
	return t.ranged(n, d, body, func(nodes []parse.Node, d dot) (maker, error) {
		end := t.stateEnding(names, jumps)
		return t.sequence(nodes, d, nil, func(pieces []maker, status maker) maker {
			return end(pieces, t.withoutBreak(status))
		})
	})
}

// afterLoop is the state of a loop that has ended, however its last round did.
func (t *translator) afterLoop(loop maker, names int) maker {
	name := t.fresh("state")
	state := func() celast.Expr { return t.ident(name) }
	return func() celast.Expr {
		var items []celast.Expr
		for i := range names + 1 {
			items = append(items, t.item(state(), i))
		}
		return t.bind(name, loop(), t.list(append(items, t.dyn(t.number(statusGoOn)))...))
	}
}

// withoutBreak is how the else of a range ends: a break there ends that alone.
func (t *translator) withoutBreak(status maker) maker {
	if status == nil {
		return nil
	}
	return func() celast.Expr {
		return t.choose(t.call(operators.Equals, status(), t.number(statusBreak)), t.number(statusGoOn), status())
	}
}
