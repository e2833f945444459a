package compat

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/template/parse"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"

	"github.com/clusterimport/clusterimport/pkg/compat/sprig"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// value makes a CEL expression, afresh each time: nodes of a tree must not be shared.
type value func() celast.Expr

// translator lowers the nodes of one template.
type translator struct {
	*builder

	// keys are the references that the field may use; names says that it sees only the source.
	keys      []string
	names     bool
	variables []variable
}

// variable is a template variable in scope; the last of a name is the one that counts.
type variable struct {
	name  string
	value value
}

func newTranslator(env *expr.Env, s source) *translator {
	keys := env.Scope().Keys()
	return &translator{builder: newBuilder(s), keys: keys, names: len(keys) == 0}
}

// dot is what a field chain starts from: the root of the data, or a value.
type dot struct {
	root  bool
	value value
}

var rootDot = dot{root: true}

// pipe lowers a pipeline's value. Declarations are the caller's.
func (t *translator) pipe(p *parse.PipeNode, d dot) (value, error) {
	var piped value
	for _, command := range p.Cmds {
		v, err := t.command(command, d, piped)
		if err != nil {
			return nil, err
		}
		piped = v
	}
	return piped, nil
}

// command lowers one command of a pipeline; piped is its last argument, if it has one before it.
func (t *translator) command(c *parse.CommandNode, d dot, piped value) (value, error) {
	t.pos = c.Position()
	if name, ok := c.Args[0].(*parse.IdentifierNode); ok {
		return t.function(name, c.Args[1:], d, piped)
	}
	if len(c.Args) > 1 || piped != nil {
		return nil, t.source.refuse(CodeUnsupported, c.Position(), "only a function takes arguments")
	}
	if _, ok := c.Args[0].(*parse.NilNode); ok {
		return nil, t.source.refuse(CodeParse, c.Position(), "nil is not a command")
	}
	return t.operand(c.Args[0], d)
}

// operand lowers a node that is a value.
func (t *translator) operand(n parse.Node, d dot) (value, error) {
	pos := n.Position()
	switch n := n.(type) {
	case *parse.FieldNode:
		return t.chain(d, n.Ident, pos)
	case *parse.VariableNode:
		base, err := t.variable(n)
		if err != nil {
			return nil, err
		}
		return t.chain(base, n.Ident[1:], pos)
	case *parse.DotNode:
		return t.whole(d, pos), nil
	case *parse.ChainNode:
		base, err := t.operand(n.Node, d)
		if err != nil {
			return nil, err
		}
		return t.chain(dot{value: base}, n.Field, pos)
	case *parse.PipeNode:
		v, err := t.pipe(n, d)
		if err != nil {
			return nil, err
		}
		return t.norm(v, pos), nil
	case *parse.StringNode:
		return t.at(pos, func() celast.Expr { return t.text(n.Text) }), nil
	case *parse.BoolNode:
		return t.at(pos, func() celast.Expr { return t.truth(n.True) }), nil
	case *parse.NilNode:
		return t.at(pos, t.absent), nil
	case *parse.NumberNode:
		return t.number(n)
	case *parse.IdentifierNode:
		return t.function(n, nil, d, nil)
	default:
		return nil, t.source.refuse(CodeUnsupported, pos, "%s is not supported here", n)
	}
}

// at makes the nodes of v point at pos.
func (t *translator) at(pos parse.Pos, v value) value {
	return func() celast.Expr {
		t.pos = pos
		return v()
	}
}

func (t *translator) number(n *parse.NumberNode) (value, error) {
	switch {
	case n.IsInt && !decimal(n.Text):
		return t.at(n.Pos, func() celast.Expr { return t.call(fnInt, t.literal(types.Int(n.Int64))) }), nil
	case n.IsFloat:
		return t.at(n.Pos, func() celast.Expr { return t.literal(types.Double(n.Float64)) }), nil
	default:
		return nil, t.source.refuse(CodeUnsupported, n.Pos, "complex numbers are not supported")
	}
}

