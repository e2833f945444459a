package expr

import (
	"maps"
	"slices"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// inputsOf finds what a checked, macro-expanded expression reads. It is sound by construction: it follows a value
// through what hands it on unchanged, selections, optionals, conditionals and loops, and counts as wholly read what
// goes into anything else. Of an extension's functions it knows those that select fields or hand on what they are given.
func inputsOf(e celast.Expr, functions Functions) *Inputs {
	in := &Inputs{}
	t := tracer{functions: functions, words: map[string][]string{}, scope: map[string]aliases{
		SourceVariable: {&in.Source}, ReferencesVariable: {&in.References},
	}}
	t.consume(e)
	return in
}

// aliases are the parts of the variables that a value may be. A value that an expression makes has none.
type aliases []*Reads

// whole marks all of them as read.
func (a aliases) whole() {
	for _, r := range a {
		r.Whole = true
	}
}

// Limits of what is followed; what goes beyond is read wholly.
const (
	// maxAliases is how many parts a value may be.
	maxAliases = 8
	// maxParts is how many parts of the variables are told apart.
	maxParts = 2000
)

type tracer struct {
	functions Functions
	scope     map[string]aliases
	// words are the texts that a loop's variable may be, where the loop is over a list of literals.
	words map[string][]string
	parts int
}

// below returns the parts that part finds in each of a.
func (t *tracer) below(a aliases, part func(*Reads) *Reads) aliases {
	if t.parts += len(a); t.parts > maxParts {
		a.whole()
		return nil
	}
	out := make(aliases, len(a))
	for i, r := range a {
		out[i] = part(r)
	}
	return out
}

func (t *tracer) field(a aliases, name string) aliases {
	return t.below(a, func(r *Reads) *Reads { return r.field(name) })
}

func (t *tracer) items(a aliases) aliases { return t.below(a, (*Reads).items) }

func union(a, b aliases) aliases {
	out := slices.Clone(a)
	for _, r := range b {
		if !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	if len(out) > maxAliases {
		out.whole()
		return nil
	}
	return out
}

// consume traces an expression whose value is used in a way that is not followed.
func (t *tracer) consume(list ...celast.Expr) {
	for _, e := range list {
		t.trace(e).whole()
	}
}

// trace marks what an expression reads and returns what its value may be.
func (t *tracer) trace(e celast.Expr) aliases {
	switch e.Kind() {
	case celast.IdentKind:
		return t.scope[e.AsIdent()]
	case celast.SelectKind:
		field := t.field(t.trace(e.AsSelect().Operand()), e.AsSelect().FieldName())
		if e.AsSelect().IsTestOnly() {
			return nil
		}
		return field
	case celast.CallKind:
		return t.call(e.AsCall())
	case celast.ListKind:
		t.consume(e.AsList().Elements()...)
	case celast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			t.consume(entry.AsMapEntry().Key(), entry.AsMapEntry().Value())
		}
	case celast.StructKind:
		for _, field := range e.AsStruct().Fields() {
			t.consume(field.AsStructField().Value())
		}
	case celast.ComprehensionKind:
		return t.loop(e.AsComprehension())
	default:
	}
	return nil
}

func (t *tracer) call(call celast.CallExpr) aliases {
	args := call.Args()
	if call.IsMemberFunction() {
		args = append([]celast.Expr{call.Target()}, args...)
	}
	switch name := call.FunctionName(); {
	case name == operators.Conditional:
		t.consume(args[0])
		return union(t.trace(args[1]), t.trace(args[2]))
	case name == operators.OptSelect, name == operators.Index, name == operators.OptIndex:
		return t.index(args[0], args[1])
	case name == "orValue" || name == "or":
		return union(t.trace(args[0]), t.trace(args[1]))
	case name == "optional.of" || name == "value" || name == "dyn":
		return t.trace(args[0])
	case name == "hasValue":
		t.trace(args[0])
		return nil
	case name == operators.In:
		t.contains(args[0], args[1])
		return nil
	case slices.Contains(t.functions.Fields, name):
		return t.fields(args[0], args[1])
	case slices.Contains(t.functions.Same, name):
		return t.trace(args[0])
	}
	t.consume(args...)
	return nil
}

// index traces a selection by a value. What is not literal may select anything.
func (t *tracer) index(value, index celast.Expr) aliases {
	from := t.trace(value)
	if words := t.wordsOf(index); words != nil {
		var fields aliases
		for _, word := range words {
			fields = union(fields, t.field(from, word))
		}
		return fields
	}
	if index.Kind() == celast.LiteralKind {
		switch index.AsLiteral().(type) {
		case types.Int, types.Uint, types.Double:
			return t.items(from)
		}
	}
	from.whole()
	t.consume(index)
	return nil
}

// contains traces a search: of an object it reads a name, of a list all items.
func (t *tracer) contains(value, in celast.Expr) {
	within := t.trace(in)
	t.items(within).whole()
	words := t.wordsOf(value)
	for _, word := range words {
		t.field(within, word)
	}
	if words == nil {
		within.whole()
		t.consume(value)
	}
}

// wordsOf are the texts that an expression may be, if they are known: a literal, or the variable of a loop over literals.
func (t *tracer) wordsOf(e celast.Expr) []string {
	switch e.Kind() {
	case celast.IdentKind:
		return t.words[e.AsIdent()]
	case celast.LiteralKind:
		if text, ok := e.AsLiteral().(types.String); ok {
			return []string{string(text)}
		}
	default:
	}
	return nil
}

// literals are the items of a list that is written out, if all are texts.
func literals(list celast.Expr) []string {
	if list.Kind() != celast.ListKind {
		return nil
	}
	var words []string
	for _, item := range list.AsList().Elements() {
		if item.Kind() != celast.LiteralKind {
			return nil
		}
		text, ok := item.AsLiteral().(types.String)
		if !ok {
			return nil
		}
		words = append(words, string(text))
	}
	return words
}

// fields traces a function that selects fields by a literal list of names.
func (t *tracer) fields(value, names celast.Expr) aliases {
	from := t.trace(value)
	for _, name := range names.AsList().Elements() {
		literal, ok := name.AsLiteral().(types.String)
		if !ok {
			from.whole()
			return nil
		}
		from = t.field(from, string(literal))
	}
	return from
}

// loop traces a comprehension: the item may be each item of a list or, with two variables, each field of an object. The
// accumulator is what it begins with, or what a step gives: that is read wholly, because it goes around.
func (t *tracer) loop(c celast.ComprehensionExpr) aliases {
	scope, words := maps.Clone(t.scope), maps.Clone(t.words)
	defer func() { t.scope, t.words = scope, words }()
	over := t.trace(c.IterRange())
	for _, r := range over {
		r.Keys = true
	}
	accumulator := t.trace(c.AccuInit())
	for _, name := range []string{c.IterVar(), c.IterVar2(), c.AccuVar()} {
		delete(t.words, name)
	}
	t.scope[c.IterVar()] = t.items(over)
	if c.HasIterVar2() {
		t.scope[c.IterVar()], t.scope[c.IterVar2()] = nil, t.scope[c.IterVar()]
	} else if found := literals(c.IterRange()); found != nil {
		t.words[c.IterVar()] = found
	}
	t.scope[c.AccuVar()] = accumulator
	t.consume(c.LoopCondition())
	step := t.trace(c.LoopStep())
	if both := union(accumulator, step); len(both) != len(accumulator) {
		both.whole()
		t.scope[c.AccuVar()] = both
	}
	return t.trace(c.Result())
}
