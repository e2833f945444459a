package sprig_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	original "github.com/Masterminds/sprig/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterimport/clusterimport/pkg/compat/sprig"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

func TestNames(t *testing.T) {
	names := sprig.Names()
	if !slices.IsSorted(names) {
		t.Error("names must be sorted")
	}
	want := []string{"print", "printf", "println", "len", "index", "slice", "html", "js", "urlquery", "eq", "ne", "lt", "le", "gt", "ge", "not", "call"}
	for name := range original.TxtFuncMap() {
		want = append(want, name)
	}
	slices.Sort(want)
	if diff := cmp.Diff(slices.Compact(want), names); diff != "" {
		t.Errorf("the functions are those of text/template and of the library (-want +got)\n%s", diff)
	}
}

func TestRefused(t *testing.T) {
	count := map[string]int{}
	for _, name := range sprig.Names() {
		f, ok := sprig.Lookup(name)
		if !ok || f.Name != name || f.Call == nil {
			t.Fatalf("%s is not complete: %+v", name, f)
		}
		if f.Refused == "" {
			continue
		}
		count[string(f.Refused)]++
		if f.Reason == "" || strings.HasSuffix(f.Reason, ".") || !strings.Contains(f.Reason, ": ") {
			t.Errorf("%s: the reason must say why, and what to write instead: %q", name, f.Reason)
		}
		if _, err := f.Call([]any{"x"}); err == nil {
			t.Errorf("%s is refused and works", name)
		}
	}
	want := map[string]int{"CT-ENV": 2, "CT-NETWORK": 1, "CT-NONDET": 22, "CT-CRYPTO": 10, "CT-MUTATION": 2, "CT-UNSUPPORTED": 10}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Errorf("refused functions by code (-want +got)\n%s", diff)
	}
	if _, ok := sprig.Lookup("and"); ok {
		t.Error("and is control flow")
	}
}

