package compat

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/clusterimport/clusterimport/pkg/compat/sprig"
	"github.com/clusterimport/clusterimport/pkg/diag"
)

// maxNesting is how deep actions and parentheses may stand in each other.
const maxNesting = 200

// checker looks at all of a template, what is never reached too.
type checker struct {
	source source
	list   diag.List
	nodes  int
	// declared are the variables, with the pipelines of their declarations; used are those that are read.
	declared []*parse.PipeNode
	used     map[string]bool
}

// check finds what is wrong with a template whatever it is evaluated with: functions that are refused, sizes, and what
// templates mean that their authors may not.
func (p *parsed) check() diag.List {
	c := &checker{source: p.source, used: map[string]bool{}}
	names := make([]string, 0, len(p.templates))
	for name := range p.templates {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if tree := p.templates[name]; tree != nil && tree.Root != nil {
			c.walk(tree.Root, 0)
		}
	}
	for _, d := range c.declared {
		name := d.Decl[0].Ident[0]
		if !c.used[name] && mayFail(d) {
			c.warn(CodeUnused, d.Position(), fmt.Sprintf("the variable %s is never used: its value is not evaluated, and an error in it is not noticed", name),
				"take the variable away, or use it")
		}
	}
	return c.list
}

func (c *checker) warn(code diag.Code, pos parse.Pos, message, hint string) {
	if !c.list.Full(diag.Warning) {
		c.list = append(c.list, c.source.warning(code, pos, message, hint))
	}
}

func (s source) warning(code diag.Code, pos parse.Pos, message, hint string) diag.Diagnostic {
	d := diag.At(diag.Warning, code, s.field, s.text, int(pos), message)
	d.Hint = hint
	return d
}

// mayFail reports whether evaluating a pipeline can be an error.
func mayFail(p *parse.PipeNode) bool {
	if len(p.Cmds) != 1 || len(p.Cmds[0].Args) != 1 {
		return true
	}
	switch n := p.Cmds[0].Args[0].(type) {
	case *parse.StringNode, *parse.NumberNode, *parse.BoolNode, *parse.DotNode:
		return false
	case *parse.VariableNode:
		return len(n.Ident) > 1
	default:
		return true
	}
}

// walk visits a node and all below it.
func (c *checker) walk(n parse.Node, depth int) {
	c.nodes++
	if depth > maxNesting || c.nodes > maxTemplateNodes {
		if c.nodes <= maxTemplateNodes {
			c.list = append(c.list, c.source.tooLarge(n.Position(), tooDeep))
		} else if c.nodes == maxTemplateNodes+1 {
			message := fmt.Sprintf("the template is too large: it has more than %d nodes", maxTemplateNodes)
			c.list = append(c.list, c.source.tooLarge(n.Position(), message))
		}
		return
	}
	for _, child := range children(n) {
		c.walk(child, depth+1)
	}
	switch n := n.(type) {
	case *parse.TextNode:
		c.html(n)
	case *parse.ActionNode:
		if len(n.Pipe.Decl) == 1 && !n.Pipe.IsAssign {
			c.declared = append(c.declared, n.Pipe)
		}
	case *parse.VariableNode:
		c.used[n.Ident[0]] = true
	case *parse.IdentifierNode:
		c.function(n)
	}
}

// children are the nodes within a node.
func children(n parse.Node) []parse.Node {
	var list []parse.Node
	switch n := n.(type) {
	case *parse.ListNode:
		return n.Nodes
	case *parse.ActionNode:
		return []parse.Node{n.Pipe}
	case *parse.TemplateNode:
		if n.Pipe != nil {
			return []parse.Node{n.Pipe}
		}
	case *parse.PipeNode:
		for _, command := range n.Cmds {
			list = append(list, command)
		}
	case *parse.CommandNode:
		return n.Args
	case *parse.ChainNode:
		return []parse.Node{n.Node}
	default:
		if b := branchOf(n); b != nil {
			list = []parse.Node{b.Pipe, b.List}
			if b.ElseList != nil {
				list = append(list, b.ElseList)
			}
		}
	}
	return list
}

// tooDeep is what is said of actions that nest too deep.
var tooDeep = fmt.Sprintf("actions nest more than %d deep", maxNesting)

func (s source) tooLarge(pos parse.Pos, message string) diag.Diagnostic {
	d := s.at(CodeTooLarge, pos, message)
	d.Hint = "write the template with fewer actions"
	return d
}

func (c *checker) function(n *parse.IdentifierNode) {
	f, known := sprig.Lookup(n.Ident)
	switch {
	case known && f.Refused != "" && c.list.Full(diag.Error):
	case known && f.Refused != "":
		c.list = append(c.list, c.source.refusedFunction(f, n))
	case n.Ident == "keys" || n.Ident == "values":
		c.warn(CodeOrder, n.Pos, n.Ident+" gives the items in the order of their keys; Clusterpedia's order is random",
			"sort what must have an order, with sortAlpha")
	}
}

// refusedFunction says why a function cannot be called, and what to write instead.
func (s source) refusedFunction(f sprig.Function, name *parse.IdentifierNode) diag.Diagnostic {
	why, instead, _ := strings.Cut(f.Reason, ": ")
	d := s.at(f.Refused, name.Pos, fmt.Sprintf("the function %s is refused: %s", name.Ident, why))
	d.Hint = instead
	return d
}

// markup is what html/template takes for HTML: it drops comments and escapes what stands in tags.
var markup = regexp.MustCompile(`<(!--|[a-zA-Z/]|$)`)

func (c *checker) html(n *parse.TextNode) {
	if bytes.IndexByte(n.Text, '<') < 0 || c.list.Full(diag.Warning) {
		return
	}
	if at := markup.FindIndex(n.Text); at != nil {
		c.warn(CodeHTML, n.Pos+parse.Pos(at[0]), "Clusterpedia takes this for HTML and changes what it prints; here it is text",
			"nothing, if text is meant")
	}
}
