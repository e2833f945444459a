package sprig_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/clusterimport/clusterimport/pkg/compat/sprig"
)

// rounds is how often each function is called for a seed.
const rounds = 60

// TestRandom calls every supported function with random arguments, from a fixed seed and from a fresh one.
func TestRandom(t *testing.T) {
	fresh := uint64(time.Now().UnixNano())
	t.Logf("the fresh seed is %d", fresh)
	for _, seed := range []uint64{1, fresh} {
		g := generator{rand.New(rand.NewPCG(seed, 2))}
		calls, failed, reached := 0, 0, map[string]int{}
		for range rounds {
			for _, name := range sprig.Names() {
				f, _ := sprig.Lookup(name)
				if f.Refused != "" {
					continue
				}
				call, values := g.call(f)
				want, got := executed(call, values), evaluated(call, values)
				calls++
				if got.err == nil {
					reached[name]++
				}
				if problem := judge(f, call, values, want, got); problem != "" {
					if failed++; failed < 20 {
						t.Errorf("seed %d: {{ %s }} with %#v: %s\nwant %v\ngot  %v", seed, call, values, problem, want, got)
					}
				}
			}
		}
		for _, name := range sprig.Names() {
			if f, _ := sprig.Lookup(name); seed == 1 && f.Refused == "" && reached[name] == 0 && name != "fail" && name != "call" {
				t.Errorf("seed %d: no call of %s works", seed, name)
			}
		}
		t.Logf("seed %d: %d calls, %d different", seed, calls, failed)
	}
}

// judge says what is wrong with an outcome, or nothing.
func judge(f sprig.Function, call string, values map[string]any, want, got outcome) string {
	if got.err == nil && got.value != nil && !fits(f, got.value) {
		return fmt.Sprintf("the result is not of kind %s", f.Result)
	}
	switch {
	case got.same(want):
		return ""
	case strings.HasPrefix(call, "printf") && got.err != nil:
		return "" // a list's address or type
	case explained(call, want, got) && strings.HasPrefix(f.Name, "keys"), explained(call, want, got) && f.Name == "values":
		return ""
	case explained(call, want, got):
		// With all numbers of one type there is no difference left.
		uniform := floats(values).(map[string]any)
		if evaluated(call, uniform).same(executed(call, uniform)) {
			return ""
		}
	}
	return "another outcome"
}

func fits(f sprig.Function, v any) bool {
	switch f.Result {
	case sprig.KindString:
		_, ok := v.(string)
		return ok
	case sprig.KindInt:
		_, small := v.(int)
		_, wide := v.(int64)
		return f.GoInt && small || !f.GoInt && wide
	case sprig.KindFloat:
		_, ok := v.(float64)
		return ok
	case sprig.KindBool:
		_, ok := v.(bool)
		return ok
	case sprig.KindList:
		_, ok := v.([]any)
		return ok
	case sprig.KindMap:
		_, ok := v.(map[string]any)
		return ok
	}
	return true
}

// floats is a value with float64 in the place of every integer, and lists that are not nil.
func floats(v any) any {
	switch v := v.(type) {
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = floats(item)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for key, item := range v {
			out[key] = floats(item)
		}
		return out
	}
	return v
}

// generator makes calls whose arguments are fields of random data.
type generator struct{ *rand.Rand }

func pick[T any](g generator, of ...T) T { return of[g.IntN(len(of))] }

func (g generator) call(f sprig.Function) (string, map[string]any) {
	most := f.MaxArgs
	if most < 0 {
		most = f.MinArgs + 3
	}
	count := f.MinArgs + g.IntN(most-f.MinArgs+1)
	values := map[string]any{}
	words := []string{f.Name}
	for i := range count {
		key := fmt.Sprintf("a%d", i)
		words = append(words, "."+key)
		if g.IntN(40) > 0 {
			values[key] = g.argument(f, i)
		}
	}
	switch f.Name {
	case "dig":
		for i := range count - 2 {
			values[fmt.Sprintf("a%d", i)] = pick(g, "a", "b", "host", "z")
		}
		values[fmt.Sprintf("a%d", count-1)] = g.dict(3)
	case "lt", "le", "gt", "ge":
		if g.IntN(2) == 0 {
			values["a1"] = values["a0"]
		}
	}
	return strings.Join(words, " "), values
}

