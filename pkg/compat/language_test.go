package compat_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/clusterimport/clusterimport/pkg/compat"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// row is one row of what Clusterpedia's templates mean: templates about one construct.
type row struct {
	reason    string
	templates []string
	// differs holds the templates that come to something else here, on purpose.
	differs map[string]difference
}

// difference is a deliberate one.
type difference struct {
	id string
	// want is the text here, or "error", or "refused: CODE".
	want string
}

func rows() map[string]row {
	all := map[string]row{}
	for _, table := range []map[string]row{valueRows, flowRows, differenceRows} {
		maps.Copy(all, table)
	}
	return all
}

func (r row) all() []string {
	return slices.Sorted(slices.Values(slices.Concat(r.templates, slices.Collect(maps.Keys(r.differs)))))
}

// languageData is what the templates of the rows read.
func languageData() map[string]any {
	return root(sample(), map[string]any{"secret": map[string]any{
		"metadata": map[string]any{"name": "s", "namespace": "fleet"}, "data": map[string]any{"token": "dG9rZW4+", "ca.crt": "Y2E="},
	}})
}

func languageEnv(t *testing.T) *expr.Env {
	t.Helper()
	env, err := expr.NewEnv(expr.Scope{References: []expr.Reference{{Key: "secret"}}})
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// TestLanguage compares each template of the tables with the template engine, as a text and as a condition.
func TestLanguage(t *testing.T) {
	env := languageEnv(t)
	count := 0
	for name, r := range rows() {
		t.Run(name, func(t *testing.T) {
			for _, src := range r.all() {
				count++
				want, text, truth := compared(t, env, src)
				if d, differs := r.differs[src]; differs {
					d.check(t, r.reason, src, want, text)
					continue
				}
				if !text.same(want) {
					t.Errorf("%s: %s\nwant %v\ngot  %v", r.reason, src, want, text)
				}
				if !truth.same(want.truth()) {
					t.Errorf("%s: as a condition: %s\nwant %v\ngot  %v", r.reason, src, want.truth(), truth)
				}
			}
		})
	}
	if count < 300 {
		t.Errorf("the tables have %d templates, fewer than 300", count)
	}
	t.Logf("%d templates", count)
}

func (d difference) check(t *testing.T, reason, src string, want, got outcome) {
	t.Helper()
	if got.same(want) {
		t.Errorf("%s, %s: %s does not differ any more: %v", reason, d.id, src, got)
	}
	if !d.met(got) {
		t.Errorf("%s, %s: %s: want %s, got %v", reason, d.id, src, d.want, got)
	}
}

// met reports whether an outcome is the one that is wanted here.
func (d difference) met(got outcome) bool {
	if code, refused := strings.CutPrefix(d.want, "refused: "); refused {
		return got.err != nil && strings.Contains(got.err.Error(), "["+code+"]")
	}
	if d.want == "error" {
		return got.err != nil
	}
	return got.err == nil && got.text == d.want
}

// compared is what the template engine makes of a template, and what its translations make of it.
func compared(t *testing.T, env *expr.Env, src string) (want, text, truth outcome) {
	t.Helper()
	data := languageData()
	parsed, err := parseOriginal(src)
	if err != nil {
		want = outcome{err: err}
	} else {
		want = parsed.execute(data)
	}
	tr, err := translate(env, src)
	if err != nil {
		return want, outcome{err: err}, outcome{err: err}
	}
	return want, tr.printed(t, data), tr.truth(t, data)
}

// TestRefusedFunctions calls every refused function in every place of a template.
func TestRefusedFunctions(t *testing.T) {
	env := languageEnv(t)
	places := []string{
		"{{ %s }}", "{{ if false }}{{ %s }}{{ end }}", "{{ $x := (%s) }}", "{{ range .source.spec.list }}{{ . | %s }}{{ end }}", "{{ with %s }}{{ end }}",
		`{{ "x" | default (%s) }}`, "{{ if true }}{{ else if %s }}{{ end }}",
	}
	count := 0
	for name, code := range refusedFunctions() {
		for _, place := range places {
			count++
			src := strings.Replace(place, "%s", name, 1)
			program, list := compat.Text(env, "field", src)
			if program != nil || !slices.ContainsFunc(codes(list), func(c string) bool { return c == code }) {
				t.Errorf("%s: want %s, got %v", src, code, list)
			}
		}
	}
	if count < 300 {
		t.Errorf("only %d templates", count)
	}
}
