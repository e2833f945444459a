package compat_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterimport/clusterimport/pkg/compat"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/render"
)

// FuzzConvert converts anything twice: it never panics, always says the same, and what it gives compiles.
func FuzzConvert(f *testing.F) {
	for _, r := range flowRows {
		for _, src := range r.templates {
			f.Add(src)
		}
	}
	for _, src := range append(documents(), "spec: {a: [&x {b: ${c}}, *x]}\n", "a: |\n  {{ . }}\n{{ if 1 }}b: c{{ end }}", "{{ `${` }}$${{ .source.a }}") {
		f.Add(src)
	}
	env, err := expr.NewEnv(expr.Scope{References: []expr.Reference{{Key: "s"}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, src string) {
		condition, list := compat.ConvertCondition(env, "f", src)
		again, listAgain := compat.ConvertCondition(env, "f", src)
		if !cmp.Equal(condition, again) || !cmp.Equal(list, listAgain) {
			t.Fatalf("converted twice: %v, %s and %v, %s", condition, list, again, listAgain)
		}
		if text, list := compat.ConvertText(env, "f", src); (text == nil) != list.HasErrors() {
			t.Fatalf("text %v with diagnostics %s", text, list)
		} else if text != nil {
			if compiled, list := render.ParseText(env, "f", text.Text); compiled == nil {
				t.Fatalf("%s\n%s", text.Text, list)
			}
		}
		if doc, list := compat.ConvertDocument(env, "f", src, linesSchema()); (doc == nil) != list.HasErrors() {
			t.Fatalf("document %v with diagnostics %s", doc, list)
		}
	})
}
