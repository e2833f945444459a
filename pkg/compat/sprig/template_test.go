package sprig_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/clusterimport/clusterimport/pkg/compat"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// TestThroughTemplates takes the calls of the tables through the whole language: each is the text of a field that is
// parsed, translated to CEL and evaluated, and compared with the template that is executed.
func TestThroughTemplates(t *testing.T) {
	env, err := expr.NewEnv(expr.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for name, g := range tables() {
		t.Run(name, func(t *testing.T) {
			for _, call := range slices.Concat(g.calls, slices.Collect(maps.Keys(g.differs))) {
				count++
				want, got := executed(call, data()), translated(t, env, call)
				differs, known := g.differs[call]
				switch {
				case known && got.err == nil && got.printed != differs.want, known && got.err != nil && differs.want != "error":
					t.Errorf("%s, %s: {{ %s }}: want %q, got %v", g.reason, differs.id, call, differs.want, got)
				case !known && ((got.err != nil) != (want.err != nil) || want.err == nil && got.printed != want.printed):
					t.Errorf("%s: {{ %s }}:\nwant %v\ngot  %v", g.reason, call, want, got)
				}
			}
		})
	}
	if count < 450 {
		t.Errorf("only %d calls", count)
	}
	t.Logf("%d calls", count)
}

var errRefused = errors.New("refused when it is translated")

// translated is what the field {{ call }} prints when its dot is the data.
func translated(t *testing.T, env *expr.Env, call string) outcome {
	t.Helper()
	program, list := compat.Text(env, "field", "{{ with .source }}{{ "+call+" }}{{ end }}")
	if program == nil {
		if !strings.Contains(list.String(), string(compat.CodeParse)) {
			t.Errorf("{{ %s }} is refused:\n%s", call, list)
		}
		return outcome{err: errRefused}
	}
	printed, err := program.Text(t.Context(), expr.NewBinding(data(), nil))
	return outcome{printed: printed, err: err}
}
