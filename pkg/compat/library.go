package compat

import (
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/parser"

	"github.com/clusterimport/clusterimport/pkg/compat/sprig"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// The CEL functions that translated expressions call.
const (
	fnGet    = "tpl.path"   // (value, ["a", "b"]): the field chain .a.b
	fnStr    = "tpl.str"    // (value): as a template prints it
	fnTruth  = "tpl.truth"  // (value): as if sees it
	fnInt    = "tpl.goint"  // (int): a number that the template itself has
	fnNorm   = "tpl.norm"   // (value): as a variable holds it
	fnEach   = "tpl.each"   // (value): the list of values that range visits
	fnPairs  = "tpl.pairs"  // (value): the list of [key, value] that range visits
	fnJoin   = "tpl.text"   // (texts): the texts one after the other
	fnIsTrue = "tpl.isTrue" // (text): Clusterpedia's test of a condition
	fnScalar = "tpl.scalar" // (text): what YAML makes of it as a plain scalar
	fnValue  = "tpl.value"  // (value): as toJson gives it; an absent value is null
	fnMerge  = "tpl.fields" // (maps): one map of them all; null is none
	fnConcat = "tpl.items"  // (lists): one list of them all; null is none
	fnMark   = "tpl.mark"   // (kind, text): the text as a value of a document that is text
	fnPrefix = "tpl."       // tpl.NAME([arguments]): the template function NAME
)

// extension adds the functions to an environment.
var extension = expr.NewExtension(expr.Functions{
	Options: []cel.EnvOption{cel.Macros(foldMacro)},
	Plain:   append(helpers(), templateFunctions()...),
	ToCEL:   wrap, FromCEL: native, Fields: []string{fnGet}, Same: []string{fnNorm, fnEach},
})

func helpers() []expr.PlainFunction {
	texts, lists := cel.ListType(cel.StringType), cel.ListType(cel.DynType)
	one := func(name string, param, result *cel.Type, f func(any) (any, error)) expr.PlainFunction {
		return expr.PlainFunction{Name: name, Params: []*cel.Type{param}, Result: result, Unary: f}
	}
	list := func(name string, param, result *cel.Type, f func([]any) (any, error)) expr.PlainFunction {
		return expr.PlainFunction{Name: name, Params: []*cel.Type{param}, Result: result, List: f}
	}
	making := func(f expr.PlainFunction) expr.PlainFunction {
		f.Makes = true
		return f
	}
	printed := making(one(fnStr, cel.DynType, cel.StringType, callStr))
	printed.Deep = true
	pairs := making(one(fnPairs, cel.DynType, cel.ListType(lists), callPairs))
	pairs.Work = func(args []any) int { return pairCost * sizeOf(args[0]) }
	return []expr.PlainFunction{
		{Name: fnGet, Params: []*cel.Type{cel.DynType, texts}, Result: cel.DynType, Binary: callGet},
		printed,
		{Name: fnMark, Params: []*cel.Type{cel.StringType, cel.StringType}, Result: cel.StringType, Binary: callMark, Deep: true},
		one(fnTruth, cel.DynType, cel.BoolType, func(v any) (any, error) { return sprig.Truth(v), nil }),
		one(fnInt, cel.IntType, cel.DynType, callInt),
		one(fnNorm, cel.DynType, cel.DynType, callNorm),
		making(one(fnEach, cel.DynType, lists, callEach)),
		pairs,
		one(fnIsTrue, cel.StringType, cel.BoolType, callIsTrue),
		one(fnScalar, cel.StringType, cel.DynType, callScalar),
		one(fnValue, cel.DynType, cel.DynType, callValue),
		list(fnJoin, texts, cel.StringType, callJoin),
		making(list(fnMerge, lists, cel.DynType, callMerge)),
		making(list(fnConcat, lists, cel.DynType, callConcat)),
	}
}

// pairCost is what a pair of a list or map takes beside being an item.
const pairCost = 3

// sizeOf is how many items or fields a value has.
func sizeOf(val any) int {
	switch v := val.(type) {
	case []any:
		return len(v)
	case map[string]any:
		return len(v)
	}
	return 0
}

// shallow are functions that look at their arguments, and not at what is within these.
var shallow = map[string]bool{
	"eq": true, "ne": true, "lt": true, "le": true, "gt": true, "ge": true, "not": true, "empty": true, "index": true,
	"get": true, "hasKey": true, "dig": true, "default": true, "coalesce": true, "ternary": true, "len": true, "kindOf": true,
	"kindIs": true, "list": true, "tuple": true, "dict": true, "first": true, "last": true, "and": true, "or": true,
}

func templateFunctions() []expr.PlainFunction {
	var out []expr.PlainFunction
	for _, name := range sprig.Names() {
		f, _ := sprig.Lookup(name)
		if f.Refused != "" {
			continue
		}
		out = append(out, expr.PlainFunction{
			Name: fnPrefix + name, Params: []*cel.Type{cel.ListType(cel.DynType)}, Result: resultType(f),
			List: f.Call, Texts: ofTexts[name], Deep: !shallow[name], Makes: !shallow[name], Work: f.Work,
		})
	}
	return out
}

// resultType is the type that a function's results are sure to have: integers that a template makes are none of CEL's.
func resultType(f sprig.Function) *cel.Type {
	schema := schemaOf(f)
	if f.GoInt {
		return cel.DynType
	}
	return schema.CELType()
}

// ofTexts are the functions that are most often called, as they are for two texts.
var ofTexts = map[string]func(a, b string) bool{
	"eq": func(a, b string) bool { return a == b },
	"ne": func(a, b string) bool { return a != b },
}

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

func callStr(val any) (any, error) { return sprig.Print(val) }

func callGet(val, path any) (any, error) {
	names, _ := path.([]any)
	for _, name := range names {
		text, _ := name.(string)
		var err error
		if val, err = field(val, text); err != nil {
			return nil, err
		}
	}
	return val, nil
}

func callNorm(val any) (any, error) {
	if val == nil {
		return absent{}, nil
	}
	return val, nil
}

func callEach(val any) (any, error) {
	switch v := val.(type) {
	case []any:
		return val, nil
	case map[string]any:
		values := make([]any, len(v))
		for i, name := range namesOf(v) {
			values[i] = v[name]
		}
		return values, nil
	}
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

func callJoin(texts []any) (any, error) {
	size := 0
	for _, text := range texts {
		s, _ := text.(string)
		size += len(s)
	}
	if size > maxText {
		return nil, expr.Failuref(expr.CodeTooExpensive, "the text is too large")
	}
	var b strings.Builder
	b.Grow(size)
	for _, text := range texts {
		s, _ := text.(string)
		b.WriteString(s)
	}
	return b.String(), nil
}

func callIsTrue(val any) (any, error) {
	text, _ := val.(string)
	return isTrue(text), nil
}
