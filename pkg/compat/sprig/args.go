package sprig

import (
	"strings"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

// args are the arguments of a call after the check: those of a fixed kind have it, no one is Absent.
type args []any

func (a args) text(i int) string {
	s, _ := a[i].(string)
	return s
}

func (a args) num(i int) int {
	n, _ := a[i].(int)
	return n
}

func (a args) flag(i int) bool {
	b, _ := a[i].(bool)
	return b
}

func (a args) float(i int) float64 {
	f, _ := a[i].(float64)
	return f
}

func (a args) dict(i int) map[string]any {
	m, _ := a[i].(map[string]any)
	return m
}

func (a args) dicts(from int) []map[string]any {
	out := make([]map[string]any, 0, len(a)-from)
	for i := from; i < len(a); i++ {
		out = append(out, a.dict(i))
	}
	return out
}

// parseParams reads the letters of a spec.
func parseParams(letters string) (params []Kind, variadic bool) {
	letters, variadic = strings.CutSuffix(letters, "*")
	kinds := map[rune]Kind{'s': KindString, 'i': KindInt, 'f': KindFloat, 'b': KindBool, 'm': KindMap, 'a': KindAny}
	for _, letter := range letters {
		params = append(params, kinds[letter])
	}
	return params, variadic
}

// check returns the arguments as the function takes them, or why it does not. The slice that it is given stays.
func (f Function) check(in []any) (args, error) {
	if len(in) < f.MinArgs || f.MaxArgs >= 0 && len(in) > f.MaxArgs {
		return nil, f.wrongCount(len(in))
	}
	out := make(args, len(in))
	for i, v := range in {
		_, absent := v.(Absent)
		kind := f.Param(i)
		switch {
		case absent && kind == KindAny:
			v = nil
		case absent && kind == KindMap:
			v = map[string]any(nil)
		case !kind.holds(v):
			return nil, expr.Failuref(expr.CodeWrongType, "argument %d must be of type %s, not %s%s", i+1, kind, describe(v), hint(kind, v))
		}
		out[i] = v
	}
	return out, nil
}

func (f Function) wrongCount(got int) error {
	least := ""
	if f.MaxArgs < 0 {
		least = "at least "
	}
	plural := "s"
	if f.MinArgs == 1 {
		plural = ""
	}
	return expr.Failuref(expr.CodeFunction, "takes %s%d argument%s, not %d", least, f.MinArgs, plural, got)
}

// holds reports whether a parameter of the kind takes v.
func (k Kind) holds(v any) bool {
	ok := true
	switch k {
	case KindString:
		_, ok = v.(string)
	case KindInt:
		_, ok = v.(int)
	case KindFloat:
		_, ok = v.(float64)
	case KindBool:
		_, ok = v.(bool)
	case KindList:
		_, ok = v.([]any)
	case KindMap:
		_, ok = v.(map[string]any)
	case KindAny:
		ok = describe(v) != unknown
	}
	return ok
}

// describe names the type of a value, as messages do.
func describe(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case Absent:
		return "absent"
	case string:
		return "string"
	case bool:
		return "bool"
	case int, int64:
		return "int"
	case float64:
		return "float"
	case []any:
		return "list"
	case map[string]any:
		return "map"
	}
	return unknown
}

// unknown is a Go type that no template value has.
const unknown = "an unknown type"

// hint explains the one mismatch that two equal words would hide.
func hint(kind Kind, v any) string {
	if _, wide := v.(int64); wide && kind == KindInt {
		return " of data or arithmetic (int64): the function int makes one that fits"
	}
	return ""
}

func refuse(message string) error { return expr.Failuref(expr.CodeFunction, "%s", message) }

func wrongType(message string) error { return expr.Failuref(expr.CodeWrongType, "%s", message) }

func outOfRange(message string) error { return expr.Failuref(expr.CodeNoSuchKey, "%s", message) }
