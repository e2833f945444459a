package compat

import (
	"github.com/clusterimport/clusterimport/pkg/compat/sprig"
)

// lowering decides which CEL form an operation of a template takes; the translator decides which operations there
// are. exact is the lowering that runs: it gives what text/template gives, value or error.
type lowering interface {
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
	// each is the list of what a range with one variable or none visits.
	each(x value) visit
	// pairs is the list of what a range with two variables visits: each item is a list of key and value.
	pairs(x value) visit
	// when is a choice between two bools.
	when(test, yes, no maker) maker
	// rounds is true when one round of a loop is true, and no other; with first, the rounds after it are not evaluated.
	rounds(over maker, item string, body maker, first bool) maker
}

// visit is what a range goes through.
type visit struct {
	// over makes the list.
	over maker
	// key and item are what is known of a round's key and value; they have no expression yet.
	key, item value
}
