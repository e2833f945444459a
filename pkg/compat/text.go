package compat

import (
	"cmp"
	"fmt"
	"slices"
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
	p, list := s.parse()
	if p == nil {
		return nil, list
	}
	program, list := p.compile(env, cel.StringType, func(t *translator) (maker, error) {
		return t.textOf(p.root.Nodes, rootDot)
	})
	return program, p.said(list)
}

// compile lowers a template and checks the result.
func (p *parsed) compile(env *expr.Env, want *cel.Type, lower func(*translator) (maker, error)) (*expr.Program, diag.List) {
	env, err := env.Extend(extension)
	switch {
	case err != nil:
		return nil, diag.List{p.source.at(expr.CodeInternal, 0, err.Error())}
	case p.refused != nil: // said once; nothing more is lowered
		return nil, p.refused
	}
	t := p.translator(env.Scope())
	ast, err := t.translate(lower)
	p.parts += t.size() + partsPerExpression
	if err != nil {
		list := p.source.refusals(err)
		if p.parts > maxParts {
			p.refused = list
		}
		return nil, append(t.warnings, list...)
	}
	program, list := env.CompileAST(p.source.expression(), ast, want)
	for i := range list {
		if list[i].Code == expr.CodeType {
			list[i].Code = CodeType
		}
	}
	return program, append(t.warnings, list...)
}

// translate lowers a template to a syntax tree. A tree that grows too large ends it; see builder.id.
func (t *translator) translate(lower func(*translator) (maker, error)) (ast *cel.Ast, err error) {
	defer func() {
		if r := recover(); r != nil {
			var ok bool
			if err, ok = r.(*refusal); !ok {
				panic(r)
			}
		}
	}()
	made, err := lower(t)
	if err != nil {
		return nil, err
	}
	return t.ast(made())
}

// textOf lowers nodes to the text that they print.
func (t *translator) textOf(nodes []parse.Node, d dot) (maker, error) {
	return t.sequence(nodes, d, nil, func(pieces []maker, _ maker) maker { return t.joined(pieces) })
}

// ending makes the result of nodes: of what they print, of the variables, which are those in scope when it is called,
// and of how they end. A nil status goes on.
type ending func(pieces []maker, status maker) maker

// sequence lowers nodes one after the other; pieces is what is printed before them. A declaration or an assignment
// holds for the nodes after it, which are therefore lowered inside of it.
func (t *translator) sequence(nodes []parse.Node, d dot, pieces []maker, end ending) (maker, error) {
	for i, n := range nodes {
		rest := func(pieces []maker) (maker, error) { return t.sequence(nodes[i+1:], d, pieces, end) }
		if err := t.count(n); err != nil {
			return nil, err
		}
		switch n := n.(type) {
		case *parse.BreakNode:
			return end(pieces, t.status(statusBreak)), nil
		case *parse.ContinueNode:
			return end(pieces, t.status(statusContinue)), nil
		case *parse.ActionNode:
			if len(n.Pipe.Decl) > 0 {
				return t.define(n.Pipe, d, func() (maker, error) { return rest(pieces) })
			}
		}
		if pipe := assignedPipe(n); pipe != nil {
			return t.assign(pipe, d, func() (maker, error) {
				return t.sequence(append([]parse.Node{withoutAssignment(n)}, nodes[i+1:]...), d, pieces, end)
			})
		}
		if names, jumps := t.assigned(n), jumpsOut(n); len(names) > 0 || jumps {
			return t.withState(n, d, names, jumps, pieces, rest, end)
		}
		piece, err := t.piece(n, d)
		if err != nil {
			return nil, err
		}
		if piece != nil {
			pieces = append(pieces, piece)
		}
	}
	return end(pieces, nil), nil
}

// count keeps the work of lowering within bounds: a template within a template is lowered where it is called.
func (t *translator) count(n parse.Node) error {
	t.pos = n.Position()
	if t.lowered++; t.lowered > maxTemplateNodes {
		return t.source.refuse(CodeTooLarge, n.Position(), "the template is too large: it has more than %d nodes", maxTemplateNodes)
	}
	return nil
}

// define lowers $x := pipeline, or $x = pipeline, and what follows it.
func (t *translator) define(p *parse.PipeNode, d dot, rest func() (maker, error)) (maker, error) {
	if p.IsAssign {
		return t.assign(p, d, rest)
	}
	init, err := t.pipe(p, d)
	if err != nil {
		return nil, err
	}
	name := p.Decl[0].Ident[0]
	return t.bound(name, name, t.low.normal(init), p.Pos, func(value) (maker, error) { return rest() })
}

// bound evaluates init once for body, which sees it as the template variable of that name, or under none.
func (t *translator) bound(variableName, like string, init value, pos parse.Pos, body func(held value) (maker, error)) (maker, error) {
	held := init
	name := ""
	if !t.low.repeats(init) {
		name = t.fresh(like)
		held = t.held(name, init)
	}
	if t.bindings++; t.bindings > maxBindings {
		return nil, t.source.refuse(CodeTooLarge, pos, "more than %d variables, assignments and loops follow each other", maxBindings)
	}
	defer func() { t.bindings-- }()
	scope := len(t.variables)
	if variableName != "" {
		t.variables = append(t.variables, variable{variableName, held})
	}
	inner, err := body(held)
	t.variables = t.variables[:scope]
	if err != nil || name == "" {
		return inner, err
	}
	return t.at(pos, func() celast.Expr { return t.bind(name, init.make(), inner()) }), nil
}

