package compat_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterimport/clusterimport/pkg/compat"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// FuzzTranslate translates anything twice: it never panics, and it always says the same.
func FuzzTranslate(f *testing.F) {
	for _, seed := range append(conditions(), texts()[:120]...) {
		f.Add(seed)
	}
	for _, document := range documents() {
		f.Add(document)
	}
	for _, document := range textDocuments {
		f.Add(document.template)
	}
	f.Add("spec:\n  server: \"{{ .source.name }}\"\n")
	f.Add("{{ range $i, $x := .source }}{{ $i = 1 }}{{ else }}{{ end }}{{ $x }}")
	env, err := expr.NewEnv(expr.Scope{References: []expr.Reference{{Key: "s"}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, src string) {
		program, list := compat.Condition(env, "f", src)
		if (program == nil) != list.HasErrors() {
			t.Fatalf("program %v with diagnostics %s", program, list)
		}
		if _, again := compat.Condition(env, "f", src); !cmp.Equal(list, again) {
			t.Fatalf("translated twice: %s and %s", list, again)
		}
		doc, list := compat.Document(env, "f", src, linesSchema())
		if (doc == nil) != list.HasErrors() {
			t.Fatalf("document %v with diagnostics %s", doc, list)
		}
		if _, again := compat.Document(env, "f", src, linesSchema()); !cmp.Equal(list, again) {
			t.Fatalf("translated twice: %s and %s", list, again)
		}
		b := expr.NewBinding(sample(), []string{"s"})
		if program != nil {
			_, _ = program.Bool(t.Context(), b)
		}
		if doc != nil {
			_, _ = doc.Render(t.Context(), b)
		}
	})
}
