package sprig_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	original "github.com/Masterminds/sprig/v3"

	"github.com/clusterimport/clusterimport/pkg/compat/sprig"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// mustCall calls a function that must fail, if it does, as functions here do.
func mustCall(t *testing.T, name string, args ...any) (any, error) {
	t.Helper()
	f, ok := sprig.Lookup(name)
	if !ok {
		t.Fatalf("there is no function %s", name)
	}
	out, err := f.Call(args)
	if _, own := errors.AsType[*expr.FailureError](err); err != nil && !own {
		t.Fatalf("%s: an error of type %T: %v", name, err, err)
	}
	return out, err
}

func tooExpensive(err error) bool {
	failure, ok := errors.AsType[*expr.FailureError](err)
	return ok && failure.Code == expr.CodeTooExpensive
}

func FuzzPrintf(f *testing.F) {
	for _, format := range []string{
		"%s", "%5.2f|%-8q", "%[2]*[1]d", "%[x]*d", "%[1][2]*d", "%.*f", "%!", "%[1].[2]*d", "%999999999999d", "%[99999999]d", "%[1]5[2]d", "%+v %#v % x %08d", "%", "%[", "%[]d", "%5.[1]*d", "%-+ #05.3[1]v", "%[1][%*d]", "%w%p%T",
	} {
		f.Add(format, "text", int64(7), 2.5)
	}
	f.Fuzz(func(t *testing.T, format, s string, n int64, x float64) {
		for _, args := range [][]any{{s, n, x}, {n, []any{s, n, nil}, x}, {1_000_000, int(n), s}, {}} {
			got, err := mustCall(t, "printf", append([]any{format}, args...)...)
			if err != nil {
				continue
			}
			if want := fmt.Sprintf(format, args...); got != want {
				t.Errorf("printf %q: want %q, got %q", format, want, got)
			}
		}
		if !strings.ContainsAny(format, "*[pT") && len(format)+len(s) < 100 && !strings.ContainsAny(format, "123456789") {
			if _, err := mustCall(t, "printf", format, s, n, x); err != nil {
				t.Errorf("printf %q without widths: %v", format, err)
			}
		}
	})
}

func FuzzTexts(f *testing.F) {
	functions := original.TxtFuncMap()
	for _, seed := range [][3]string{
		{"(a|b)+", "abab", "$1"}, {`^\s*`, " x\n y", "${0}z"}, {">=1.2 <2 || ^3", "v1.4.0-rc.1", "x"}, {`{"a":[1,2.5e3]}`, "[]", "{"}, {"(?i)[^a-z]{2,5}", "A-b--C", "-"}, {"https://u@h:1/p?q#f", "%zz", ":"}, {"SnakeCase2x", "漢字A\xff", "a_b-C"},
	} {
		f.Add(seed[0], seed[1], seed[2], 3)
	}
	f.Fuzz(func(t *testing.T, a, b, c string, n int) {
		if len(a)+len(b)+len(c) > 1000 {
			return
		}
		same := func(name string, want any, args ...any) {
			t.Helper()
			got, err := mustCall(t, name, args...)
			if !tooExpensive(err) && (err != nil || !sameValue(plain(want), plain(got))) {
				t.Errorf("%s %q: want %#v, got %#v, %v", name, args, want, got, err)
			}
		}
		for _, name := range []string{"snakecase", "kebabcase", "camelcase", "swapcase", "untitle", "nospace", "initials", "title"} {
			same(name, functions[name].(func(string) string)(a), a)
		}
		same("wrap", functions["wrap"].(func(int, string) string)(n, a), n, a)
		same("wrapWith", functions["wrapWith"].(func(int, string, string) string)(n, b, a), n, b, a)
		same("abbrevboth", functions["abbrevboth"].(func(int, int, string) string)(n, len(c), a), n, len(c), a)
		same("trunc", functions["trunc"].(func(int, string) string)(n, a), n, a)
		same("int", functions["int"].(func(any) int)(a), a)
		same("float64", functions["float64"].(func(any) float64)(a), a)
		same("fromJson", functions["fromJson"].(func(string) any)(a), a)
		same("toJson", functions["toJson"].(func(any) string)([]any{a, b}), []any{a, b})
		same("regexMatch", functions["regexMatch"].(func(string, string) bool)(a, b), a, b)
		if compare, err := functions["semverCompare"].(func(string, string) (bool, error))(a, b); err == nil {
			same("semverCompare", compare, a, b)
		} else if _, err := mustCall(t, "semverCompare", a, b); err == nil {
			t.Errorf("semverCompare %q %q works", a, b)
		}
		for _, name := range []string{"regexFind", "urlParse", "splitList", "semverCompare", "mustFromJson"} {
			called, _ := sprig.Lookup(name)
			_, _ = mustCall(t, name, []any{a, b}[:called.MinArgs]...)
		}
		if _, err := regexp.Compile(a); err != nil {
			return
		}
		same("regexFindAll", functions["regexFindAll"].(func(string, string, int) []string)(a, b, n%10), a, b, n%10)
		same("regexSplit", functions["regexSplit"].(func(string, string, int) []string)(a, b, n%10), a, b, n%10)
		same("regexReplaceAll", functions["regexReplaceAll"].(func(string, string, string) string)(a, b, c), a, b, c)
		same("regexReplaceAllLiteral", functions["regexReplaceAllLiteral"].(func(string, string, string) string)(a, b, c), a, b, c)
	})
}
