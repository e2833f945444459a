package sprig_test

import (
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/clusterimport/clusterimport/pkg/compat/sprig"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// doubled is small in memory and 2^40 items in print.
func doubled() any {
	var v any = "x"
	for range 40 {
		v = []any{v, v}
	}
	return v
}

func deep(n int) any {
	var v any = "x"
	for range n {
		v = []any{v}
	}
	return v
}

func manyItems(n int) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = []any{int64(i)}
	}
	return out
}

// TestLimits calls what would take too much. Each call must be refused, and take little memory to be so.
func TestLimits(t *testing.T) {
	mebibyte := strings.Repeat("a", 1<<20)
	cases := map[string]struct {
		reason, name string
		args         []any
	}{
		"Repeat":        {"a text cannot grow without end", "repeat", []any{math.MaxInt, "x"}},
		"RepeatLong":    {"nor can a long one", "repeat", []any{2, mebibyte}},
		"Indent":        {"the width counts for each line", "indent", []any{2000, strings.Repeat("\n", 1000)}},
		"Nindent":       {"one wide line is enough", "nindent", []any{1 << 21, ""}},
		"Replace":       {"each place grows", "replace", []any{"a", strings.Repeat("b", 100), mebibyte}},
		"ReplaceEmpty":  {"there is a place between characters", "replace", []any{"", "bb", mebibyte}},
		"Join":          {"the separator counts for each item", "join", []any{mebibyte, manyItems(100)}},
		"Until":         {"a list has an end", "until", []any{math.MaxInt}},
		"UntilDown":     {"downwards too", "until", []any{math.MinInt}},
		"UntilStepWrap": {"an int that wraps around never arrives", "untilStep", []any{0, math.MaxInt, math.MaxInt - 1}},
		"Seq":           {"a text of numbers has an end", "seq", []any{math.MaxInt - 1}},
		"PrintfWidth":   {"a width is bounded", "printf", []any{"%999999d", 1}},
		"PrintfItems":   {"the width counts for each item", "printf", []any{"%4096d", manyItems(90_000)}},
		"PrintfAgain":   {"an argument may be used many times", "printf", []any{strings.Repeat("%[1]s", 1000), mebibyte[:1<<19]}},
		"PrintDoubled":  {"what is printed is counted, not what is stored", "print", []any{doubled()}},
		"QuoteDoubled":  {"so it is in quotes", "quote", []any{doubled()}},
		"JSONDoubled":   {"and in JSON", "toJson", []any{doubled()}},
		"HTMLDoubled":   {"and escaped", "html", []any{doubled()}},
		"StringDoubled": {"and as a text", "toString", []any{doubled()}},
		"KeyDoubled":    {"and as a key", "dict", []any{doubled()}},
		"OctalDoubled":  {"and as octal digits", "toDecimal", []any{doubled()}},
		"SortDoubled":   {"and in order", "sortAlpha", []any{doubled()}},
		"EqualDoubled":  {"a comparison takes bounded work", "deepEqual", []any{doubled(), doubled()}},
		"HasDoubled":    {"so does a search", "has", []any{doubled(), []any{doubled()}}},
		"UniqLists":     {"so does comparing each with each", "uniq", []any{manyItems(20_000)}},
		"MergeDoubled":  {"so does a merge", "merge", []any{doubledMap(40), doubledMap(40)}},
		"PrettyDeep":    {"white space grows with depth", "toPrettyJson", []any{[]any{deep(5000), deep(5000)}}},
		"PrintDeep":     {"depth is bounded", "print", []any{deep(20_000)}},
		"EqualDeep":     {"in a comparison too", "deepEqual", []any{deep(20_000), deep(20_000)}},
		"FromJSON":      {"JSON is bounded before it is read", "fromJson", []any{"[" + mebibyte + "]"}},
		"SplitList":     {"a list of parts is bounded", "splitList", []any{"", mebibyte}},
		"Split":         {"so is a map of parts", "split", []any{"a", mebibyte}},
		"WrapWith":      {"each line grows", "wrapWith", []any{1, mebibyte, mebibyte}},
		"Concat":        {"lists together are bounded", "concat", []any{manyItems(90_000), manyItems(90_000)}},
		"Append":        {"a list does not grow over the bound", "append", []any{manyItems(100_000), 1}},
		"Pattern":       {"a pattern is bounded in bytes", "regexMatch", []any{mebibyte, "a"}},
		"PatternNested": {"and in what it compiles to", "regexFind", []any{`((\pL{10}){10}){10}` + strings.Repeat(`\pL{1000}`, 100), "a"}},
		"RegexText":     {"a text is bounded by its pattern", "regexMatch", []any{"(x+x+)+y" + strings.Repeat("z?", 50), mebibyte}},
		"RegexAll":      {"matches are bounded", "regexFindAll", []any{"", mebibyte, -1}},
		"RegexLookFar":  {"matches that look far ahead are bounded more", "regexReplaceAll", []any{"(?s)a.*b|a", strings.Repeat("a", 1<<16), "x"}},
		"RegexReplace":  {"each match grows", "regexReplaceAllLiteral", []any{"a", mebibyte[:1<<16], mebibyte[:1<<16]}},
		"RegexExpand":   {"references grow", "regexReplaceAll", []any{"a+", mebibyte[:1<<16], strings.Repeat("$0", 1000)}},
		"Product":       {"digits are bounded", "mulf", manyFactors(400)},
		"Text":          {"a result is bounded", "b64enc", []any{mebibyte}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f, _ := sprig.Lookup(tc.name)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := f.Call(tc.args)
			runtime.ReadMemStats(&after)
			if failure, ok := errors.AsType[*expr.FailureError](err); !ok || failure.Code != expr.CodeTooExpensive {
				t.Errorf("%s: got %v", tc.reason, err)
			}
			if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 16 && !underRace {
				t.Errorf("%s: took %d MiB", tc.reason, used)
			}
		})
	}
	if _, err := sprig.Print(doubled()); err == nil {
		t.Error("Print must be bounded too")
	}
}

