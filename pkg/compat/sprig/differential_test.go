package sprig_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"text/template/parse"

	"github.com/clusterimport/clusterimport/pkg/compat/sprig"
)

// difference is a place where this package differs on purpose.
type difference struct {
	id   string // of the list of differences in docs, or a word for one that only this package has
	want string // what it prints here, or "error"
}

// group is a set of expressions with one function in common, its name being the key of the table.
type group struct {
	reason string
	calls  []string
	// differs holds the calls whose outcome is another one here.
	differs map[string]difference
}

func tables() map[string]group {
	all := map[string]group{}
	for _, table := range []map[string]group{
		textTable, listTable, numberTable, compareTable,
	} {
		maps.Copy(all, table)
	}
	return all
}

func TestDifferential(t *testing.T) {
	for name, g := range tables() {
		t.Run(name, func(t *testing.T) {
			for _, call := range slices.Concat(g.calls, slices.Collect(maps.Keys(g.differs))) {
				values := data()
				want, got := executed(call, values), evaluated(call, values)
				failIfPanicked(t, got)
				differs, known := g.differs[call]
				switch {
				case known && got.same(want):
					t.Errorf("{{ %s }} does not differ any more: %v", call, got)
				case known && got.err == nil && got.printed != differs.want, known && got.err != nil && differs.want != "error":
					t.Errorf("%s, %s: {{ %s }}: want %q, got %v", g.reason, differs.id, call, differs.want, got)
				case !known && !got.same(want):
					t.Errorf("%s: {{ %s }}:\nwant %v\ngot  %v", g.reason, call, want, got)
				}
				if !sameValue(values, data()) {
					t.Fatalf("{{ %s }} changed its arguments", call)
				}
			}
		})
	}
}

// TestDifferentialKinds puts a value of every kind in the place of every argument of a call that works.
func TestDifferentialKinds(t *testing.T) {
	count := 0
	for name, g := range tables() {
		t.Run(name, func(t *testing.T) {
			for _, call := range variants(g.calls[0]) {
				count++
				values := data()
				want, got := executed(call, values), evaluated(call, values)
				failIfPanicked(t, got)
				if !got.same(want) && !explained(call, want, got) {
					t.Errorf("%s: {{ %s }}:\nwant %v\ngot  %v", g.reason, call, want, got)
				}
			}
		})
	}
	t.Logf("%d calls", count)
}

// variants are the calls with each argument replaced by each field of the data, and by words for nothing.
func variants(call string) []string {
	tree := parse.New("")
	tree.Mode = parse.SkipFuncCheck
	if _, err := tree.Parse("{{ "+call+" }}", "", "", map[string]*parse.Tree{}); err != nil {
		return []string{call}
	}
	commands := tree.Root.Nodes[0].(*parse.ActionNode).Pipe.Cmds
	words := []string{}
	for _, arg := range commands[0].Args {
		words = append(words, arg.String())
	}
	var out []string
	for i := 1; i < len(words); i++ {
		for _, key := range slices.Sorted(maps.Keys(data())) {
			replaced := slices.Clone(words)
			replaced[i] = "." + key
			out = append(out, strings.Join(replaced, " "))
		}
		for _, word := range []string{".absent", "nil", "(.null)", "(len .list)", "3", "3.0", "(3.0)", "-1", "true", `"x"`, `(int .n)`} {
			replaced := slices.Clone(words)
			replaced[i] = word
			out = append(out, strings.Join(replaced, " "))
		}
		out = append(out, strings.Join(slices.Delete(slices.Clone(words), i, i+1), " "))
	}
	return append(out, call+" .text", call+" .absent .null")
}

// explained reports whether a difference is a known one: D11, numbers compare by value, or the order of keys, which
// the original leaves to chance.
func explained(call string, want, got outcome) bool {
	if want.err != nil || got.err != nil {
		return false
	}
	name, _, _ := strings.Cut(call, " ")
	switch strings.TrimPrefix(strings.ToLower(name), "must") {
	case "has", "without", "uniq", "deepequal":
		return true
	case "keys", "values":
		return sorted(want.printed) == sorted(got.printed)
	}
	return false
}

func sorted(s string) string {
	r := []rune(s)
	slices.Sort(r)
	return string(r)
}

func TestTablesAreComplete(t *testing.T) {
	total := 0
	all := tables()
	for _, name := range sprig.Names() {
		f, _ := sprig.Lookup(name)
		g := all[name]
		if f.Refused != "" {
			continue
		}
		calls := slices.Concat(g.calls, slices.Collect(maps.Keys(g.differs)))
		total += len(calls)
		if len(calls) < 3 {
			t.Errorf("%s has %d calls in the tables, fewer than three", name, len(calls))
		}
		for _, call := range calls {
			if !strings.Contains(call, name) {
				t.Errorf("{{ %s }} does not call %s", call, name)
			}
		}
	}
	if total < 450 {
		t.Errorf("the tables have %d calls, fewer than 450", total)
	}
	t.Logf("%d calls", total)
}
