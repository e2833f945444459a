package compat

import (
	"text/template/parse"

	"github.com/clusterimport/clusterimport/pkg/compat/sprig"
)

// lowering decides which CEL form an operation of a template takes; the translator decides which operations there
// are. exact is the lowering that runs: it gives what text/template gives, value or error. idiomatic is the one that is
// shown: it gives what a person would have written.
type lowering interface {
	lowersValues
	lowersNodes
}

// lowersValues is the part of a lowering that is about values.
type lowersValues interface {
	// field is x.a.b.
	field(x value, names []string) value
	// printed is the text that x prints.
	printed(x value) maker
	// truth is x as a condition sees it.
	truth(x value) maker
	// normal is x as a variable, parentheses or a pipe hand it on: null is absent there.
	normal(x value) value
	// logical is and, or or: an operand, of which no more are evaluated than need be.
	logical(and bool, operands []value) value
	// function calls a function, and and or excepted.
	function(f sprig.Function, args []value) value
	// repeats reports whether a value's expression may stand wherever the value is used; it is bound to a name otherwise.
	repeats(v value) bool
}

// lowersNodes is the part of a lowering that is about what nodes print.
type lowersNodes interface {
	// each is the list of what a range with one variable or none visits.
	each(x value) visit
	// pairs is the list of what a range with two variables visits: each item is a list of key and value.
	pairs(x value) visit
	// when is a choice between two bools.
	when(test, yes, no maker) maker
	// rounds is true when one round of a loop is true, and no other; with first, the rounds after it are not evaluated.
	rounds(over maker, item string, body maker, first bool) maker
	// joined is the texts one after the other, joinedRounds those of a loop.
	joined(pieces []maker) maker
	joinedRounds(over maker, item string, body maker) maker
	// isTrue is Clusterpedia's test of a condition's text.
	isTrue(text maker) maker
	// stateful says why assignments and jumps cannot be lowered, if so.
	stateful(pos parse.Pos) error
}

// visit is what a range goes through.
type visit struct {
	// over makes the list.
	over maker
	// name is what an item is like, if the template has no name for it.
	name string
	// key and item are what is known of a round's key and value; they have no expression yet.
	key, item value
}