func doubledMap(n int) any {
	v := map[string]any{"x": "y"}
	for range n {
		v = map[string]any{"a": v, "b": v}
	}
	return v
}

func manyFactors(n int) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = 1.1e-300
	}
	return out
}

// TestWithinLimits calls what is large and must work.
func TestWithinLimits(t *testing.T) {
	bundle := strings.Repeat(strings.Repeat("MIIC", 16)+"\n", 3000)
	cases := map[string]struct {
		reason, name string
		args         []any
	}{
		"Newlines":   {"lines of a bundle of certificates", "regexReplaceAll", []any{`\s+`, bundle, ""}},
		"Split":      {"the same lines as a list", "regexSplit", []any{"\n", bundle, -1}},
		"Alternate":  {"a pattern with a choice, on a file", "regexReplaceAll", []any{`(?m)^\s+|\s+$`, bundle[:2000], ""}},
		"Encode":     {"a Secret as large as they get", "b64enc", []any{bundle + bundle + bundle}},
		"Indent":     {"the bundle in a document", "nindent", []any{8, bundle}},
		"Until":      {"the longest list", "until", []any{100_000}},
		"Uniq":       {"a long list of texts", "uniq", []any{splitAll(bundle)}},
		"Printf":     {"one text in the middle of another", "printf", []any{"a: %s, %q", bundle, bundle}},
		"DNS":        {"a name of the API", "regexMatch", []any{`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$`, "a.example.org"}},
		"PrettyJSON": {"a document", "toPrettyJson", []any{[]any{splitAll(bundle), deep(50)}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f, _ := sprig.Lookup(tc.name)
			if _, err := f.Call(tc.args); err != nil {
				t.Errorf("%s: %v", tc.reason, err)
			}
		})
	}
}

func splitAll(s string) []any {
	f, _ := sprig.Lookup("splitList")
	v, _ := f.Call([]any{"\n", s})
	list, _ := v.([]any)
	return list
}
