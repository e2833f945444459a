package compat

import (
	"maps"
	"strings"
	"text/template/parse"

	celast "github.com/google/cel-go/common/ast"
)

// structure tells what a template prints of its own from what it prints of values: in a document that is text only the
// former can be YAML. It holds the names of the variables that never hold anything but signs that the template has written,
// or nothing, such as the comma that stands before each item but the first.
type structure map[string]bool

// signs are what an action may print as YAML. Quotes are not among them: in quotes they are text.
const signs = ",:-[]{} \n"

// structure looks at all that is given to variables, whichever of the same name it is.
func (p *parsed) structure() structure {
	own, other := structure{}, map[string]bool{}
	for _, tree := range p.templates {
		if tree == nil || tree.Root == nil {
			continue
		}
		eachDeclaration(tree.Root, func(pipe *parse.PipeNode, loop bool) {
			text, isOwn := ownSigns(pipe)
			for _, v := range pipe.Decl {
				own[v.Ident[0]] = own[v.Ident[0]] || text != ""
				other[v.Ident[0]] = other[v.Ident[0]] || loop || !isOwn
			}
		})
	}
	maps.DeleteFunc(own, func(name string, signs bool) bool { return !signs || other[name] })
	return own
}

// eachDeclaration visits what declares or assigns variables; loop says that they are those of a range.
func eachDeclaration(n parse.Node, visit func(p *parse.PipeNode, loop bool)) {
	if action, ok := n.(*parse.ActionNode); ok {
		visit(action.Pipe, false)
	}
	if b := branchOf(n); b != nil {
		_, loop := n.(*parse.RangeNode)
		visit(b.Pipe, loop)
	}
	for _, child := range children(n) {
		eachDeclaration(child, visit)
	}
}

// ownSigns are the signs that a pipeline is, if it is nothing else.
func ownSigns(p *parse.PipeNode) (text string, ok bool) {
	literal, ok := soleArgument(p).(*parse.StringNode)
	if !ok || strings.Trim(literal.Text, signs) != "" {
		return "", false
	}
	return literal.Text, true
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
	text, _ := ownSigns(p)
	variable, ok := soleArgument(p).(*parse.VariableNode)
	return text != "" || ok && len(variable.Ident) == 1 && s[variable.Ident[0]]
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