// decimal reports whether a number is written as a float: 3.0 is one, though its value is an integer.
func decimal(text string) bool {
	return strings.ContainsAny(text, ".pP") || !strings.HasPrefix(text, "0x") && strings.ContainsAny(text, "eE") && text[0] != '\''
}

// argument lowers an argument of a function. A number takes the kind of its parameter, if it can.
func (t *translator) argument(n parse.Node, want sprig.Kind, d dot) (value, error) {
	number, ok := n.(*parse.NumberNode)
	switch {
	case ok && want == sprig.KindInt && number.IsInt:
		return t.at(number.Pos, func() celast.Expr { return t.call(fnInt, t.literal(types.Int(number.Int64))) }), nil
	case ok && want == sprig.KindFloat && number.IsFloat:
		return t.at(number.Pos, func() celast.Expr { return t.literal(types.Double(number.Float64)) }), nil
	default:
		return t.operand(n, d)
	}
}

// variable returns what a variable's fields are selected from; $ is the root.
func (t *translator) variable(n *parse.VariableNode) (dot, error) {
	if n.Ident[0] == "$" {
		return rootDot, nil
	}
	for _, v := range slices.Backward(t.variables) {
		if v.name == n.Ident[0] {
			return dot{value: v.value}, nil
		}
	}
	return dot{}, t.source.refuse(CodeUnsupported, n.Pos, "the variable %s is not in scope here", n.Ident[0])
}

// chain lowers .a.b from d.
func (t *translator) chain(d dot, fields []string, pos parse.Pos) (value, error) {
	if !d.root {
		return t.get(d.value, fields, pos), nil
	}
	if len(fields) == 0 {
		return t.whole(d, pos), nil
	}
	switch fields[0] {
	case expr.SourceVariable:
		return t.get(func() celast.Expr { return t.ident(expr.SourceVariable) }, fields[1:], pos), nil
	case expr.ReferencesVariable:
		return t.reference(fields[1:], pos)
	default:
		return t.at(pos, t.absent), nil
	}
}

// reference lowers .references.key…: the key is selected by CEL itself, so that a missing object is known to
// be missing and not taken for an absent value.
func (t *translator) reference(fields []string, pos parse.Pos) (value, error) {
	if t.names {
		return nil, t.source.refuse(CodeReferencesInName, pos, "this field cannot use references: it sees only those declared before it")
	}
	if len(fields) == 0 {
		return t.at(pos, func() celast.Expr { return t.ident(expr.ReferencesVariable) }), nil
	}
	if !slices.Contains(t.keys, fields[0]) {
		return nil, t.source.refuse(CodeUnknownReference, pos, "unknown reference %q; declared are %q", fields[0], t.keys)
	}
	object := func() celast.Expr { return t.selectField(t.ident(expr.ReferencesVariable), fields[0]) }
	return t.get(object, fields[1:], pos), nil
}

func (t *translator) get(base value, fields []string, pos parse.Pos) value {
	if len(fields) == 0 {
		return t.at(pos, base)
	}
	return t.at(pos, func() celast.Expr {
		names := make([]celast.Expr, len(fields))
		for i, name := range fields {
			names[i] = t.text(name)
		}
		return t.call(fnGet, base(), t.list(names...))
	})
}

// whole is the value of the dot itself.
func (t *translator) whole(d dot, pos parse.Pos) value {
	if !d.root {
		return t.at(pos, d.value)
	}
	return t.at(pos, func() celast.Expr {
		entries := []celast.EntryExpr{t.entry(expr.SourceVariable)}
		if !t.names {
			entries = append(entries, t.entry(expr.ReferencesVariable))
		}
		return t.factory.NewMap(t.id(), entries)
	})
}

func (t *translator) entry(name string) celast.EntryExpr {
	return t.factory.NewMapEntry(t.id(), t.text(name), t.ident(name), false)
}

