package compat

import (
	"strings"
	"text/template/parse"

	celast "github.com/google/cel-go/common/ast"
)

// structure tells what a template prints of its own from what it prints of values: in a document that is text only the
// former can be YAML. It holds the names of the variables that never hold anything but signs that the template has written,
// such as the comma that stands before each item but the first.
type structure map[string]bool

// signs are what an action may print as YAML. Quotes are not among them: in quotes they are text.
const signs = ",:-[]{} \n"

// structure looks at all that is given to variables, whichever of the same name it is.
func (p *parsed) structure() structure {
	held := structure{}
	give := func(name string, own bool) {
		before, known := held[name]
		held[name] = own && (before || !known)
	}
	for _, tree := range p.templates {
		if tree == nil || tree.Root == nil {
			continue
		}
		eachNode(tree.Root, func(n parse.Node) {
			b := branchOf(n)
			_, loop := n.(*parse.RangeNode)
			switch action, ok := n.(*parse.ActionNode); {
			case ok:
				giveAll(action.Pipe, ownSigns(action.Pipe), give)
			case b != nil:
				giveAll(b.Pipe, !loop && ownSigns(b.Pipe), give)
			}
		})
	}
	return held
}

func giveAll(p *parse.PipeNode, own bool, give func(name string, own bool)) {
	for _, name := range p.Decl {
		give(name.Ident[0], own)
	}
}

func eachNode(n parse.Node, visit func(parse.Node)) {
	visit(n)
	for _, child := range children(n) {
		eachNode(child, visit)
	}
}

// ownSigns reports whether a pipeline is signs that the template has written.
func ownSigns(p *parse.PipeNode) bool {
	text, ok := soleArgument(p).(*parse.StringNode)
	return ok && strings.Trim(text.Text, signs) == ""
}

// soleArgument is what a pipeline consists of, or nil.
func soleArgument(p *parse.PipeNode) parse.Node {
	if len(p.Cmds) != 1 || len(p.Cmds[0].Args) != 1 {
		return nil
	}
	return p.Cmds[0].Args[0]
}

// has reports whether a pipeline prints nothing but signs of the template.
func (s structure) has(p *parse.PipeNode) bool {
	variable, ok := soleArgument(p).(*parse.VariableNode)
	return ownSigns(p) || ok && len(variable.Ident) == 1 && s[variable.Ident[0]]
}

// marked lowers an action to the text that it prints, marked as a value.
func (t *translator) marked(n *parse.ActionNode, d dot) (maker, error) {
	indented, spaces := indentation(n, true)
	printed, err := t.printed(indented, d)
	if err != nil {
		return nil, err
	}
	kind := markedText
	switch name, _, args := lastCall(indented.Pipe); {
	case len(args) > 0:
	case isJSONFunction(name):
		kind = markedJSON
	case name == "quote" || name == "squote":
		kind = markedQuoted
	}
	held := t.at(n.Pos, func() celast.Expr { return t.call(fnMark, t.text(kind), printed()) })
	if spaces == "" {
		return held, nil
	}
	return t.joined([]maker{func() celast.Expr { return t.text(spaces) }, held}), nil
}
