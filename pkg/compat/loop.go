package compat

import (
	"cmp"
	"text/template/parse"

	celast "github.com/google/cel-go/common/ast"

	"github.com/clusterimport/clusterimport/pkg/diag"
)

// loop is a range: what it visits, and what its body sees.
type loop struct {
	item string
	over maker
	dot  dot
	// ranged is what the range is over: its variables hold it where there is nothing to visit.
	ranged value
}

// enter lowers the head of a range and puts its variables in scope; the caller restores the scope.
func (t *translator) enter(n *parse.RangeNode, d dot) (loop, error) {
	over, err := t.pipe(n.Pipe, d)
	if err != nil {
		return loop{}, err
	}
	if n.Pipe.IsAssign {
		d := t.source.at(CodeRangeAssign, n.Pos, "a range that assigns to variables of outside is not supported")
		d.Hint = "declare variables of the range, with :=, and assign to the others within it"
		return loop{}, &refusal{diag.List{d}}
	}
	t.lintRange(over, n.Pos)
	ranged := t.valueAt(n.Pos, t.low.normal(over))
	if len(n.Pipe.Decl) == 2 {
		return t.enterPairs(n, t.low.pairs(over), ranged), nil
	}
	v := t.low.each(over)
	like := cmp.Or(v.name, "item")
	if len(n.Pipe.Decl) == 1 {
		like = n.Pipe.Decl[0].Ident[0]
	}
	l := loop{item: t.fresh(like), over: t.at(n.Pos, v.over), ranged: ranged}
	l.dot = dot{value: t.held(l.item, v.item)}
	if len(n.Pipe.Decl) == 1 {
		t.variables = append(t.variables, variable{like, l.dot.value})
	}
	return l, nil
}

func (t *translator) enterPairs(n *parse.RangeNode, v visit, ranged value) loop {
	l := loop{item: t.fresh("pair"), over: t.at(n.Pos, v.over), ranged: ranged}
	part := func(i int, what value) value {
		what = t.held("", what)
		what.make = func() celast.Expr { return t.item(t.ident(l.item), i) }
		return what
	}
	l.dot = dot{value: part(1, v.item)}
	t.variables = append(t.variables,
		variable{n.Pipe.Decl[0].Ident[0], part(0, v.key)}, variable{n.Pipe.Decl[1].Ident[0], l.dot.value})
	return l
}

// ranged lowers a range: body lowers its nodes to what whole makes of the list, and otherwise is what there is for an
// empty one; it is not asked for a range without else.
func (t *translator) ranged(
	n *parse.RangeNode, d dot, body func(l loop) (whole func(over maker) maker, err error), otherwise lowerNodes,
) (maker, error) {
	scope := len(t.variables)
	defer func() { t.variables = t.variables[:scope] }()
	l, err := t.enter(n, d)
	if err != nil {
		return nil, err
	}
	whole, err := body(l)
	if err != nil {
		return nil, err
	}
	if n.ElseList == nil {
		return t.at(n.Pos, whole(l.over)), nil
	}
	t.variables = t.variables[:scope]
	for _, name := range declaredNames(n.Pipe) {
		t.variables = append(t.variables, variable{name, l.ranged})
	}
	no, err := otherwise(n.ElseList.Nodes, d)
	if err != nil {
		return nil, err
	}
	visited := value{schema: &anyList, presence: present, make: l.over}
	return t.bound("", "items", visited, n.Pos, func(held value) (maker, error) {
		return t.low.when(t.low.truth(held), whole(held.make), no), nil
	})
}

func (t *translator) rangeText(n *parse.RangeNode, d dot) (maker, error) {
	if jumpsWithin(n) {
		state, err := t.rangeState(n, d, nil, false)
		if err != nil {
			return nil, err
		}
		return t.part(state, 0), nil
	}
	return t.ranged(n, d, func(l loop) (func(maker) maker, error) {
		body, err := t.textOf(n.List.Nodes, l.dot)
		return func(over maker) maker { return t.low.joinedRounds(over, l.item, body) }, err
	}, t.textOf)
}
