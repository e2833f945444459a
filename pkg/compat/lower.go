package compat

import (
	"fmt"
	"slices"
	"strings"
	"text/template/parse"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"

	"github.com/clusterimport/clusterimport/pkg/compat/sprig"
	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// translator lowers the nodes of one template.
type translator struct {
	*builder

	low lowering
	// env is what the field may use; names says that it sees only the source.
	scope     expr.Scope
	variables variables
	// dollar is what the variable $ is: the data, or the argument of a template within the template.
	dollar dot
	// templates are those that the template defines; within are those that are being lowered.
	templates map[string]*parse.Tree
	within    []string
	// structure is set for a document that is text: what else its actions print is marked.
	structure structure
	// breaksWhenTrue says that the loop around ends where its round is true: nothing need be known of its breaks.
	breaksWhenTrue bool
	// lowered counts nodes, bindings the names that stand in each other.
	lowered, bindings int
	warnings          diag.List
}

// variables are those in scope; the last of a name is the one that counts.
type variables []variable

// variable is a variable of the template.
type variable struct {
	name  string
	value value
}

// dot is what a field chain starts from: the root of the data, or a value.
type dot struct {
	root  bool
	value value
}

var rootDot = dot{root: true}

// pipe lowers a pipeline's value. Declarations are the caller's.
func (t *translator) pipe(p *parse.PipeNode, d dot) (value, error) {
	var piped *value
	for _, command := range p.Cmds {
		v, err := t.command(command, d, piped)
		if err != nil {
			return value{}, err
		}
		piped = &v
	}
	return *piped, nil
}

// command lowers one command of a pipeline; piped is its last argument, if it has one before it.
func (t *translator) command(c *parse.CommandNode, d dot, piped *value) (value, error) {
	if name, ok := c.Args[0].(*parse.IdentifierNode); ok {
		return t.functionCall(name, c.Args[1:], d, piped)
	}
	if len(c.Args) > 1 || piped != nil {
		return value{}, t.source.refuse(CodeUnsupported, c.Position(), "only a function takes arguments")
	}
	if _, ok := c.Args[0].(*parse.NilNode); ok {
		return value{}, t.source.refuse(CodeParse, c.Position(), "nil is not a command")
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
			return value{}, err
		}
		return t.chain(base, n.Ident[1:], pos)
	case *parse.DotNode:
		return t.whole(d, pos), nil
	case *parse.ChainNode:
		base, err := t.operand(n.Node, d)
		if err != nil {
			return value{}, err
		}
		return t.chain(dot{value: base}, n.Field, pos)
	case *parse.PipeNode:
		v, err := t.pipe(n, d)
		if err != nil {
			return value{}, err
		}
		return t.valueAt(pos, t.low.normal(v)), nil
	case *parse.IdentifierNode:
		return t.functionCall(n, nil, d, nil)
	default:
		return t.constantNode(n)
	}
}

func (t *translator) constantNode(n parse.Node) (value, error) {
	var v value
	switch n := n.(type) {
	case *parse.StringNode:
		v = t.constantOf(textSchema, types.String(n.Text))
	case *parse.BoolNode:
		v = t.constantOf(boolSchema, types.Bool(n.True))
	case *parse.NilNode:
		v = value{simple: true, make: t.absent}
	case *parse.NumberNode:
		return t.numberNode(n, sprig.KindAny)
	default:
		return value{}, t.source.refuse(CodeUnsupported, n.Position(), "%s is not supported here", n)
	}
	return t.valueAt(n.Position(), v), nil
}

// number is a number of the template. It takes the kind of the parameter that it is an argument for, if it can.
func (t *translator) numberNode(n *parse.NumberNode, want sprig.Kind) (value, error) {
	if !n.IsInt && n.IsUint && want != sprig.KindFloat && !decimal(n.Text) {
		return value{}, t.source.refuse(CodeUnsupported, n.Pos, "the number %s is too large for an integer", n.Text)
	}
	switch {
	case want != sprig.KindFloat && n.IsInt && (want == sprig.KindInt || !decimal(n.Text)):
		return t.valueAt(n.Pos, t.goInteger(n.Int64)), nil
	case n.IsFloat:
		return t.valueAt(n.Pos, t.constantOf(floatSchema, types.Double(n.Float64))), nil
	case n.IsInt:
		return t.valueAt(n.Pos, t.goInteger(n.Int64)), nil
	default:
		return value{}, t.source.refuse(CodeUnsupported, n.Pos, "complex numbers are not supported")
	}
}

// decimal reports whether a number is written as a float: 3.0 is one, though its value is an integer.
func decimal(text string) bool {
	return strings.ContainsAny(text, ".pP") || !strings.HasPrefix(text, "0x") && strings.ContainsAny(text, "eE") && text[0] != '\''
}

// variable returns what a variable's fields are selected from.
func (t *translator) variable(n *parse.VariableNode) (dot, error) {
	if n.Ident[0] == "$" {
		return t.dollar, nil
	}
	if i := t.variables.slot(n.Ident[0]); i >= 0 {
		return dot{value: t.variables[i].value}, nil
	}
	return dot{}, t.source.refuse(CodeUnsupported, n.Pos, "the variable %s is not in scope here", n.Ident[0])
}