func (t *translator) norm(v value, pos parse.Pos) value {
	return t.at(pos, func() celast.Expr { return t.call(fnNorm, v()) })
}

// function lowers a call; piped, if any, is the last argument.
func (t *translator) function(name *parse.IdentifierNode, nodes []parse.Node, d dot, piped value) (value, error) {
	args, err := t.arguments(name.Ident, nodes, d)
	if err != nil {
		return nil, err
	}
	if piped != nil {
		args = append(args, t.norm(piped, name.Pos))
	}
	switch name.Ident {
	case "and", "or":
		if len(args) == 0 {
			return nil, t.source.refuse(CodeParse, name.Pos, "%s needs an argument", name.Ident)
		}
		return t.logical(name.Ident == "and", args, name.Pos), nil
	}
	f, ok := sprig.Lookup(name.Ident)
	if !ok || f.Refused != "" {
		return nil, t.refuseFunction(f, name)
	}
	if len(args) < f.MinArgs || f.MaxArgs >= 0 && len(args) > f.MaxArgs {
		return nil, t.source.refuse(CodeParse, name.Pos, "wrong number of arguments for %s: got %d", name.Ident, len(args))
	}
	return t.at(name.Pos, func() celast.Expr {
		made := make([]celast.Expr, len(args))
		for i, arg := range args {
			made[i] = arg()
		}
		t.pos = name.Pos
		return t.call(fnPrefix+name.Ident, t.list(made...))
	}), nil
}

// refuseFunction says why a function cannot be called, and what to write instead.
func (t *translator) refuseFunction(f sprig.Function, name *parse.IdentifierNode) error {
	why, instead, _ := strings.Cut(f.Reason, ": ")
	d := t.source.at(cmp.Or(f.Refused, CodeUnsupported), name.Pos, fmt.Sprintf("the function %s is refused: %s", name.Ident, why))
	d.Hint = instead
	return &refusal{d}
}

func (t *translator) arguments(function string, nodes []parse.Node, d dot) ([]value, error) {
	if function == "index" && len(nodes) > 1 {
		if v, rest, err := t.indexedReference(nodes, d); v != nil || err != nil {
			return append([]value{v}, rest...), err
		}
	}
	f, _ := sprig.Lookup(function)
	args := make([]value, 0, len(nodes)+1)
	for i, n := range nodes {
		v, err := t.argument(n, f.Param(i), d)
		if err != nil {
			return nil, err
		}
		args = append(args, v)
	}
	return args, nil
}

// indexedReference recognises index .references "key" …: the object is then the first argument, and the keys
// after it are the others.
func (t *translator) indexedReference(nodes []parse.Node, d dot) (value, []value, error) {
	chain, ok := nodes[0].(*parse.FieldNode)
	key, isText := nodes[1].(*parse.StringNode)
	if !ok || !isText || !d.root || len(chain.Ident) != 1 || chain.Ident[0] != expr.ReferencesVariable {
		return nil, nil, nil
	}
	object, err := t.reference([]string{key.Text}, nodes[1].Position())
	if err != nil {
		return nil, nil, err
	}
	rest, err := t.arguments("", nodes[2:], d)
	return object, rest, err
}

// logical is and/or: they return an operand and evaluate no more of them than they need.
func (t *translator) logical(and bool, args []value, pos parse.Pos) value {
	if len(args) == 1 {
		return t.at(pos, func() celast.Expr { return t.call("dyn", args[0]()) })
	}
	rest := t.logical(and, args[1:], pos)
	return t.at(pos, func() celast.Expr {
		name := t.fresh()
		held := func() celast.Expr { return t.ident(name) }
		test := t.call(fnTruth, held())
		first := t.call("dyn", args[0]())
		if and {
			return t.bind(name, first, t.choose(test, rest(), held()))
		}
		return t.bind(name, first, t.choose(test, held(), rest()))
	})
}