// argument is mostly of the kind that the function takes.
func (g generator) argument(f sprig.Function, i int) any {
	if g.IntN(25) == 0 {
		return g.value(2)
	}
	switch {
	case strings.Contains(strings.ToLower(f.Name), "regex") && i == 0:
		return pick(g, "a", "[a-z]+", "(a|b)*", "^.", "", "x?", `\d+`, "(", "(?P<n>.)", `\b`, "a.*b", "(?m)^")
	case f.Name == "printf" && i == 0:
		return g.format()
	case f.Name == "semverCompare" && i == 0:
		return pick(g, ">=1.2", "^1.2.x", "~1", "1 - 2", "", "*", "!=1.2.3", ">1 <3 || =5", "x", ">=1.0.0-0", "=>2")
	case strings.HasSuffix(f.Name, "romJson"):
		return pick(g, `{"a":[1,null]}`, "[1e999]", "x", "1", `"\u00e9"`, "[", `{"a":{"a":2.50}}`, " true ")
	}
	switch f.Param(i) {
	case sprig.KindString:
		return g.text()
	case sprig.KindInt:
		return g.IntN(24) - 6
	case sprig.KindBool:
		return g.IntN(2) == 0
	case sprig.KindFloat:
		return pick(g, 0, 0.4, 0.5, 1.5, -1)
	case sprig.KindMap:
		return g.dict(2)
	case sprig.KindAny, sprig.KindList:
	}
	if g.IntN(2) == 0 {
		return g.list(2)
	}
	return g.value(2)
}

func (g generator) value(depth int) any {
	switch g.IntN(12) {
	case 0:
		return nil
	case 1:
		return g.IntN(2) == 0
	case 2:
		return pick(g, 0, 1, 2, -3)
	case 3, 4:
		return pick[int64](g, 0, 1, 2, 3, -7, 755, math.MaxInt64, math.MinInt64, 1<<53+1)
	case 5:
		return pick(g, 0, 1, 2.5, -0.5, 3, 1e21, 1e-9, 123456.789, math.Copysign(0, -1))
	case 6:
		if depth > 0 {
			return g.dict(depth)
		}
	case 7, 8:
		if depth > 0 {
			return g.list(depth)
		}
	}
	return g.text()
}

func (g generator) list(depth int) any {
	out := make([]any, g.IntN(4))
	for i := range out {
		out[i] = g.value(depth - 1)
	}
	return out
}

func (g generator) dict(depth int) any {
	out := map[string]any{}
	for range g.IntN(4) {
		out[pick(g, "a", "b", "host", "_0", "")] = g.value(depth - 1)
	}
	return out
}

func (g generator) text() string {
	words := []string{
		"", "a", "b", "ab", "x", "host", "a b", "HelloWorld", "HTTPServer2x", "kebab-case_Snake", "Größe", "漢字A", "\xff\xfe", "a\nb\n", "  lead", "1", "42", "-7", "2.5", "0755", "0x1f",
		"1e3", "NaN", "inf", "true", "{}", `["a"]`, "aGk=", "aGk", "NBSWY===", "https://u:p@h:1/p?q=1#f", "%zz", "/a/../b.c", "v1.2.3", "1.2.3-rc.1+x", "<&\"'>", "$1", "${n}x", ".", "\x00", "ǆ", "ﬁ", "_", "- -",
		"3.0", "5.0.", "slice", "map", "int64", "the quick brown fox jumps", "😀",
	}
	if g.IntN(4) > 0 {
		return pick(g, words...)
	}
	return pick(g, words...) + pick(g, "", " ", ",", "-") + pick(g, words...)
}

func (g generator) format() string {
	var b strings.Builder
	for range g.IntN(4) {
		b.WriteString(pick(g, "", "x", " "))
		b.WriteByte('%')
		b.WriteString(pick(g, "", "", "", "-", "+", "#", "0", " ", "+#", "[1]", "[2]", "[x]", "[9]"))
		b.WriteString(pick(g, "", "", "", "5", "12", ".2", "8.3", "."))
		b.WriteString(pick(g, "", "", "", "[1]", "["))
		b.WriteString(pick(g, "v", "s", "d", "q", "x", "X", "f", "g", "e", "t", "c", "U", "b", "o", "%", "z", "!", "w", "T", ""))
	}
	return b.String()
}