// slot returns where the innermost variable of that name stands, or -1.
func (vs variables) slot(name string) int {
	for i, v := range slices.Backward(vs) {
		if v.name == name {
			return i
		}
	}
	return -1
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
		return t.get(t.object(func() celast.Expr { return t.ident(expr.SourceVariable) }, t.scope.Source), fields[1:], pos), nil
	case expr.ReferencesVariable:
		return t.reference(fields[1:], pos)
	default:
		return t.valueAt(pos, value{simple: true, make: t.absent}), nil
	}
}

// object is a whole Kubernetes object.
func (t *translator) object(self maker, schema *expr.Schema) value {
	schema, open := objectSchema(schema)
	return value{schema: schema, presence: present, make: self, simple: true, place: wholeObject, open: open}
}

// reference lowers .references.key…: the key is selected by CEL itself, so that a missing object is known to
// be missing and not taken for an absent value.
func (t *translator) reference(fields []string, pos parse.Pos) (value, error) {
	if len(t.scope.References) == 0 {
		d := t.source.at(CodeReferencesInName, pos, "no reference can be used here: a name and a selector see the source alone, a reference those before it")
		d.Hint = "use the source, or declare the reference before the one that needs it"
		return value{}, &refusal{diag.List{d}}
	}
	if len(fields) == 0 {
		return t.valueAt(pos, unknown(func() celast.Expr { return t.ident(expr.ReferencesVariable) })), nil
	}
	i := slices.Index(t.scope.Keys(), fields[0])
	if i < 0 {
		d := t.source.at(CodeUnknownReference, pos, fmt.Sprintf("unknown reference %q; declared are %q", fields[0], t.scope.Keys()))
		d.Hint = "declare it in references, before the field that uses it"
		if meant := closest(fields[0], t.scope.Keys()); meant != "" {
			d.Hint = "did you mean " + meant + "?"
		}
		return value{}, &refusal{diag.List{d}}
	}
	object := func() celast.Expr { return t.selectField(t.ident(expr.ReferencesVariable), fields[0]) }
	return t.get(t.object(object, t.scope.References[i].Schema), fields[1:], pos), nil
}

func (t *translator) get(base value, fields []string, pos parse.Pos) value {
	if len(fields) == 0 {
		return t.valueAt(pos, base)
	}
	t.lintFields(base, fields, pos)
	return t.valueAt(pos, t.low.field(base, fields))
}

// whole is the value of the dot itself.
func (t *translator) whole(d dot, pos parse.Pos) value {
	if !d.root {
		return t.valueAt(pos, d.value)
	}
	return t.valueAt(pos, unknown(func() celast.Expr {
		entries := []celast.EntryExpr{t.entry(expr.SourceVariable)}
		if len(t.scope.References) > 0 {
			entries = append(entries, t.entry(expr.ReferencesVariable))
		}
		return t.factory.NewMap(t.id(), entries)
	}))
}

func (t *translator) entry(name string) celast.EntryExpr {
	return t.factory.NewMapEntry(t.id(), t.text(name), t.ident(name), false)
}

// functionCall lowers a call; piped, if any, is the last argument.
func (t *translator) functionCall(name *parse.IdentifierNode, nodes []parse.Node, d dot, piped *value) (value, error) {
	args, err := t.arguments(name.Ident, nodes, d)
	if err != nil {
		return value{}, err
	}
	if piped != nil {
		args = append(args, t.valueAt(name.Pos, t.low.normal(*piped)))
	}
	if name.Ident == "and" || name.Ident == "or" {
		if len(args) == 0 {
			return value{}, t.source.refuse(CodeParse, name.Pos, "%s needs an argument", name.Ident)
		}
		return t.valueAt(name.Pos, t.low.logical(name.Ident == "and", args)), nil
	}
	f, ok := sprig.Lookup(name.Ident)
	if !ok || f.Refused != "" {
		return value{}, &refusal{diag.List{t.source.refusedFunction(f, name)}}
	}
	if len(args) < f.MinArgs || f.MaxArgs >= 0 && len(args) > f.MaxArgs {
		return value{}, t.source.refuse(CodeParse, name.Pos, "wrong number of arguments for %s: got %d", name.Ident, len(args))
	}
	t.lintCall(f, args, name.Pos)
	t.pos = name.Pos
	v := t.low.function(f, args)
	v.decoded = name.Ident == "b64dec"
	return t.valueAt(name.Pos, v), nil
}

func (t *translator) arguments(function string, nodes []parse.Node, d dot) ([]value, error) {
	if function == "index" && len(nodes) > 1 {
		if v, rest, err := t.indexedReference(nodes, d); v != nil || err != nil {
			return append([]value{*v}, rest...), err
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

func (t *translator) argument(n parse.Node, want sprig.Kind, d dot) (value, error) {
	if number, ok := n.(*parse.NumberNode); ok {
		return t.numberNode(number, want)
	}
	return t.operand(n, d)
}

// indexedReference recognises index .references "key" …: the object is then the first argument, and the keys
// after it are the others.
func (t *translator) indexedReference(nodes []parse.Node, d dot) (*value, []value, error) {
	chain, ok := nodes[0].(*parse.FieldNode)
	key, isText := nodes[1].(*parse.StringNode)
	if !ok || !isText || !d.root || len(chain.Ident) != 1 || chain.Ident[0] != expr.ReferencesVariable {
		return nil, nil, nil
	}
	object, err := t.reference([]string{key.Text}, nodes[1].Position())
	if err != nil {
		return &value{}, nil, err
	}
	rest, err := t.arguments("", nodes[2:], d)
	return &object, rest, err
}
