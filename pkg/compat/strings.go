package compat

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

// maxText bounds what one function may make.
const maxText = 1 << 20

var (
	errNeedsText    = expr.Failuref(expr.CodeWrongType, "the function needs text")
	errNeedsInteger = expr.Failuref(expr.CodeWrongType, "the function needs an integer")
	errTooLarge     = expr.Failuref(expr.CodeTooExpensive, "the result is too large")
)

func strings1(f func(string) string) func([]any) (any, error) {
	return func(args []any) (any, error) {
		s, ok := args[0].(string)
		if !ok {
			return nil, errNeedsText
		}
		return f(s), nil
	}
}

func strings2(f func(a, b string) any) func([]any) (any, error) {
	return func(args []any) (any, error) {
		a, okA := args[0].(string)
		b, okB := args[1].(string)
		if !okA || !okB {
			return nil, errNeedsText
		}
		return f(a, b), nil
	}
}

func b64enc(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// b64dec gives the decoder's error text as the value, as the function that it stands for does.
func b64dec(s string) string {
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

func replace(args []any) (any, error) {
	old, okOld := args[0].(string)
	replacement, okNew := args[1].(string)
	s, ok := args[2].(string)
	if !okOld || !okNew || !ok {
		return nil, errNeedsText
	}
	if strings.Count(s, old)*len(replacement)+len(s) > maxText {
		return nil, errTooLarge
	}
	return strings.ReplaceAll(s, old, replacement), nil
}

// number and text are the arguments of functions such as trunc.
func numberAndText(args []any) (int, string, error) {
	n, okN := args[0].(int64)
	s, okS := args[1].(string)
	switch {
	case !okN:
		return 0, "", errNeedsInteger
	case !okS:
		return 0, "", errNeedsText
	default:
		return int(n), s, nil
	}
}

func trunc(args []any) (any, error) {
	n, s, err := numberAndText(args)
	switch {
	case err != nil:
		return nil, err
	case n < 0 && len(s)+n > 0:
		return s[len(s)+n:], nil
	case n >= 0 && len(s) > n:
		return s[:n], nil
	default:
		return s, nil
	}
}

func repeat(args []any) (any, error) {
	n, s, err := numberAndText(args)
	if err != nil {
		return nil, err
	}
	if n < 0 {
		return nil, expr.Failuref(expr.CodeFunction, "a negative count")
	}
	if n > maxText || n*len(s) > maxText {
		return nil, errTooLarge
	}
	return strings.Repeat(s, n), nil
}

func indent(args []any) (any, error) {
	text, err := indented(args)
	return text, err
}

func indented(args []any) (string, error) {
	n, s, err := numberAndText(args)
	if err != nil {
		return "", err
	}
	if n < 0 {
		return "", expr.Failuref(expr.CodeFunction, "a negative count")
	}
	if n > maxText || (strings.Count(s, "\n")+1)*n+len(s) > maxText {
		return "", errTooLarge
	}
	pad := strings.Repeat(" ", n)
	return pad + strings.ReplaceAll(s, "\n", "\n"+pad), nil
}

func nindent(args []any) (any, error) {
	text, err := indented(args)
	return "\n" + text, err
}

func cat(args []any) (any, error) {
	var parts []string
	for _, arg := range args {
		if !isNothing(arg) {
			parts = append(parts, fmt.Sprint(arg))
		}
	}
	return strings.Join(parts, " "), nil
}

func quote(args []any) (any, error) { return quoted(args, strconv.Quote) }
func squote(args []any) (any, error) {
	return quoted(args, func(s string) string { return "'" + s + "'" })
}

func quoted(args []any, mark func(string) string) (any, error) {
	var parts []string
	for _, arg := range args {
		if !isNothing(arg) {
			parts = append(parts, mark(fmt.Sprint(arg)))
		}
	}
	return strings.Join(parts, " "), nil
}

func toString(args []any) (any, error) {
	if isNothing(args[0]) {
		return "<nil>", nil
	}
	return printed(args[0]), nil
}

func toJSON(args []any) (any, error) {
	val := args[0]
	if isNothing(val) {
		val = nil
	}
	out, err := json.Marshal(val)
	if err != nil || len(out) > maxText {
		return nil, errTooLarge
	}
	return string(out), nil
}

func fromJSON(args []any) (any, error) {
	s, ok := args[0].(string)
	if !ok {
		return nil, errNeedsText
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(s)))
	decoder.UseNumber()
	var val any
	if err := decoder.Decode(&val); err != nil {
		return absent{}, nil //nolint:nilerr // the function gives nothing then
	}
	if err := utiljson.ConvertInterfaceNumbers(&val, 0); err != nil {
		return absent{}, nil //nolint:nilerr // as above
	}
	return norm(val), nil
}

func regexMatch(args []any) (any, error) {
	pattern, okP := args[0].(string)
	s, okS := args[1].(string)
	if !okP || !okS {
		return nil, errNeedsText
	}
	re, err := regexp.Compile(pattern)
	return err == nil && re.MatchString(s), nil
}

func printAll(args []any) (any, error) { return fmt.Sprint(plainArguments(args)...), nil }

// printfVerb matches the verbs that printf may have: no width given by an argument, and none that is long.
var printfVerb = regexp.MustCompile(`^(?:[^%]|%%|%[-+# 0]*[0-9]{0,3}(?:\.[0-9]{0,3})?[a-zA-Z])*$`)

func printFormatted(args []any) (any, error) {
	format, ok := args[0].(string)
	if !ok {
		return nil, errNeedsText
	}
	if !printfVerb.MatchString(format) {
		return nil, expr.Failuref(expr.CodeFunction, "printf has a verb that is not supported")
	}
	out := fmt.Sprintf(format, plainArguments(args[1:])...)
	if len(out) > maxText {
		return nil, errTooLarge
	}
	return out, nil
}

func plainArguments(args []any) []any {
	plain := make([]any, len(args))
	for i, arg := range args {
		if !isNothing(arg) {
			plain[i] = arg
		}
	}
	return plain
}
