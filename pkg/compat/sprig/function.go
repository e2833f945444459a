package sprig

import (
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// Absent is a template value that is not there: a key that a map does not have. An explicit null is nil.
// The word nil in a template, as an argument, is Absent.
type Absent struct{}

// Kind is the type of a parameter or of a result.
type Kind int

// The kinds. KindAny stands for any value, null and absent among them.
const (
	KindAny Kind = iota
	KindString
	KindInt
	KindFloat
	KindBool
	KindList
	KindMap
)

// String is the kind as messages name it.
func (k Kind) String() string {
	return [...]string{"value", "string", "int", "float", "bool", "list", "map"}[k]
}

// Function is one function that templates may name.
type Function struct {
	// Name is the function's name in a template.
	Name string
	// Refused is empty for a function that works, otherwise the code of the diagnostic.
	Refused diag.Code
	// Reason says of a refused function why it is refused and what to write instead.
	Reason string
	// MinArgs and MaxArgs bound the number of arguments; MaxArgs is -1 if there is no bound.
	MinArgs, MaxArgs int
	// Result is the kind of every result; a list or a map may be nil, which prints as an empty one.
	Result Kind
	// GoInt says that the integers which the function makes are int, which fits a parameter of KindInt. Those of
	// other functions are int64, as in data, which does not.
	GoInt bool
	// Call calls the function. Its errors are *expr.FailureError and hold no text of an argument.
	Call func(args []any) (any, error)
	// Work, if it is set, says before a call what it takes at most beside reading its arguments and making its result, in
	// expr's units of cost.
	Work func(args []any) int

	params   []Kind
	variadic bool
}

// Param is the kind of the parameter that the argument i, counted from 0, is for. A number that is written as an
// argument takes this kind if it can: "3.0" is an int for KindInt, "1" a float64 for KindFloat. Every other
// argument must have the kind already, and an int64 never does.
func (f Function) Param(i int) Kind {
	switch {
	case i < len(f.params):
		return f.params[i]
	case f.variadic:
		return f.params[len(f.params)-1]
	}
	return KindAny
}

// Lookup finds a function by its name.
func Lookup(name string) (Function, bool) {
	f, ok := table()[name]
	return f, ok
}

// Names returns the names of all functions, refused ones among them, sorted.
func Names() []string {
	return slices.Sorted(maps.Keys(table()))
}

// spec describes a supported function.
type spec struct {
	// params has a letter for each parameter: s string, i int, f float64, b bool, m map, a anything. A star at the
	// end says that the last parameter may be given any number of times, none included.
	params string
	result Kind
	call   func(a args) (any, error)
}

// table holds every function under its name. It is built when it is first needed.
var table = sync.OnceValue(func() map[string]Function {
	out := refusedFunctions()
	for _, specs := range []map[string]spec{
		printFunctions, compareFunctions, defaultFunctions, collectionFunctions,
		stringFunctions, caseFunctions, wordFunctions, listFunctions, setFunctions, mapFunctions,
		numberFunctions, castFunctions, decimalFunctions,
		encodingFunctions, jsonFunctions, regexFunctions, pathFunctions, versionFunctions,
	} {
		for name, s := range specs {
			out[name] = s.function(name)
		}
	}
	for name, work := range works {
		f := out[name]
		f.Work = f.bounding(work)
		out[name] = f
	}
	for _, name := range []string{"len", "int", "atoi", "until", "untilStep"} {
		f := out[name]
		f.GoInt = true
		out[name] = f
	}
	return out
})

// function is the function of a spec: its arguments are checked, its result is bounded, its errors carry its name.
func (s spec) function(name string) Function {
	params, variadic := parseParams(s.params)
	f := Function{
		Name: name, Result: s.result, MinArgs: len(params), MaxArgs: len(params),
		params: params, variadic: variadic,
	}
	if variadic {
		f.MinArgs, f.MaxArgs = len(params)-1, -1
	}
	f.Call = func(in []any) (any, error) {
		out, err := f.call(in, s.call)
		if err != nil {
			return nil, named(name, err)
		}
		return out, nil
	}
	return f
}

func (f Function) call(in []any, call func(args) (any, error)) (any, error) {
	checked, err := f.check(in)
	if err != nil {
		return nil, err
	}
	out, err := call(checked)
	if err != nil {
		return nil, err
	}
	return out, bounded(out)
}

// named puts the name of the function in front of its error.
func named(name string, err error) error {
	if failure, ok := errors.AsType[*expr.FailureError](err); ok {
		return expr.Failuref(failure.Code, "%s: %s", name, failure.Message)
	}
	return expr.Failuref(expr.CodeFunction, "%s: the arguments are refused", name)
}
