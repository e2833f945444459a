package compat_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterimport/clusterimport/pkg/compat"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/render"
)

// benign stands for a value in the document that each hostile one is compared with.
const benign = "zqzq"

// hostileValues are texts that YAML would take for something else than a part of a scalar.
func hostileValues() map[string]string {
	return map[string]string{
		"newline and field": "a\n  all: true", "newline and item": "a\n- b: c", "document": "a\n---\nb: c", "double quote": `a" all: true "`, "single quote": `a' all: true '`, "colon": "a: b", "comment": "a # b", "anchor": "&x a", "alias": "*x",
		"tag": "!!binary aGk=", "tab": "\ta\tb", "return": "a\r\nall: true\r\n", "nul": "a\x00b", "flow": "{all: true}", "flow end": "a}], all: true", "backslash": `a\nall: true\`, "percent": "%YAML 1.2", "question": "? a\n: b", "bool": "yes", "number": "0x1F", "null": "~",
		"merge": "<<: *x", "block": "|\n  all: true", "spaces": "   ", "line separator": "a\u2028all: true\u0085b", "long": strings.Repeat("a: b\n", 20_000), "bom": "\ufeffa: b", "no UTF-8": "a\xff\xfe: b\n", "template": "{{ .source }} ${source}", "mark": "a\ue000" + "0\ue001b",
	}
}

// scalarStyles are documents in which a value stands in each place that a scalar can have.
func scalarStyles() map[string]string {
	return map[string]string{
		"plain":          "spec:\n  groups: []\n  server: {{ .source.v }}\n",
		"plain part":     "spec:\n  groups: []\n  server: https://{{ .source.v }}/x\n",
		"double":         "spec:\n  groups: []\n  server: \"{{ .source.v }}\"\n",
		"double part":    "spec:\n  groups: []\n  server: \"a\\t{{ .source.v }}\\n b\"\n",
		"single":         "spec:\n  groups: []\n  server: '{{ .source.v }}'\n",
		"single part":    "spec:\n  groups: []\n  server: 'it''s {{ .source.v }}'\n",
		"literal":        "spec:\n  groups: []\n  server: |\n    {{ .source.v }}\n  ca: x\n",
		"literal strip":  "spec:\n  groups: []\n  server: |-\n    a\n    {{ .source.v }}\n  ca: x\n",
		"folded":         "spec:\n  groups: []\n  server: >\n    a\n    {{ .source.v }}\n  ca: x\n",
		"folded strip":   "spec:\n  groups: []\n  server: >-\n    {{ .source.v }}\n  ca: x\n",
		"flow":           "spec: {groups: [], server: {{ .source.v }}, ca: x}\n",
		"flow double":    "spec: {groups: [], server: \"{{ .source.v }}\", ca: x}\n",
		"flow item":      "spec: {groups: [{group: a, resources: [b, '{{ .source.v }}', c]}], ca: x}\n",
		"item":           "spec:\n  groups:\n  - group: {{ .source.v }}\n    resources:\n    - {{ .source.v }}\n    - x\n",
		"key":            "metadata:\n  labels:\n    a: b\n    \"{{ .source.v }}\": c\nspec:\n  groups: []\n",
		"plain key":      "metadata:\n  labels:\n    {{ .source.v }}: c\nspec:\n  groups: []\n",
		"map":            "metadata:\n  labels:\n    {{- range $k, $v := .source.m }}\n    {{ $k }}: {{ $v }}\n    {{- end }}\nspec:\n  groups: []\n",
		"json":           "metadata:\n  labels: {{ toJson .source.m }}\nspec:\n  groups: []\n",
		"json scalar":    "spec:\n  groups: []\n  server: {{ toJson .source.v }}\n",
		"quote":          "spec:\n  groups: []\n  server: {{ quote .source.v }}\n",
		"squote":         "spec:\n  groups: []\n  server: {{ squote .source.v }}\n",
		"in a condition": "spec:\n  groups: []\n  {{- if .source.v }}\n  server: {{ .source.v }}\n  {{- end }}\n",
		"in a loop":      "spec:\n  groups:\n  {{- range .source.l }}\n  - group: \"{{ . }}\"\n  {{- end }}\n",
		"indented":       "spec:\n  groups: []\n  server: |\n{{ .source.v | indent 4 }}\n  ca: x\n",
		"text flow":      "spec: {groups: [{{ range .source.l }}{group: {{ . }}},{{ end }}]}\n",
		"text double":    "spec: {groups: [{{ range .source.l }}{group: \"a\\t{{ . }}\"},{{ end }}]}\n",
		"text single":    "spec: {groups: [{{ range .source.l }}{group: 'it''s {{ . }}'},{{ end }}]}\n",
		"text literal":   "spec:\n  groups: []\n  server: |\n    {{ range .source.l }}\n    {{ . }}\n    {{ end }}\n    {{ .source.v }}\n  ca: x\n",
		"text folded":    "spec:\n  groups: []\n  server: >-\n    {{ if .source.v }}\n    {{ .source.v }}\n    {{ end }}\n  ca: x\n",
		"text key":       "metadata: {labels: {a: b{{ range $k, $v := .source.m }}, {{ $k }}: {{ $v }}{{ end }}}}\nspec: {groups: []}\n",
		"text json":      "metadata: {labels: {{ toJson .source.m }}}\nspec: {groups: [{{ range .source.l }}{group: {{ toJson . }}},{{ end }}]}\n",
		"text quote":     "spec: {groups: [{{ range .source.l }}{group: {{ quote . }}, resources: [{{ squote . }}]},{{ end }}]}\n",
		"text indented":  "{{ $x := 1 }}spec:\n  groups:\n  {{- range .source.l }}\n  - group: |\n{{ . | indent 6 }}\n  {{- $x = . }}\n  {{- end }}\n  ca: x\n",
		"text comment":   "spec: {groups: [{{ range .source.l }}{group: x}, # {{ . }}\n {{ end }}]}\n",
		"comment":        "spec: # {{ .source.v }}\n  groups: [] # a {{ .source.v }}\n  server: x\n",
	}
}

// TestInjection puts each hostile value into each place. The document must be the one of a benign value, but for the
// scalar that has the value.
func TestInjection(t *testing.T) {
	cases, refused := 0, 0
	for style, doc := range styledDocuments(t) {
		for name, v := range hostileValues() {
			cases++
			diff, err := injected(t, doc, style, v)
			if err != nil {
				refused++
				t.Logf("%s, %s: %v", style, name, err)
			}
			if diff != "" {
				t.Errorf("%s, %s: (-want +got)\n%.600s", style, name, diff)
			}
		}
	}
	if cases < 1000 || refused*10 > cases {
		t.Errorf("%d cases, of which %d give errors", cases, refused)
	}
	t.Logf("%d cases, %d errors", cases, refused)
}

// FuzzInjection puts any value into each place.
func FuzzInjection(f *testing.F) {
	for _, v := range hostileValues() {
		f.Add(v)
	}
	documents := styledDocuments(f)
	f.Fuzz(func(t *testing.T, v string) {
		switch strings.TrimSpace(v) {
		case "", "a", "key":
			t.Skip("what a condition asks for, or a key that is there")
		}
		for style, doc := range documents {
			if diff, err := injected(t, doc, style, v); err != nil || diff != "" {
				t.Errorf("%s: %v (-want +got)\n%.600s", style, err, diff)
			}
		}
	})
}

// styledDocuments are the documents of scalarStyles.
func styledDocuments(tb testing.TB) map[string]*render.Document {
	tb.Helper()
	env, err := expr.NewEnv(expr.Scope{})
	if err != nil {
		tb.Fatal(err)
	}
	documents := map[string]*render.Document{}
	for style, src := range scalarStyles() {
		doc, list := compat.Document(env, "spec.template", src, linesSchema())
		if doc == nil {
			tb.Fatalf("%s: refused:\n%s", style, list)
		}
		if hasCode(list, compat.CodeTextMode) != strings.HasPrefix(style, "text") {
			tb.Errorf("%s: said is\n%s", style, list)
		}
		documents[style] = doc
	}
	return documents
}

// injected compares the document of a value with that of the benign one.
func injected(t *testing.T, doc *render.Document, style, v string) (diff string, err error) {
	t.Helper()
	of := func(v string) (map[string]any, error) {
		source := map[string]any{"v": v, "m": map[string]any{"key": v, v: "x"}, "l": []any{v, "x"}}
		return doc.Render(t.Context(), expr.NewBinding(source, nil))
	}
	reference, err := of(benign)
	if err != nil {
		t.Fatalf("%s: %v", style, err)
	}
	got, err := of(v)
	if err != nil {
		return "", err
	}
	return cmp.Diff(replaced(reference, v, style), got), nil
}

// replaced is a document with the value in the place of the benign one. A scalar without quotes is trimmed, and so is
// a key; the indentation that the template asks for is that of the document.
func replaced(doc any, v, style string) any {
	in := func(text string) string {
		if !strings.Contains(text, benign) {
			return text
		}
		switch style {
		case "key", "plain", "plain part", "flow", "item", "plain key", "map", "in a condition", "text flow", "text key":
			return strings.TrimSpace(strings.ReplaceAll(text, benign, v))
		case "text json":
			return strings.ReplaceAll(text, benign, string([]rune(v))) // JSON is UTF-8
		}
		return strings.ReplaceAll(text, benign, v)
	}
	switch doc := doc.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, val := range doc {
			out[in(key)] = replaced(val, v, style)
		}
		return out
	case []any:
		out := make([]any, len(doc))
		for i, val := range doc {
			out[i] = replaced(val, v, style)
		}
		return out
	case string:
		return in(doc)
	}
	return doc
}
