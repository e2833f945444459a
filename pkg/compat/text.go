package compat

import (
	"errors"
	"text/template/parse"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"

	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// Text translates the template of a name or namespace. The program's text is what the template prints, before
// anything is trimmed. The program is nil when the list has errors.
func Text(env *expr.Env, field, src string) (*expr.Program, diag.List) {
	s := source{field, src}
	root, list := s.parse()
	if root == nil {
		return nil, list
	}
	return compile(env, s, cel.StringType, func(t *translator) (value, error) {
		return t.textOf(root.Nodes, rootDot)
	})
}

// compile lowers a template and checks the result.
func compile(env *expr.Env, s source, want *cel.Type, lower func(*translator) (value, error)) (*expr.Program, diag.List) {
	env, err := env.Extend(extension)
	if err != nil {
		return nil, diag.List{s.at(expr.CodeInternal, 0, err.Error())}
	}
	t := newTranslator(env, s)
	made, err := lower(t)
	if err != nil {
		return nil, s.refusals(err)
	}
	root := made()
	if t.next > maxTemplateNodes {
		return nil, diag.List{s.at(CodeTooLarge, 0, "the template is too large to translate")}
	}
	ast, err := t.ast(root)
	if err != nil {
		return nil, diag.List{s.at(expr.CodeInternal, 0, err.Error())}
	}
	program, list := env.CompileAST(s.expression(), ast, want)
	for i := range list {
		if list[i].Code == expr.CodeType {
			list[i].Code = CodeType
		}
	}
	return program, list
}

func (s source) refusals(err error) diag.List {
	if r, ok := errors.AsType[*refusal](err); ok {
		return diag.List{r.diagnostic}
	}
	return diag.List{s.at(expr.CodeInternal, 0, err.Error())}
}

// textOf lowers nodes to the text that they print.
func (t *translator) textOf(nodes []parse.Node, d dot) (value, error) {
	return t.sequence(nodes, d, nil, t.joined)
}

// sequence lowers nodes one after the other; finish makes the result of what they print. A declaration or an
// assignment holds for the nodes after it, which are therefore lowered inside of it.
func (t *translator) sequence(nodes []parse.Node, d dot, pieces []value, finish func([]value) value) (value, error) {
	for i, n := range nodes {
		rest := func() (value, error) { return t.sequence(nodes[i+1:], d, pieces, finish) }
		if action, ok := n.(*parse.ActionNode); ok && len(action.Pipe.Decl) > 0 {
			if action.Pipe.IsAssign {
				return t.assign(action.Pipe, d, rest)
			}
			return t.declare(action.Pipe, d, rest)
		}
		if names := t.assigned(n); len(names) > 0 {
			return t.withState(n, d, names, func(text value) (value, error) {
				pieces = append(pieces, text)
				return rest()
			})
		}
		piece, err := t.piece(n, d)
		if err != nil {
			return nil, err
		}
		if piece != nil {
			pieces = append(pieces, piece)
		}
	}
	return finish(pieces), nil
}

// declare lowers $x := pipeline and what follows it.
func (t *translator) declare(p *parse.PipeNode, d dot, rest func() (value, error)) (value, error) {
	init, err := t.pipe(p, d)
	if err != nil {
		return nil, err
	}
	return t.bound(p.Decl[0].Ident[0], t.norm(init, p.Pos), p.Pos, func(value) (value, error) { return rest() })
}

// bound evaluates init once for body, which sees it as the template variable of that name, or under none.
func (t *translator) bound(variableName string, init value, pos parse.Pos, body func(held value) (value, error)) (value, error) {
	t.pos = pos
	t.id()
	name := t.fresh()
	held := func() celast.Expr { return t.ident(name) }
	scope := len(t.variables)
	if variableName != "" {
		t.variables = append(t.variables, variable{variableName, held})
	}
	inner, err := body(held)
	t.variables = t.variables[:scope]
	if err != nil {
		return nil, err
	}
	return t.at(pos, func() celast.Expr { return t.bind(name, init(), inner()) }), nil
}

func (t *translator) joined(pieces []value) value {
	switch len(pieces) {
	case 0:
		return func() celast.Expr { return t.text("") }
	case 1:
		return pieces[0]
	}
	return func() celast.Expr {
		made := make([]celast.Expr, len(pieces))
		for i, piece := range pieces {
			made[i] = piece()
		}
		return t.call(fnJoin, t.list(made...))
	}
}

// piece lowers one node to the text that it prints, or nil when it prints nothing.
func (t *translator) piece(n parse.Node, d dot) (value, error) {
	switch n := n.(type) {
	case *parse.TextNode:
		return t.at(n.Pos, func() celast.Expr { return t.text(string(n.Text)) }), nil
	case *parse.CommentNode:
		return nil, nil //nolint:nilnil // prints nothing
	case *parse.ActionNode:
		v, err := t.pipe(n.Pipe, d)
		if err != nil {
			return nil, err
		}
		return t.at(n.Pos, func() celast.Expr { return t.call(fnStr, v()) }), nil
	case *parse.IfNode:
		return t.branch(&n.BranchNode, d, false, t.textOf)
	case *parse.WithNode:
		return t.branch(&n.BranchNode, d, true, t.textOf)
	case *parse.RangeNode:
		return t.rangeText(n, d)
	default:
		return nil, t.source.refuse(CodeUnsupported, n.Position(), "%s is not supported", nodeName(n))
	}
}

func nodeName(n parse.Node) string {
	switch n.(type) {
	case *parse.BreakNode:
		return "break"
	case *parse.ContinueNode:
		return "continue"
	case *parse.TemplateNode:
		return "template"
	default:
		return "this"
	}
}

// branch lowers if and with; body lowers a list of nodes.
func (t *translator) branch(
	n *parse.BranchNode, d dot, with bool, body func([]parse.Node, dot) (value, error),
) (value, error) {
	test, err := t.pipe(n.Pipe, d)
	if err != nil {
		return nil, err
	}
	if n.Pipe.IsAssign {
		return nil, t.source.refuse(CodeUnsupported, n.Pos, "an assignment as a condition is not supported")
	}
	declared := ""
	if len(n.Pipe.Decl) > 0 {
		declared = n.Pipe.Decl[0].Ident[0]
	}
	if declared == "" && !with {
		return t.ifElse(n, test, d, d, body)
	}
	return t.bound(declared, t.norm(test, n.Pos), n.Pos, func(held value) (value, error) {
		inner := d
		if with {
			inner = dot{value: held}
		}
		return t.ifElse(n, held, inner, d, body)
	})
}

func (t *translator) ifElse(
	n *parse.BranchNode, test value, yesDot, noDot dot, body func([]parse.Node, dot) (value, error),
) (value, error) {
	yes, err := body(n.List.Nodes, yesDot)
	if err != nil {
		return nil, err
	}
	var otherwise []parse.Node
	if n.ElseList != nil {
		otherwise = n.ElseList.Nodes
	}
	no, err := body(otherwise, noDot)
	if err != nil {
		return nil, err
	}
	return t.at(n.Pos, func() celast.Expr { return t.choose(t.call(fnTruth, test()), yes(), no()) }), nil
}

// loop is a range: what it visits, and what its body sees.
type loop struct {
	item string
	over value
	dot  dot
}

// enter lowers the head of a range and puts its variables in scope; the caller restores the scope.
func (t *translator) enter(n *parse.RangeNode, d dot) (loop, error) {
	over, err := t.pipe(n.Pipe, d)
	if err != nil {
		return loop{}, err
	}
	if n.Pipe.IsAssign {
		return loop{}, t.source.refuse(CodeUnsupported, n.Pos, "a range over assigned variables is not supported")
	}
	t.pos = n.Pos
	t.id()
	l := loop{item: t.fresh()}
	item := func() celast.Expr { return t.ident(l.item) }
	function := fnEach
	if len(n.Pipe.Decl) == 2 {
		function = fnPairs
		part := func(i int64) value {
			return func() celast.Expr { return t.call("_[_]", item(), t.literal(intValue(i))) }
		}
		t.variables = append(t.variables,
			variable{n.Pipe.Decl[0].Ident[0], part(0)}, variable{n.Pipe.Decl[1].Ident[0], part(1)})
		l.dot = dot{value: part(1)}
	} else {
		l.dot = dot{value: item}
		if len(n.Pipe.Decl) == 1 {
			t.variables = append(t.variables, variable{n.Pipe.Decl[0].Ident[0], item})
		}
	}
	l.over = t.at(n.Pos, func() celast.Expr { return t.call(function, over()) })
	return l, nil
}

func (t *translator) rangeText(n *parse.RangeNode, d dot) (value, error) {
	scope := len(t.variables)
	defer func() { t.variables = t.variables[:scope] }()
	l, err := t.enter(n, d)
	if err != nil {
		return nil, err
	}
	body, err := t.textOf(n.List.Nodes, l.dot)
	if err != nil {
		return nil, err
	}
	texts := func(over value) celast.Expr { return t.call(fnJoin, t.mapEach(over(), l.item, body())) }
	if n.ElseList == nil {
		return t.at(n.Pos, func() celast.Expr { return texts(l.over) }), nil
	}
	t.variables = t.variables[:scope]
	otherwise, err := t.textOf(n.ElseList.Nodes, d)
	if err != nil {
		return nil, err
	}
	return t.bound("", l.over, n.Pos, func(held value) (value, error) {
		return func() celast.Expr { return t.choose(t.call(fnTruth, held()), texts(held), otherwise()) }, nil
	})
}
