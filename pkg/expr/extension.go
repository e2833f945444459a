package expr

import (
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/clusterimport/clusterimport/pkg/expr/plain"
)

// Functions are what a Go package adds to an environment, such as the helpers that translated Go templates call. They
// work on plain values: JSON values, and those that the package has besides.
type Functions struct {
	// Options are those of the environment that are no functions, such as macros.
	Options []cel.EnvOption
	// Plain are the functions.
	Plain []PlainFunction
	// ToCEL and FromCEL convert plain values.
	ToCEL   func(val any) ref.Val
	FromCEL func(val ref.Val) (any, error)
	// Fields are those of the functions that take a value and a list of field names, and give nothing but the field that
	// they lead to.
	Fields []string
	// Same are those of the functions that give their argument, or a list of its items or of its fields' values.
	Same []string
}

// PlainFunction is a function on plain values. One of Unary, Binary and List is set. None may change or keep its arguments,
// nor the list of them.
type PlainFunction struct {
	Name   string
	Params []*cel.Type
	Result *cel.Type
	// Unary and Binary are for functions of one or two parameters.
	Unary  func(a any) (any, error)
	Binary func(a, b any) (any, error)
	// List is for functions of one parameter, a list. Texts, if it is set, does the same for a list of two texts.
	List  func(items []any) (any, error)
	Texts func(a, b string) bool
	// Deep functions look at all that is within their arguments, others at the arguments themselves.
	Deep bool
	// Makes says that results are new, which costs too. That is charged when the call is over: results are bounded.
	Makes bool
	// Work, if it is set, is what a call costs beside that: an upper bound in units of cost, known before the call.
	Work func(args []any) int
}

// Extension is a set of functions, ready to be added to an environment: Env.Extend. Make one per process: its execution
// environment is shared.
type Extension struct {
	functions Functions
	plain     map[string]PlainFunction
	// base and exec are baseEnv and execEnv with the functions.
	base, exec      func() (*cel.Env, error)
	implementations func() (implementations, error)
}

// NewExtension describes an extension.
func NewExtension(functions Functions) *Extension {
	x := newExtension(functions, sync.OnceValues(func() (*cel.Env, error) {
		base, err := baseEnv()
		if err != nil {
			return nil, err
		}
		options := functions.Options
		for _, f := range functions.Plain {
			options = append(options, functions.declare(f))
		}
		return base.Extend(options...)
	}))
	for _, f := range functions.Plain {
		x.plain[f.Name] = f
	}
	return x
}

func newExtension(functions Functions, base func() (*cel.Env, error)) *Extension {
	exec := sync.OnceValues(func() (*cel.Env, error) { return untyped(base) })
	return &Extension{
		functions: functions, plain: map[string]PlainFunction{}, base: base, exec: exec,
		implementations: sync.OnceValues(func() (implementations, error) {
			env, err := exec()
			if err != nil {
				return nil, err
			}
			return implementationsOf(env)
		}),
	}
}

// declare declares a function to CEL. What runs is a plainCall, which does the same with fewer values made.
func (functions Functions) declare(f PlainFunction) cel.EnvOption {
	id := strings.ReplaceAll(f.Name, ".", "_")
	return cel.Function(f.Name, cel.Overload(id, f.Params, f.Result, cel.FunctionBinding(func(args ...ref.Val) ref.Val {
		values := make([]any, len(args))
		for i, arg := range args {
			var err error
			if values[i], err = functions.FromCEL(arg); err != nil {
				return types.WrapErr(err)
			}
		}
		if f.List != nil {
			values, _ = values[0].([]any)
		}
		val, err := f.call(values)
		if err != nil {
			return types.WrapErr(err)
		}
		return functions.ToCEL(val)
	})))
}

func (f PlainFunction) call(args []any) (any, error) {
	switch {
	case f.Unary != nil:
		return f.Unary(args[0])
	case f.Binary != nil:
		return f.Binary(args[0], args[1])
	default:
		return f.List(args)
	}
}

// deepCost is what a deep function takes for a value within its arguments: it reads it, and makes something of it.
const deepCost = 4

// cost is what a call costs beside callCost.
func (f PlainFunction) cost(args []any) int {
	cost := 0
	for _, arg := range args {
		cost += f.costOf(arg)
	}
	if f.Work != nil {
		cost += min(f.Work(args), maxCallCost+1)
	}
	return cost
}

// madeItem is what an item of a list that is made costs; one of a map costs twice as much.
const madeItem = 2

// costOfMade is what a result costs beyond the texts, of so many bytes, and the list that it is made of.
func costOfMade(val any, texts int, list []any) int {
	switch v := val.(type) {
	case string:
		return max(0, len(v)-texts) / 10
	case []any:
		if len(v) > 0 && len(list) > 0 && &v[0] == &list[0] {
			return 0
		}
		return madeItem * len(v)
	case map[string]any:
		return 2 * madeItem * len(v)
	}
	return 0
}

// textsIn is how many bytes the texts among arguments have.
func textsIn(args []any) int {
	n := 0
	for _, arg := range args {
		text, _ := arg.(string)
		n += len(text)
	}
	return n
}

func (f PlainFunction) costOf(arg any) int {
	switch v := arg.(type) {
	case string:
		if len(v) > maxShortText {
			return len(v) / 10
		}
	case []any, map[string]any:
		if f.Deep {
			return deepCost * plain.WeightOfJSON(arg, maxCallCost)
		}
	}
	return 0
}
