package compat_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/clusterimport/clusterimport/pkg/compat"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// linesSchema is a document with fields of every kind.
func linesSchema() *expr.Schema {
	text := &expr.Schema{Kind: expr.String}
	group := &expr.Schema{Kind: expr.Object, Fields: map[string]*expr.Schema{"group": text, "resources": {Kind: expr.List, Elem: text}}}
	return &expr.Schema{Kind: expr.Object, Fields: map[string]*expr.Schema{
		"metadata": {Kind: expr.Object, Fields: map[string]*expr.Schema{"labels": {Kind: expr.Map, Elem: text}}},
		"spec": {Kind: expr.Object, Required: []string{"groups"}, Fields: map[string]*expr.Schema{
			"server": text, "ca": text, "all": {Kind: expr.Bool}, "groups": {Kind: expr.List, Elem: group},
		}},
	}}
}

// documents are templates whose actions stand around lines.
func documents() []string {
	return []string{
		"spec:\n  groups: []\n  {{ if .source.spec.yes }}\n  server: a\n  {{ else }}\n  ca: b\n  {{ end }}\n",
		"spec:\n  groups: []\n  {{ if .source.spec.no }}\n  server: a\n  {{ else }}\n  ca: b\n  {{ end }}\n",
		"spec:\n  groups: []\n  {{- if .source.spec.yes }}\n  server: {{ .source.metadata.name }}\n  {{- end }}\n  all: {{ .source.spec.yes }}\n",
		"spec:\n  groups: []\n  {{- with .source.spec.apiEndpoint }}\n  server: \"{{ . }}\"\n  {{- end }}\n",
		"spec:\n  groups:\n  {{- range .source.spec.list }}\n  - group: {{ . }}\n    resources: [\"*\"]\n  {{- end }}\n",
		"spec:\n  groups:\n    {{ range .source.spec.list }}\n    - group: {{ . }}\n      resources:\n      - {{ . }}-x\n    {{ end }}\n",
		"spec:\n  groups:\n  - group: first\n  {{- range $i, $g := .source.spec.list }}\n  - group: \"{{ $i }}{{ $g }}\"\n  {{- end }}\n  - group: last\n",
		"spec:\n  groups:\n  {{- range .source.spec.emptyList }}\n  - group: {{ . }}\n  {{- else }}\n  - group: none\n  {{- end }}\n",
		"spec:\n  groups:\n  {{- range .source.spec.missing }}\n  - group: {{ . }}\n  {{- end }}\n  server: x\n",
		"metadata:\n  labels:\n    {{- range $k, $v := .source.metadata.labels }}\n    {{ $k }}: {{ $v }}\n    {{- end }}\nspec:\n  groups: []\n",
		"metadata:\n  labels:\n    a: b\n    {{ range $k, $v := .source.metadata.labels }}\n    \"{{ $k }}\": \"{{ $v }}\"\n    {{ end }}\nspec:\n  groups: []\n",
		"metadata:\n  labels: {{ toJson .source.metadata.labels }}\nspec:\n  groups: []\n",
		"metadata:\n  labels: {{ .source.metadata.labels | toJson | nindent 4 }}\nspec:\n  groups: []\n",
		"metadata:\n  labels: {{ toJson .source.spec.missing }}\nspec:\n  groups: []\n",
		"spec:\n  groups: []\n  server: {{ quote .source.metadata.name }}\n  ca: {{ .source.metadata.namespace | squote }}\n",
		"spec:\n  groups: []\n  server: {{ if .source.spec.yes }}\"a b\"{{ else }}'c'{{ end }}\n",
		"spec:\n  groups: []\n  server: {{ if .source.spec.no }}\"a b\"{{ else if .source.spec.n }}'{{ .source.spec.n }}'{{ end }}\n",
		"spec:\n  groups: []\n  server: {{ if .source.spec.yes }}a{{ end }}-{{ if .source.spec.no }}b{{ else }}c{{ end }}\n",
		"{{ if .source.spec.yes }}\nspec:\n  groups: []\n  server: yes\n{{ else }}\nspec:\n  groups: []\n{{ end }}\n",
		"{{ $x := .source.metadata.name }}\nspec:\n  groups: []\n  {{ if $x }}\n  {{ $y := print $x \"-y\" }}\n  server: {{ $y }}\n  ca: {{ $x }}\n  {{ end }}\n",
		"{{ $x := \"a\" }}{{ if .source.spec.yes }}{{ $x = \"b\" }}{{ end }}\nspec:\n  groups: []\n  server: {{ $x }}\n  {{ if eq $x \"b\" }}\n  ca: {{ $x }}\n  {{ end }}\n",
		"spec:\n  groups:\n  {{- range .source.spec.list }}\n  {{- if eq . \"b\" }}{{ continue }}{{ end }}\n  - group: {{ . }}\n  {{- end }}\n",
		"spec:\n  groups:\n  {{- range .source.spec.list }}\n  {{- $g := . }}\n  - group: {{ $g }}\n    resources:\n    {{- range $.source.spec.numbers }}\n    - \"{{ $g }}{{ . }}\"\n    {{- end }}\n  {{- end }}\n",
		"{{- define \"group\" }}\n  - group: {{ . }}\n{{- end }}\nspec:\n  groups:\n  {{- range .source.spec.list }}\n  {{- template \"group\" . }}\n  {{- end }}\n",
		"{{ define \"s\" }}server: {{ .source.metadata.name }}{{ end }}spec:\n  groups: []\n  {{ template \"s\" . }}\n",
		"spec:\n  groups: []\n  ca: |\n{{ .source.spec.lines | indent 4 }}\n",
		"spec:\n  groups: []\n  ca: |-\n    {{- .source.spec.lines | nindent 4 }}\n  server: x\n",
		"spec:\n  groups: []\n  {{ if .source.spec.yes }}{{ if .source.spec.no }}\n  server: a\n  {{ end }}\n  ca: b\n  {{ end }}\n",
		"spec:\n  {{ if .source.spec.yes }}\n  groups: []\n  {{ end }}\n  # {{ .source.spec.n }}\n  server: x # {{ .source.metadata.name }}\n",
		"spec:\n  groups: []\n  all: {{ if .source.spec.n }}true{{ else }}false{{ end }}\n",
		"spec: {groups: [], server: \"{{ .source.metadata.name }}\", ca: {{ .source.metadata.namespace }}}\n",
		"spec:\n  groups: [{group: {{ .source.metadata.name }}, resources: [a, \"{{ .source.metadata.namespace }}\"]}]\n",
		"spec:\n  groups: []\n  server: https://{{ .source.metadata.name }}.{{ .source.metadata.namespace }}.svc:{{ .source.spec.n }}\n",
		"spec:\n  groups:\n  - group: x\n    {{- if .source.spec.yes }}\n    resources:\n    - a\n    {{- end }}\n",
	}
}