func (t *translator) joined(pieces []maker) maker {
	switch len(pieces) {
	case 0:
		return func() celast.Expr { return t.text("") }
	case 1:
		return pieces[0]
	}
	return t.low.joined(pieces)
}

// piece lowers one node to the text that it prints, or nil when it prints nothing.
func (t *translator) piece(n parse.Node, d dot) (maker, error) {
	switch n := n.(type) {
	case *parse.TextNode:
		return t.at(n.Pos, func() celast.Expr { return t.text(string(n.Text)) }), nil
	case *parse.CommentNode:
		return nil, nil //nolint:nilnil // prints nothing
	case *parse.ActionNode:
		if t.structure != nil && !t.structure.has(n.Pipe) {
			return t.marked(n, d)
		}
		return t.printed(n, d)
	case *parse.IfNode:
		return t.branch(&n.BranchNode, d, false, t.textOf)
	case *parse.WithNode:
		return t.branch(&n.BranchNode, d, true, t.textOf)
	case *parse.RangeNode:
		return t.rangeText(n, d)
	case *parse.TemplateNode:
		return t.inline(n, d, t.textOf)
	default:
		return nil, t.source.refuse(CodeUnsupported, n.Position(), "%s is not supported", n)
	}
}

// printed lowers an action to the text that it prints.
func (t *translator) printed(n *parse.ActionNode, d dot) (maker, error) {
	v, err := t.pipe(n.Pipe, d)
	if err != nil {
		return nil, err
	}
	if v.decoded {
		t.warn(CodeB64DecText, n.Pos, "b64dec prints the text of an error when its argument is not base64",
			"in CEL b64dec(value) fails instead; caData, tokenData, certData, keyData and kubeconfig take base64 as a Secret has it")
	}
	return t.at(n.Pos, t.low.printed(v)), nil
}

// lowerNodes lowers a list of nodes to text, to a state or to a condition.
type lowerNodes func(nodes []parse.Node, d dot) (maker, error)

// inline lowers a call of a template within the template: its nodes, which see no variables but their own $.
func (t *translator) inline(n *parse.TemplateNode, d dot, body lowerNodes) (maker, error) {
	tree := t.templates[n.Name]
	if tree == nil || tree.Root == nil {
		t.alwaysFailsf(n.Pos, "define it in the same field", "the template %q is not defined", n.Name)
		return t.at(n.Pos, func() celast.Expr {
			return t.call(fnPrefix+"fail", t.list(t.text("the template is not defined")))
		}), nil
	}
	if slices.Contains(t.within, n.Name) {
		d := t.source.at(CodeRecursion, n.Pos, fmt.Sprintf("the template %q calls itself", n.Name))
		d.Hint = "write the levels out, or use a range"
		return nil, &refusal{diag.List{d}}
	}
	argument, variables, dollar := dot{value: value{simple: true, make: t.absent}}, t.variables, t.dollar
	lower := func() (maker, error) {
		t.within = append(t.within, n.Name)
		t.variables, t.dollar = nil, argument
		made, err := body(tree.Root.Nodes, argument)
		t.within = t.within[:len(t.within)-1]
		t.variables, t.dollar = variables, dollar
		return made, err
	}
	if n.Pipe == nil {
		return lower()
	}
	if whole, ok := t.rootArgument(n.Pipe, d); ok {
		argument = whole
		return lower()
	}
	v, err := t.pipe(n.Pipe, d)
	if err != nil {
		return nil, err
	}
	return t.bound("", n.Name, t.low.normal(v), n.Pos, func(held value) (maker, error) {
		argument = dot{value: held}
		return lower()
	})
}

// rootArgument reports whether a template is called with all of the data.
func (t *translator) rootArgument(p *parse.PipeNode, d dot) (dot, bool) {
	if len(p.Cmds) != 1 || len(p.Cmds[0].Args) != 1 {
		return dot{}, false
	}
	switch n := p.Cmds[0].Args[0].(type) {
	case *parse.DotNode:
		return d, d.root
	case *parse.VariableNode:
		return t.dollar, t.dollar.root && len(n.Ident) == 1 && n.Ident[0] == "$"
	default:
		return dot{}, false
	}
}

// branch lowers if and with.
func (t *translator) branch(n *parse.BranchNode, d dot, with bool, body lowerNodes) (maker, error) {
	test, err := t.pipe(n.Pipe, d)
	if err != nil {
		return nil, err
	}
	declared := ""
	if len(n.Pipe.Decl) > 0 && !n.Pipe.IsAssign {
		declared = n.Pipe.Decl[0].Ident[0]
	}
	if declared == "" && !with {
		return t.ifElse(n, test, d, d, body)
	}
	return t.bound(declared, cmp.Or(declared, "with"), t.low.normal(test), n.Pos, func(held value) (maker, error) {
		inner := d
		if with {
			inner = dot{value: held}
		}
		return t.ifElse(n, held, inner, d, body)
	})
}

func (t *translator) ifElse(n *parse.BranchNode, test value, yesDot, noDot dot, body lowerNodes) (maker, error) {
	yes, err := body(n.List.Nodes, yesDot)
	if err != nil {
		return nil, err
	}
	no, err := body(elseNodes(n), noDot)
	if err != nil {
		return nil, err
	}
	truth := t.low.truth(test)
	return t.at(n.Pos, t.low.when(truth, yes, no)), nil
}

func elseNodes(n *parse.BranchNode) []parse.Node {
	if n.ElseList == nil {
		return nil
	}
	return n.ElseList.Nodes
}
