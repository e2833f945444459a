package compat_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/clusterimport/clusterimport/pkg/compat"
	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// textDocuments are templates whose structure is known only when they are rendered.
var textDocuments = map[string]struct{ reason, template string }{
	"Brackets": {
		reason:   "a range between brackets prints items, and a comma after each",
		template: `spec: {groups: [{{ range .source.spec.list }}{group: "{{ . }}"},{{ end }}]}`,
	},
	"CommaBetween": {
		reason:   "a comma stands before each item but the first",
		template: "spec:\n  groups:\n  - resources: [{{ range $i, $x := .source.spec.list }}{{ if $i }}, {{ end }}{{ $x }}{{ end }}]\n",
	},
	"Separator": {
		reason:   "a variable that holds nothing but signs of the template is structure as they are",
		template: "{{ $sep := \"\" }}spec: {groups: [{{ range .source.spec.list }}{{ $sep }}{group: {{ . }}}{{ $sep = \", \" }}{{ end }}]}\n",
	},
	"FirstFlag": {
		reason:   "an assignment may last from round to round",
		template: `{{ $first := true }}spec: {groups: [{{ range .source.spec.list }}{{ if $first }}{{ $first = false }}{{ else }},{{ end }}{group: {{ . }}}{{ end }}]}`,
	},
	"Constant": {
		reason:   "signs of the template are structure where an action prints them, too",
		template: `spec: {groups: {{ "[" }}{{ range .source.spec.list }}{group: {{ . }}}{{ "," }}{{ end }}]}`,
	},
	"Braces": {
		reason:   "keys may be computed between braces",
		template: "metadata: {labels: {a: b{{ range $k, $v := .source.metadata.labels }}, {{ $k }}: \"{{ $v }}\"{{ end }}}}\nspec: {groups: []}\n",
	},
	"JSON": {
		reason:   "toJson gives the value itself where it stands alone, and its text elsewhere",
		template: "metadata: {labels: {{ toJson .source.metadata.labels }}}\nspec: {groups: [{{ range .source.spec.list }}{group: {{ toJson . }}},{{ end }}], ca: '{{ toJson .source.spec.list }}'}\n",
	},
	"Quote": {
		reason:   "quote and squote give the text where they stand alone",
		template: "spec: {groups: [{{ range .source.spec.list }}{group: {{ quote . }}, resources: [{{ squote . }}, {{ quote $.source.spec.missing }}x]},{{ end }}]}\n",
	},
	"LiteralIf": {
		reason:   "an if may stand around lines of a block scalar",
		template: "spec:\n  groups: []\n  ca: |\n    a: {{ .source.metadata.name }}\n    {{- if .source.spec.yes }}\n      b\n    {{- else }}\n    c\n    {{- end }}\n    d\n  server: x\n",
	},
	"LiteralRange": {
		reason:   "so may a range",
		template: "spec:\n  groups: []\n  ca: |-\n    {{ range $i, $x := .source.spec.list }}\n    {{ $i }}: {{ $x }}\n    {{ end }}\n    end\n",
	},
	"Folded": {
		reason:   "the lines of a folded scalar are one",
		template: "spec:\n  groups: []\n  ca: >-\n    a\n    {{- range .source.spec.list }}\n    {{ . }}\n    {{- end }}\n  server: x\n",
	},
	"Indented": {
		reason:   "indent and nindent keep the lines of a value in their block",
		template: "spec:\n  groups: []\n  {{ if .source.spec.yes }}\n  ca: |\n{{ .source.spec.lines | indent 4 }}\n    {{ if .source.spec.yes }}\n    x\n    {{ end }}\n  server: |-\n    {{- .source.spec.lines | nindent 4 }}\n  {{ end }}\n",
	},
	"Break": {
		reason:   "a break may stand after lines",
		template: "spec:\n  groups:\n  {{- range .source.spec.list }}\n  - group: {{ . }}\n  {{- if eq . \"b\" }}{{ break }}{{ end }}\n    resources: [x]\n  {{- end }}\n",
	},
	"Assigned": {
		reason:   "an assignment may last beyond the lines that it stands in",
		template: "{{ $s := \"\" }}spec:\n  groups:\n  {{- range .source.spec.list }}\n  - group: {{ . }}\n  {{- $s = . }}\n  {{- end }}\n  server: \"{{ $s }}\"\n",
	},
	"Count": {
		reason:   "loops may count",
		template: "{{ $n := 0 }}spec: {groups: [{{ range .source.spec.list }}{group: \"{{ $n = add $n 1 }}{{ $n }}\"},{{ end }}], server: \"{{ $n }}\"}\n",
	},
	"Template": {
		reason:   "a template within the template may print a part of a line",
		template: `{{ define "group" }}{group: {{ . }}}{{ end }}spec: {groups: [{{ range .source.spec.list }}{{ template "group" . }}, {{ end }}]}`,
	},
	"Quotes": {
		reason:   "quotes may stand in a branch",
		template: "spec:\n  groups: []\n  server: {{ if .source.spec.yes }}\"{{ end }}a: {{ .source.metadata.name }}{{ if .source.spec.yes }}\"{{ end }}\n",
	},
	"Lines": {
		reason:   "branches may end in the midst of a line",
		template: "spec:\n  {{ if .source.spec.yes }}groups:\n  - group: a\n  - group: {{ else }}groups:\n  - group: {{ end }}{{ .source.metadata.name }}\n",
	},
	"Else": {
		reason:   "what a branch leaves open another may close",
		template: `spec: {groups: [{{ range .source.spec.missing }}x{{ else }}{group: none}]{{ end }}, all: {{ .source.spec.yes }}}`,
	},
	"Plain": {
		reason:   "a plain scalar is what its field needs",
		template: "spec:\n  groups: [{{ range .source.spec.list }}{group: 1.{{ . }}},{{ end }}]\n  all: {{ .source.spec.yes }}\n  server: {{ .source.spec.n }}\n  ca: {{ .source.spec.missing }}\n",
	},
}