// TestLinesAgreeWithTemplate compares documents with what the template prints, read as YAML.
func TestLinesAgreeWithTemplate(t *testing.T) {
	env, err := expr.NewEnv(expr.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range documents() {
		t.Run(fmt.Sprintf("%02d", i), func(t *testing.T) {
			printed, err := execute(text, sample())
			if err != nil {
				t.Fatal(err)
			}
			var want map[string]any
			if err := yaml.Unmarshal([]byte(printed), &want); err != nil {
				t.Fatalf("%v in\n%s", err, printed)
			}
			doc, list := compat.Document(env, "f", text, linesSchema())
			if doc == nil {
				t.Fatalf("%s\nrefused:\n%s", text, list)
			}
			got, err := doc.Render(context.Background(), expr.NewBinding(sample(), nil))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(scalarsAsText(want), scalarsAsText(got)); diff != "" {
				t.Errorf("%s\n(-want +got)\n%s", text, diff)
			}
		})
	}
}

// scalarsAsText makes values comparable whose kinds the schema decides: what YAML takes for a bool may be text.
func scalarsAsText(val any) any {
	switch v := val.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, item := range v {
			out[key] = scalarsAsText(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = scalarsAsText(item)
		}
		return out
	case nil:
		return nil
	case bool:
		return map[bool]string{true: "yes", false: "no"}[v]
	default:
		return strings.Replace(fmt.Sprint(v), "true", "yes", 1)
	}
}
