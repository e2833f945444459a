package compat

import (
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/functions"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/parser"

	"github.com/clusterimport/clusterimport/pkg/compat/sprig"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// The CEL functions that translated expressions call.
const (
	fnGet    = "tpl.path"           // (value, ["a", "b"]): the field chain .a.b
	fnStr    = "tpl.str"            // (value): as a template prints it
	fnTruth  = "tpl.truth"          // (value): as if sees it
	fnInt    = "tpl.goint"          // (int): a number that the template itself has
	fnNorm   = "tpl.norm"           // (value): as a variable holds it
	fnEach   = "tpl.each"           // (value): the list of values that range visits
	fnPairs  = "tpl.pairs"          // (value): the list of [key, value] that range visits
	fnJoin   = "tpl.text"           // (texts): the texts one after the other
	fnIsTrue = "tpl.isTrue"         // (text): Clusterpedia's test of a condition
	fnScalar = "tpl.scalar"         // (text): what YAML makes of it as a plain scalar
	fnValue  = "tpl.value"          // (value): as toJson gives it; an absent value is null
	fnMerge  = "tpl.fields"         // (maps): one map of them all; null is none
	fnConcat = "tpl.items"          // (lists): one list of them all; null is none
	fnPrefix = expr.ExtensionPrefix // tpl.NAME([arguments]): the template function NAME
)

// extension adds the functions to an environment.
var extension = expr.NewExtension(func() []cel.EnvOption {
	options := []cel.EnvOption{
		cel.Macros(foldMacro),
		declare(fnGet, []*cel.Type{cel.DynType, cel.ListType(cel.StringType)}, cel.DynType, callGet),
		declare(fnStr, []*cel.Type{cel.DynType}, cel.StringType, of(func(v any) (any, error) { return sprig.Print(v) })),
		declare(fnTruth, []*cel.Type{cel.DynType}, cel.BoolType, of(func(v any) (any, error) { return sprig.Truth(v), nil })),
		declare(fnInt, []*cel.Type{cel.IntType}, cel.DynType, of(callInt)),
		declare(fnNorm, []*cel.Type{cel.DynType}, cel.DynType, callNorm),
		declare(fnEach, []*cel.Type{cel.DynType}, cel.ListType(cel.DynType), of(callEach)),
		declare(fnPairs, []*cel.Type{cel.DynType}, cel.ListType(cel.ListType(cel.DynType)), of(callPairs)),
		declare(fnJoin, []*cel.Type{cel.ListType(cel.StringType)}, cel.StringType, of(callJoin)),
		declare(fnScalar, []*cel.Type{cel.StringType}, cel.DynType, of(callScalar)),
		declare(fnValue, []*cel.Type{cel.DynType}, cel.DynType, of(callValue)),
		declare(fnMerge, []*cel.Type{cel.ListType(cel.DynType)}, cel.DynType, of(callMerge)),
		declare(fnConcat, []*cel.Type{cel.ListType(cel.DynType)}, cel.DynType, of(callConcat)),
		declare(fnIsTrue, []*cel.Type{cel.StringType}, cel.BoolType, of(callIsTrue)),
	}
	for _, name := range sprig.Names() {
		f, _ := sprig.Lookup(name)
		if f.Refused != "" {
			continue
		}
		result := cel.DynType
		if f.Result == sprig.KindBool {
			result = cel.BoolType
		}
		options = append(options, declare(fnPrefix+name, []*cel.Type{cel.ListType(cel.DynType)}, result, callFunction(f)))
	}
	return options
}, fnGet)

// foldMacro is list.fold(item, accu, init, while, step), a loop that hands on a value from round to round. Translated
// loops are written so, and what is printed can be parsed again.
var foldMacro = parser.NewReceiverMacro("fold", 5, func(h parser.ExprHelper, target ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
	for _, name := range args[:2] {
		if name.Kind() != ast.IdentKind {
			return nil, h.NewError(name.ID(), "fold needs names for the item and for what it hands on")
		}
	}
	item, accu := args[0].AsIdent(), args[1].AsIdent()
	return h.NewComprehension(target, item, accu, args[2], args[3], args[4], h.NewIdent(accu)), nil
})

func declare(name string, params []*cel.Type, result *cel.Type, op functions.FunctionOp) cel.EnvOption {
	id := strings.ReplaceAll(name, ".", "_")
	return cel.Function(name, cel.Overload(id, params, result, cel.FunctionBinding(op)))
}

// of makes a CEL function of one over a Go value.
func of(f func(any) (any, error)) functions.FunctionOp {
	return func(args ...ref.Val) ref.Val {
		val, err := native(args[0])
		if err != nil {
			return types.WrapErr(err)
		}
		out, err := f(val)
		if err != nil {
			return types.WrapErr(err)
		}
		return wrap(out)
	}
}

func callFunction(f sprig.Function) functions.FunctionOp {
	return of(func(v any) (any, error) {
		args, _ := v.([]any)
		return f.Call(args)
	})
}

func callGet(args ...ref.Val) ref.Val {
	val, err := native(args[0])
	if err != nil {
		return types.WrapErr(err)
	}
	path, err := native(args[1])
	if err != nil {
		return types.WrapErr(err)
	}
	names, _ := path.([]any)
	for _, name := range names {
		text, _ := name.(string)
		if val, err = field(val, text); err != nil {
			return types.WrapErr(err)
		}
	}
	return wrap(val)
}

func callNorm(args ...ref.Val) ref.Val {
	if args[0].Type() == types.NullType {
		return types.OptionalNone
	}
	return args[0]
}

func callEach(val any) (any, error) {
	_, values, err := items(val)
	return nonNil(values), err
}

func callPairs(val any) (any, error) {
	switch val.(type) {
	case int, int64:
		return nil, expr.Failuref(expr.CodeWrongType, "a range over a number has one variable")
	}
	keys, values, err := items(val)
	pairs := make([]any, len(values))
	for i, value := range values {
		pairs[i] = []any{keys[i], value}
	}
	return pairs, err
}

func callInt(val any) (any, error) {
	n, _ := val.(int64)
	return int(n), nil
}

func nonNil(list []any) []any {
	if list == nil {
		return []any{}
	}
	return list
}

// maxText bounds the text of a template.
const maxText = 1 << 20

func callJoin(val any) (any, error) {
	texts, _ := val.([]any)
	var b strings.Builder
	for _, text := range texts {
		s, _ := text.(string)
		if b.Len()+len(s) > maxText {
			return nil, expr.Failuref(expr.CodeTooExpensive, "the text is too large")
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

func callIsTrue(val any) (any, error) {
	text, _ := val.(string)
	return isTrue(text), nil
}
