package render_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/render"
)

func env(tb testing.TB) *expr.Env {
	tb.Helper()
	e, err := expr.NewEnv(expr.Scope{})
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func source() map[string]any {
	return map[string]any{
		"name": "prod", "port": int64(6443), "flag": true, "nothing": nil, "list": []any{"a", "b"},
		"labels": map[string]any{"env": "x"}, "hostile": "v\"\n  injected: true\n# ",
	}
}

func TestText(t *testing.T) {
	cases := map[string]struct{ reason, src, want string }{
		"Literal":   {"text without expressions is itself", "plain $ { } text", "plain $ { } text"},
		"Mixed":     {"expressions stand within text", "a-${source.name}-${source.port}-${source.flag}", "a-prod-6443-true"},
		"Escape":    {"$${ is a literal ${", "$${x}", "${x}"},
		"Null":      {"null and absent values are empty", "[${source.nothing}${source.?missing}]", "[]"},
		"Braces":    {"braces of maps and of strings do not end an expression", `${{'}': "{"}['}']}`, "{"},
		"Strings":   {"quotes of every kind hide braces", `${'\'}' + "\"}" + r'\' + '''}''' + """}"""}`, `'}"}\}}`},
		"Comment":   {"a comment hides braces", "${source.name // }\n}", "prod"},
		"Backticks": {"an escaped identifier is read", "${source.?`a-b`.orValue('d')}", "d"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			text, list := render.ParseText(env(t), "f", tc.src)
			if text == nil {
				t.Fatalf("%s:\n%s", tc.reason, list)
			}
			got, err := text.Text(context.Background(), expr.NewBinding(source(), nil))
			if err != nil || got != tc.want {
				t.Errorf("%s: got %q, %v, want %q", tc.reason, got, err, tc.want)
			}
		})
	}
}

func schema() *expr.Schema {
	text := &expr.Schema{Kind: expr.String}
	return &expr.Schema{Kind: expr.Object, Fields: map[string]*expr.Schema{
		"any":      {},
		"metadata": {Kind: expr.Object, Fields: map[string]*expr.Schema{"labels": {Kind: expr.Map, Elem: text}}},
		"spec": {Kind: expr.Object, Required: []string{"items"}, Fields: map[string]*expr.Schema{
			"server": text, "flag": {Kind: expr.Bool}, "items": {Kind: expr.List, Elem: text}, "data": {Kind: expr.String, Base64: true},
		}},
	}}
}