// TestTextDocuments compares documents with what the template engine prints, read as YAML.
func TestTextDocuments(t *testing.T) {
	env, err := expr.NewEnv(expr.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range textDocuments {
		t.Run(name, func(t *testing.T) {
			parsed, err := parseOriginal(tc.template)
			if err != nil {
				t.Fatal(err)
			}
			printed := parsed.execute(root(sample(), nil))
			var want map[string]any
			if err := yaml.Unmarshal([]byte(printed.text), &want); err != nil || printed.err != nil {
				t.Fatalf("%v %v in\n%s", err, printed.err, printed.text)
			}
			doc, list := compat.Document(env, "f", tc.template, linesSchema())
			if doc == nil {
				t.Fatalf("%s: refused:\n%s", tc.reason, list)
			}
			if !hasCode(list, compat.CodeTextMode) {
				t.Errorf("%s: it is said to be no text:\n%s", tc.reason, list)
			}
			got, err := doc.Render(t.Context(), expr.NewBinding(sample(), nil))
			if err != nil {
				t.Fatalf("%s: %v in\n%s", tc.reason, err, printed.text)
			}
			if diff := cmp.Diff(withoutNull(scalarsAsText(want)), withoutNull(scalarsAsText(got))); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}

func hasCode(list diag.List, code diag.Code) bool {
	for _, d := range list {
		if d.Code == code {
			return true
		}
	}
	return false
}

// withoutNull makes an empty text of null: a value that is absent is either, as its field needs.
func withoutNull(val any) any {
	switch v := val.(type) {
	case map[string]any:
		for key, item := range v {
			v[key] = withoutNull(item)
		}
	case []any:
		for i, item := range v {
			v[i] = withoutNull(item)
		}
	case nil:
		return ""
	}
	return val
}

// TestTextDocumentRefusals shows what is found when a document that is text is compiled.
func TestTextDocumentRefusals(t *testing.T) {
	brackets := "{{ range .source.spec.list }}{group: {{ . }}},{{ end }}"
	cases := map[string]struct {
		reason, template string
		want             diag.Code
		message          string
	}{
		"NeverYAML": {
			reason: "nothing that it can print is YAML", template: "spec: {groups: [" + brackets + "}\n",
			want: compat.CodeYAMLContext, message: "not valid YAML",
		},
		"NoMapping": {
			reason: "nothing that it can print is a document", template: "[{{ range .source.spec.list }}{{ . }},{{ end }}]",
			want: compat.CodeYAMLContext, message: "not a YAML mapping",
		},
		"UnknownField": {
			reason: "every way leads to a field that does not exist", template: "spec: {gruops: [" + brackets + "], groups: []}\n",
			want: compat.CodeYAMLSchema, message: `unknown field "gruops"`,
		},
		"MissingField": {
			reason: "every way leaves out a field that is needed", template: "spec: {server: \"{{ if .source.a }}{{ end }}\", ca: {{ range .source.b }}'x'{{ end }}}\n",
			want: compat.CodeYAMLSchema, message: `the field "groups" is missing`,
		},
		"Alias": {
			reason: "aliases are refused as elsewhere", template: "spec: &a {groups: [" + brackets + "], ca: *a}\n",
			want: compat.CodeYAMLContext, message: "anchors and aliases",
		},
		"WholeDocument": {
			reason: "a document may not come from a value", template: "{{ .source.spec.document }}",
			want: compat.CodeYAMLContext, message: "not a YAML mapping",
		},
		"Function": {
			reason: "functions are refused as elsewhere", template: "spec: {groups: [" + brackets + `], ca: {{ env "HOME" }}}`,
			want: "CT-ENV", message: "environment",
		},
		"TooLarge": {
			reason: "a template is too large as elsewhere", template: "spec: {groups: [" + brackets + strings.Repeat("{{ .source.a }}", 2500) + "]}",
			want: compat.CodeTooLarge, message: "too large",
		},
	}
	env, err := expr.NewEnv(expr.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			doc, list := compat.Document(env, "f", tc.template, linesSchema())
			if doc != nil {
				t.Fatalf("%s: not refused:\n%s", tc.reason, list)
			}
			if d := list.Errors()[0]; d.Code != tc.want || !strings.Contains(d.Message, tc.message) {
				t.Errorf("%s: got\n%s", tc.reason, list)
			}
		})
	}
}

// TestTextDocumentErrors shows what is said of a document that cannot be used when it is rendered. It never says a value.
func TestTextDocumentErrors(t *testing.T) {
	secret := "hunter2"
	cases := map[string]struct {
		reason, template string
		want             diag.Code
		message          string
	}{
		"NoYAML": {
			reason:   "two items without a comma are none",
			template: "spec:\n  ca: {{ .source.v }}\n  groups: [{{ range .source.list }}{group: \"{{ . }}\"}{{ end }}]\n",
			want:     compat.CodeYAMLContext, message: "f:1:1: line 3 of what the template prints: the YAML around the actions cannot be parsed on its own",
		},
		"Field": {
			reason:   "a field is found to be unknown when it is there",
			template: "spec: {groups: [{{ range .source.list }}{{ if $.source.v }}{gruop: {{ $.source.v }}}{{ else }}{group: x}{{ end }},{{ end }}]}\n",
			want:     compat.CodeYAMLSchema, message: `unknown field "gruop"`,
		},
		"Twice": {
			reason:   "a field that stands twice is a mistake",
			template: "spec: {groups: []{{ range .source.list }}, ca: {{ . }}{{ end }}}\n",
			want:     compat.CodeYAMLContext, message: `the key "ca" stands twice`,
		},
		"Large": {
			reason:   "what is parsed is bounded",
			template: "spec: {groups: [{{ range .source.list }}{{ range until 500 }}{group: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx},{{ end }}{{ end }}]}\n",
			want:     expr.CodeTooExpensive, message: "more than 65536 bytes",
		},
	}
	env, err := expr.NewEnv(expr.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	source := map[string]any{"v": secret, "list": []any{secret, secret + "\n"}}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			doc, list := compat.Document(env, "f", tc.template, linesSchema())
			if doc == nil {
				t.Fatalf("%s: refused:\n%s", tc.reason, list)
			}
			_, err := doc.Render(t.Context(), expr.NewBinding(source, nil))
			failed, ok := errors.AsType[*expr.Error](err)
			if !ok || failed.Code() != tc.want || !strings.Contains(err.Error(), tc.message) {
				t.Errorf("%s: got %v", tc.reason, err)
			}
			if ok && strings.Contains(err.Error(), secret) {
				t.Errorf("it says a value: %v", err)
			}
		})
	}
}
