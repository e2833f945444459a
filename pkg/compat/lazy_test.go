package compat_test

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"text/template"
	"text/template/parse"
)

// lazy reports whether an outcome differs from the original's failure only because CEL does not evaluate what cannot
// reach the result (D10). It is told without the translator: the expression at which the original fails, or one around
// it, is replaced by constants of every kind, and whenever the original then succeeds, its outcome must be the one in
// question. A field is replaced only where it fails, which may be in one round of a loop.
func (o original) lazy(data map[string]any, same func(outcome) bool) bool {
	return o.lazyWithin(data, same, 2)
}

func (o original) lazyWithin(data map[string]any, same func(outcome) bool, depth int) bool {
	at := failureAt(o.execute(data).err)
	if at == "" {
		return false
	}
	for place := range o.places(at) {
		if o.lazyAt(at, place, data, same, depth) {
			return true
		}
	}
	return false
}

func (o original) lazyAt(at string, place int, data map[string]any, same func(outcome) bool, depth int) bool {
	agreed := 0
	for _, constant := range constants() {
		replaced := o.replaced(at, place, constant)
		got := replaced.execute(data)
		switch {
		case got.err == nil && !same(got):
			return false
		case got.err == nil:
			agreed++
		case agreed > 2:
			return true
		case depth > 0 && failureAt(got.err) != at && replaced.lazyWithin(data, same, depth-1):
			agreed++
		}
	}
	return agreed > 1
}

var failure = regexp.MustCompile(`^template: (field:\d+:\d+): executing`)

// failureAt is where a template fails, as the parser names the places of nodes.
func failureAt(err error) string {
	failed, ok := errors.AsType[template.ExecError](err)
	if !ok {
		return ""
	}
	if m := failure.FindStringSubmatch(failed.Error()); m != nil {
		return m[1]
	}
	return ""
}

// constants are operands of every kind. Their places are those of a template of another name.
var constants = sync.OnceValue(func() []parse.Node {
	var out []parse.Node
	for _, src := range []string{`"zq"`, `""`, `0`, `7`, `1.5`, `true`, `false`, `(dict).zq`, `list "zq"`, `dict "zq" 1`} {
		t := template.Must(template.New("constant").Funcs(functions).Parse("{{ len (" + src + ") }}"))
		out = append(out, t.Root.Nodes[0].(*parse.ActionNode).Pipe.Cmds[0].Args[1])
	}
	return out
})

// places counts what could be replaced at a place of failure.
func (o original) places(at string) int {
	r := &replacer{at: at, left: -1}
	for _, t := range o.sorted() {
		r.tree = t.Tree
		r.node(t.Root)
	}
	return r.seen
}

// replaced is the template with one operand replaced by a constant.
func (o original) replaced(at string, place int, constant parse.Node) original {
	out := template.Must(bare.Clone())
	r := &replacer{at: at, left: place, constant: constant}
	for _, t := range o.sorted() {
		r.tree = t.Copy()
		r.node(r.tree.Root)
		template.Must(out.AddParseTree(t.Name(), r.tree))
	}
	return original{out}
}

func (o original) sorted() []*template.Template {
	named := map[string]*template.Template{}
	for _, t := range o.Templates() {
		named[t.Name()] = t
	}
	var out []*template.Template
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if named[name].Tree != nil {
			out = append(out, named[name])
		}
	}
	return out
}

// replacer walks a tree and replaces the operand that is left to be found: one at the place of the failure or around
// it, since the engine names the last place that it has seen, which may be within what it refuses.
type replacer struct {
	tree     *parse.Tree
	at       string
	constant parse.Node
	left     int
	seen     int
}

func (r *replacer) here(n parse.Node) bool {
	at, _ := r.tree.ErrorContext(n)
	return at == r.at
}

// hit counts an operand and reports whether it is the one to replace.
func (r *replacer) hit() bool {
	r.seen++
	return r.seen-1 == r.left
}

func (r *replacer) node(n parse.Node) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n != nil {
			for _, child := range n.Nodes {
				r.node(child)
			}
		}
	case *parse.ActionNode:
		r.pipe(n.Pipe)
	case *parse.TemplateNode:
		if n.Pipe != nil {
			r.pipe(n.Pipe)
		}
	case *parse.IfNode:
		r.branch(&n.BranchNode)
	case *parse.WithNode:
		r.branch(&n.BranchNode)
	case *parse.RangeNode:
		r.branch(&n.BranchNode)
	}
}

func (r *replacer) branch(n *parse.BranchNode) {
	r.pipe(n.Pipe)
	r.node(n.List)
	r.node(n.ElseList)
}

// pipe reports whether the failure is in a pipeline.
func (r *replacer) pipe(p *parse.PipeNode) bool {
	found := false
	for i, command := range p.Cmds {
		inside := r.here(command)
		for j, arg := range command.Args {
			if !r.operand(arg) {
				continue
			}
			inside = true
			if j > 0 && r.hit() {
				command.Args[j] = r.instead(arg)
			}
		}
		found = found || inside
		if found && r.hit() {
			instead := r.constant
			if len(command.Args) == 1 {
				instead = r.instead(command.Args[0])
			}
			command.Args = []parse.Node{instead}
			p.Cmds = p.Cmds[i:]
			return true
		}
	}
	return found || r.here(p)
}

// instead is what an operand is replaced by.
func (r *replacer) instead(n parse.Node) parse.Node {
	switch n := n.(type) {
	case *parse.FieldNode:
		return r.fieldOr(&parse.DotNode{NodeType: parse.NodeDot}, n.Ident)
	case *parse.VariableNode:
		return r.fieldOr(&parse.VariableNode{NodeType: parse.NodeVariable, Ident: n.Ident[:1]}, n.Ident[1:])
	default:
		return r.constant
	}
}

// fieldOr calls the function of that name.
func (r *replacer) fieldOr(of parse.Node, names []string) parse.Node {
	args := []parse.Node{parse.NewIdentifier("fieldOr"), r.constant, of}
	for _, name := range names {
		args = append(args, &parse.StringNode{NodeType: parse.NodeString, Quoted: strconv.Quote(name), Text: name})
	}
	call := &parse.CommandNode{NodeType: parse.NodeCommand, Args: args}
	return &parse.PipeNode{NodeType: parse.NodePipe, Cmds: []*parse.CommandNode{call}}
}

// fieldOr is a field of a value, or something else where a template fails.
func fieldOr(otherwise, of any, names ...string) any {
	for i, name := range names {
		fields, ok := of.(map[string]any)
		if !ok && (i == 0 || of != nil) {
			return otherwise
		}
		val, there := fields[name]
		if there && val == nil && i+1 < len(names) {
			return otherwise
		}
		of = val
	}
	return of
}

// operand reports whether the failure is at an operand or within it.
func (r *replacer) operand(n parse.Node) bool {
	switch n := n.(type) {
	case *parse.PipeNode:
		return r.pipe(n)
	case *parse.ChainNode:
		n.Node = n.Node.Copy() // the parser's own copy of a chain shares it
		inside := r.operand(n.Node)
		if inside && r.hit() {
			n.Node = r.constant
		}
		return inside || r.here(n)
	}
	return r.here(n)
}