func TestDocument(t *testing.T) {
	cases := map[string]struct {
		reason, src string
		want        map[string]any
	}{
		"Types": {
			reason: "exactly one ${} keeps the value's type", src: "spec: {flag: '${source.flag}', items: '${source.list}'}",
			want: map[string]any{"flag": true, "items": []any{"a", "b"}},
		},
		"Text": {
			reason: "other text is a string", src: "spec:\n  server: https://${source.name}:${source.port}\n  items: []\n",
			want: map[string]any{"server": "https://prod:6443", "items": []any{}},
		},
		"Hostile": {
			reason: "a value never changes the structure", src: "spec:\n  server: ${source.hostile}\n  items: [\"${source.hostile}\"]\n",
			want: map[string]any{"server": source()["hostile"], "items": []any{source()["hostile"]}},
		},
		"Dropped": {
			reason: "an optional without a value drops its key or item", src: "spec: {server: '${source.?missing}', items: ['${source.?missing}', x]}",
			want: map[string]any{"items": []any{"x"}},
		},
		"PlainText": {
			reason: "a plain scalar in a text field is text", src: "spec: {server: 1.20, items: [yes, 0755, null]}",
			want: map[string]any{"server": "1.20", "items": []any{"yes", "0755", nil}},
		},
		"Block": {
			reason: "expressions stand in block scalars too", src: "spec:\n  server: |-\n    a\n    ${source.name}\n  items: []\n",
			want: map[string]any{"server": "a\nprod", "items": []any{}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			doc, list := render.ParseDocument(env(t), "f", tc.src, schema())
			if doc == nil {
				t.Fatalf("%s:\n%s", tc.reason, list)
			}
			got, err := doc.Render(context.Background(), expr.NewBinding(source(), nil))
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			if diff := cmp.Diff(map[string]any{"spec": tc.want}, got); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}

func TestDocumentDiagnostics(t *testing.T) {
	cases := map[string]struct{ reason, src, want string }{
		"YAML":         {"text that is no YAML is refused with its line", "spec:\n  a: [", "error: f:2:1: not valid YAML"},
		"Brackets":     {"so is what stands in the wrong place", "spec:\n  server: x\n  items: ['a' 'b']\n", "error: f:3:1: not valid YAML: did not find expected ',' or ']'"},
		"Tab":          {"and what is no sign of YAML", "spec:\n  server: x\n  items: @a\n", "error: f:3:1: not valid YAML: found character that cannot start any token"},
		"Scalar":       {"a document is a mapping", "x", "error: f:1:1: the template is not a YAML mapping [TEMPLATE-YAML]"},
		"UnknownField": {"an unknown field is refused at its place", "spec:\n  items: []\n  sever: x", "error: f:3:3: unknown field \"sever\" [TEMPLATE-FIELD]\n  |   sever: x\n  |   ^"},
		"Missing":      {"a required field must be there", "spec:\n  server: x", "error: f:2:3: the field \"items\" is missing [TEMPLATE-FIELD]"},
		"Twice":        {"a key stands once", "spec: {items: [], items: []}", "error: f:1:19: the key \"items\" stands twice"},
		"Kind":         {"a mapping is no text", "spec: {items: [], server: {a: b}}", "error: f:1:27: the field needs text, not a mapping [TEMPLATE-VALUE]"},
		"Literal":      {"a literal must fit", "spec: {items: [], flag: maybe}", "error: f:1:25: the field needs a bool, not text [TEMPLATE-VALUE]"},
		"Base64":       {"a literal of a bytes field must be base64", "spec: {items: [], data: '***'}", "the value is not base64"},
		"Result":       {"an expression must fit its field", "spec:\n  items: []\n  flag: ${'x' + 'y'}", "error: f:3:11: the field needs bool, the expression is string [CEL-RESULT]\n  |   flag: ${'x' + 'y'}\n  |           ^"},
		"Expression":   {"an error in an expression points into the template", "spec:\n  items: []\n  server: \"a-${source.name +}\"", "error: f:3:29: the expression ends too early"},
		"Unterminated": {"a ${ needs its }", "spec:\n  items: []\n  server: a${source", "error: f:3:12: the ${ has no } [TEXT-UNTERMINATED]\n  |   server: a${source\n  |            ^"},
		"Key":          {"a key cannot be an expression", "spec: {items: [], '${source.name}': x}", "a key must be plain text"},
		"Lines":        {"a document has no end of lines", strings.Repeat("a: b\n", 20_001), "error: f:1:1: the document has more than 20000 lines, commas and brackets [TEMPLATE-LARGE]"},
		"Flow":         {"nor of values in one line", "spec: {items: [" + strings.Repeat("a,", 20_000) + "]}", "[TEMPLATE-LARGE]"},
		"Plain":        {"nor of scalars that may be anything", "any:\n" + strings.Repeat("- 1\n", 2_001), "error: f:2002:3: more than 2000 scalars without quotes stand where"},
		"Alias":        {"aliases are refused", "spec: &a {items: []}\nmetadata: *a", "anchors and aliases are not supported"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			doc, list := render.ParseDocument(env(t), "f", tc.src, schema())
			if doc != nil {
				t.Fatalf("%s: it compiles", tc.reason)
			}
			if got := list.String(); !strings.Contains(got, tc.want) {
				t.Errorf("%s: got\n%s\nwant\n%s", tc.reason, got, tc.want)
			}
		})
	}
}

// TestManyFaults shows that a document with a fault in each line is told about the first of them, soon.
func TestManyFaults(t *testing.T) {
	for name, src := range map[string]string{
		"Fields": strings.Repeat("a: b\n", 19_000),
		"Keys":   "spec:\n  items: []\n" + strings.Repeat("  '${source.name}': x\n", 5_000),
		"Items":  "spec:\n  items:\n" + strings.Repeat("  - ${source.name +}\n", 5_000),
	} {
		if _, list := render.ParseDocument(env(t), "f", src, schema()); len(list) != diag.Most {
			t.Errorf("%s: %d diagnostics, not %d", name, len(list), diag.Most)
		}
	}
}

func FuzzDocument(f *testing.F) {
	for _, seed := range []string{"spec: {items: []}", "spec:\n  server: ${source.name}\n  items: []", "a: |\n ${x}", "$${", "${", "a: &a b\nc: *a"} {
		f.Add(seed)
	}
	e := env(f)
	f.Fuzz(func(t *testing.T, src string) {
		doc, list := render.ParseDocument(e, "f", src, schema())
		if (doc == nil) != list.HasErrors() {
			t.Fatalf("document %v with diagnostics %s", doc, list)
		}
		if doc != nil {
			_, _ = doc.Render(t.Context(), expr.NewBinding(source(), nil))
		}
	})
}