func TestCodes(t *testing.T) {
	cases := map[string]struct {
		reason, name string
		args         []any
		want         expr.FailureError
	}{
		"Type":   {"a wrong type", "trunc", []any{int64(3), "x"}, expr.FailureError{Code: expr.CodeWrongType, Message: "trunc: argument 1 must be of type int, not int of data or arithmetic (int64): the function int makes one that fits"}},
		"Absent": {"an absent text", "upper", []any{sprig.Absent{}}, expr.FailureError{Code: expr.CodeWrongType, Message: "upper: argument 1 must be of type string, not absent"}},
		"Go":     {"a type that no value has", "toJson", []any{uint8(1)}, expr.FailureError{Code: expr.CodeWrongType, Message: "toJson: argument 1 must be of type value, not an unknown type"}},
		"Count":  {"too many", "upper", []any{"a", "b"}, expr.FailureError{Code: expr.CodeFunction, Message: "upper: takes 1 argument, not 2"}},
		"Few":    {"too few", "eq", nil, expr.FailureError{Code: expr.CodeFunction, Message: "eq: takes at least 1 argument, not 0"}},
		"Range":  {"no such item", "index", []any{[]any{}, 0}, expr.FailureError{Code: expr.CodeNoSuchKey, Message: "index: the index is out of range"}},
		"Large":  {"too large", "repeat", []any{1 << 30, "x"}, expr.FailureError{Code: expr.CodeTooExpensive, Message: "repeat: the text is larger than a mebibyte"}},
		"Fail":   {"on purpose", "fail", []any{"secret"}, expr.FailureError{Code: expr.CodeFunction, Message: "fail: the template gives up here"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f, _ := sprig.Lookup(tc.name)
			_, err := f.Call(tc.args)
			got, ok := errors.AsType[*expr.FailureError](err)
			if !ok {
				t.Fatalf("%s: got %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, *got); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}

func TestParam(t *testing.T) {
	cases := map[string]struct {
		reason, name string
		want         []sprig.Kind
	}{
		"Fixed":    {"past the end there is nothing to know", "trunc", []sprig.Kind{sprig.KindInt, sprig.KindString, sprig.KindAny}},
		"Variadic": {"the last parameter goes on", "round", []sprig.Kind{sprig.KindAny, sprig.KindInt, sprig.KindFloat, sprig.KindFloat}},
		"None":     {"a function of anything", "print", []sprig.Kind{sprig.KindAny, sprig.KindAny}},
		"Refused":  {"of a refused function nothing is known", "now", []sprig.Kind{sprig.KindAny}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f, _ := sprig.Lookup(tc.name)
			for i, want := range tc.want {
				if got := f.Param(i); got != want {
					t.Errorf("%s: parameter %d is %s, want %s", tc.reason, i, got, want)
				}
			}
		})
	}
}

// canary is a text that no message of this package has.
const canary = "qzxkjv"

// TestErrorsHoldNoArguments calls every function with arguments full of a word, which no error may repeat.
func TestErrorsHoldNoArguments(t *testing.T) {
	errs := 0
	for _, seed := range []uint64{3, 4} {
		g := generator{rand.New(rand.NewPCG(seed, 5))}
		for range 150 {
			for _, name := range sprig.Names() {
				f, _ := sprig.Lookup(name)
				if f.Refused != "" {
					continue
				}
				_, values := g.call(f)
				args := []any{}
				for _, v := range values {
					args = append(args, marked(v))
				}
				if _, err := f.Call(args); err != nil {
					errs++
					if strings.Contains(strings.ToLower(err.Error()), canary) {
						t.Fatalf("%s: %v", name, err)
					}
				}
			}
		}
	}
	if errs < 1000 {
		t.Errorf("only %d calls failed", errs)
	}
}

var letters = regexp.MustCompile(`^|[a-z]|$`)

func marked(v any) any {
	switch v := v.(type) {
	case string:
		return letters.ReplaceAllString(v, canary)
	case []any:
		out := []any{}
		for _, item := range v {
			out = append(out, marked(item))
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for key, item := range v {
			out[marked(key).(string)] = marked(item)
		}
		return out
	}
	return v
}

// TestConcurrent calls the same functions on the same values at once; the race detector watches.
func TestConcurrent(t *testing.T) {
	values := data()
	calls := []string{`toJson .map`, `sortAlpha .list`, `merge .map .other`, `uniq .mixed`, `append .list 1`, `append (rest .list) 1`, `snakecase .name`, `html .null`, `printf "%v" .mixed`}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, call := range calls {
				if first := evaluated(call, values); !first.same(evaluated(call, values)) {
					t.Errorf("{{ %s }} has two outcomes", call)
				}
			}
		})
	}
	wg.Wait()
	if !sameValue(values, data()) {
		t.Error("the arguments changed")
	}
}

func TestTruthAndPrint(t *testing.T) {
	cases := map[string]struct {
		reason string
		v      any
		truth  bool
		print  string
	}{
		"Absent": {"nothing", sprig.Absent{}, false, ""},
		"Null":   {"nothing at the top", nil, false, ""},
		"Inside": {"null inside is a word", []any{nil, "a", int64(1)}, true, "[<nil> a 1]"},
		"Map":    {"keys are sorted", map[string]any{"b": 2, "a": 1.5, "c": map[string]any{}}, true, "map[a:1.5 b:2 c:map[]]"},
		"Word":   {"a text is true unless it is empty", "false", true, "false"},
		"Empty":  {"an empty text", "", false, ""},
		"Large":  {"exponents as Go has them", 1e21, true, "1e+21"},
		"Zero":   {"zero of any type", int64(0), false, "0"},
		"NoList": {"no list prints as an empty one", []any(nil), false, "[]"},
		"NoMap":  {"no map prints as an empty one", map[string]any(nil), false, "map[]"},
		"Bool":   {"a bool is itself", false, false, "false"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			printed, err := sprig.Print(tc.v)
			if err != nil || printed != tc.print || sprig.Truth(tc.v) != tc.truth {
				t.Errorf("%s: got %q, %v, %v", tc.reason, printed, err, sprig.Truth(tc.v))
			}
		})
	}
}

// TestJSONNumbers shows that fromJson makes floats where data has int64.
func TestJSONNumbers(t *testing.T) {
	f, _ := sprig.Lookup("fromJson")
	v, err := f.Call([]any{"3"})
	if err != nil || v != 3.0 {
		t.Errorf("a number of JSON is a float64, got %T %v, %v", v, v, err)
	}
	var want any
	if err := json.Unmarshal([]byte("3"), &want); err != nil || want != v {
		t.Errorf("as encoding/json has it: %v, %v", want, err)
	}
}
