package compat

import (
	"strings"
	"text/template/parse"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"

	"github.com/clusterimport/clusterimport/pkg/compat/sprig"
	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

func intValue(i int64) types.Int { return types.Int(i) }

// Condition translates the template of a condition: it is true when the template prints exactly one "true",
// whatever white space is around it. The program is nil when the list has errors.
func Condition(env *expr.Env, field, src string) (*expr.Program, diag.List) {
	s := source{field, src}
	root, list := s.parse()
	if root == nil {
		return nil, list
	}
	return compile(env, s, cel.BoolType, func(t *translator) (value, error) {
		return t.one(root.Nodes, rootDot)
	})
}

// one lowers nodes to "they print exactly one true and nothing else". Text matters only modulo white space, so
// a range is true when exactly one of its rounds is, and no text is ever built. What does not fit this form is
// printed and compared.
func (t *translator) one(nodes []parse.Node, d dot) (value, error) {
	scope := len(t.variables)
	defer func() { t.variables = t.variables[:scope] }()
	var speaking parse.Node
	for i, n := range nodes {
		if !prints(n) {
			continue
		}
		if assigns(n) || len(t.assigned(n)) > 0 {
			return t.printedTrue(nodes, d)
		}
		if action, ok := n.(*parse.ActionNode); ok && len(action.Pipe.Decl) > 0 {
			if speaking != nil {
				return t.printedTrue(nodes, d)
			}
			return t.declare(action.Pipe, d, func() (value, error) { return t.one(nodes[i+1:], d) })
		}
		if speaking != nil {
			return t.printedTrue(nodes, d)
		}
		speaking = n
	}
	if speaking == nil {
		return func() celast.Expr { return t.truth(false) }, nil
	}
	return t.oneNode(speaking, nodes, d)
}

// assigns reports whether a node is an assignment.
func assigns(n parse.Node) bool {
	action, ok := n.(*parse.ActionNode)
	return ok && action.Pipe.IsAssign
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

// oneNode lowers the only node that prints; nodes are all of them, for those that must be printed.
func (t *translator) oneNode(n parse.Node, nodes []parse.Node, d dot) (value, error) {
	switch n := n.(type) {
	case *parse.TextNode:
		return t.at(n.Pos, func() celast.Expr { return t.truth(isTrue(string(n.Text))) }), nil
	case *parse.ActionNode:
		if t.isBool(n.Pipe) {
			return t.pipe(n.Pipe, d)
		}
	case *parse.IfNode:
		return t.branch(&n.BranchNode, d, false, t.one)
	case *parse.WithNode:
		return t.branch(&n.BranchNode, d, true, t.one)
	case *parse.RangeNode:
		if n.ElseList == nil && !breaks(n.List.Nodes) && silentOrTrue(n.List.Nodes) {
			return t.oneRound(n, d)
		}
	}
	return t.printedTrue(nodes, d)
}

// oneRound lowers a range of which exactly one round may print true.
func (t *translator) oneRound(n *parse.RangeNode, d dot) (value, error) {
	scope := len(t.variables)
	defer func() { t.variables = t.variables[:scope] }()
	l, err := t.enter(n, d)
	if err != nil {
		return nil, err
	}
	body, err := t.one(n.List.Nodes, l.dot)
	if err != nil {
		return nil, err
	}
	return t.at(n.Pos, func() celast.Expr { return t.existsOne(l.over(), l.item, body()) }), nil
}

// printedTrue prints the nodes and compares the text.
func (t *translator) printedTrue(nodes []parse.Node, d dot) (value, error) {
	text, err := t.textOf(nodes, d)
	if err != nil {
		return nil, err
	}
	return func() celast.Expr { return t.call(fnIsTrue, text()) }, nil
}

// isBool reports whether a pipeline's value is certainly a bool.
func (t *translator) isBool(p *parse.PipeNode) bool {
	command := p.Cmds[len(p.Cmds)-1]
	name, ok := command.Args[0].(*parse.IdentifierNode)
	if !ok {
		return false
	}
	f, _ := sprig.Lookup(name.Ident)
	return f.Result == sprig.KindBool && f.Refused == ""
}

// silentOrTrue reports whether nodes print nothing but white space and "true": rounds that print other text
// would spoil the round that prints true.
func silentOrTrue(nodes []parse.Node) bool {
	for _, n := range nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			if text := strings.TrimSpace(string(n.Text)); text != "" && !isTrue(text) {
				return false
			}
		case *parse.IfNode:
			if !silentBranch(&n.BranchNode) {
				return false
			}
		case *parse.WithNode:
			if !silentBranch(&n.BranchNode) {
				return false
			}
		case *parse.ActionNode:
			if len(n.Pipe.Decl) == 0 || n.Pipe.IsAssign {
				return false
			}
		case *parse.CommentNode:
		default:
			return false
		}
	}
	return speakers(nodes) <= 1
}

// speakers counts the nodes that may print: two in one round can print "true true".
func speakers(nodes []parse.Node) int {
	count := 0
	for _, n := range nodes {
		if action, ok := n.(*parse.ActionNode); ok && len(action.Pipe.Decl) > 0 {
			continue
		}
		if prints(n) {
			count++
		}
	}
	return count
}

func silentBranch(n *parse.BranchNode) bool {
	return silentOrTrue(n.List.Nodes) && (n.ElseList == nil || silentOrTrue(n.ElseList.Nodes))
}

// breaks reports whether a loop's body leaves it early.
func breaks(nodes []parse.Node) bool {
	for _, n := range nodes {
		switch n := n.(type) {
		case *parse.BreakNode, *parse.ContinueNode:
			return true
		case *parse.IfNode:
			if branchBreaks(&n.BranchNode) {
				return true
			}
		case *parse.WithNode:
			if branchBreaks(&n.BranchNode) {
				return true
			}
		}
	}
	return false
}

func branchBreaks(n *parse.BranchNode) bool {
	return breaks(n.List.Nodes) || n.ElseList != nil && breaks(n.ElseList.Nodes)
}
