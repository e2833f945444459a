package render_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/render"
)

// TestExpressionsAreBounded shows that a field of many expressions is refused soon, and once.
func TestExpressionsAreBounded(t *testing.T) {
	e := env(t)
	items := "spec:\n  server: x\n  items:\n"
	cases := map[string]struct {
		reason  string
		compile func() diag.List
		refused bool
	}{
		"Some": {reason: "five hundred are compiled", compile: func() diag.List {
			_, list := render.ParseText(e, "f", strings.Repeat("${source.name}", 500))
			return list
		}},
		"More": {reason: "one more is too much", refused: true, compile: func() diag.List {
			_, list := render.ParseText(e, "f", strings.Repeat("${source.name}", 501))
			return list
		}},
		"Items": {reason: "the scalars of a document count together", refused: true, compile: func() diag.List {
			_, list := render.ParseDocument(e, "f", items+strings.Repeat("  - a${source.name}b${source.name}\n", 5_000), schema())
			return list
		}},
		"Whole": {reason: "also those that are an expression", refused: true, compile: func() diag.List {
			_, list := render.ParseDocument(e, "f", items+strings.Repeat("  - ${source.name}\n", 9_000), schema())
			return list
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			list := tc.compile()
			t.Log(time.Since(began))
			refused := len(list) == 1 && list[0].Code == render.CodeLarge
			if refused != tc.refused || len(list) > 1 {
				t.Errorf("%s: got %.500s", tc.reason, list)
			}
		})
	}
}

// TestTextIsBounded shows that a text that repeats a large field is not made: selecting it costs nothing.
func TestTextIsBounded(t *testing.T) {
	text, list := render.ParseText(env(t), "f", strings.Repeat("${source.name}", 400))
	if text == nil {
		t.Fatal(list)
	}
	for size, want := range map[int]diag.Code{2_000: "", 10_000: expr.CodeTooExpensive} {
		got, err := text.Text(t.Context(), expr.NewBinding(map[string]any{"name": strings.Repeat("x", size)}, nil))
		failed, ok := errors.AsType[*expr.Error](err)
		if ok != (want != "") || ok && failed.Code() != want || !ok && len(got) != 400*size {
			t.Errorf("%d bytes 400 times: %v", size, err)
		}
	}
}
