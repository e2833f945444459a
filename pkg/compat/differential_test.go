package compat_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"text/template"

	"github.com/Masterminds/sprig/v3"

	"github.com/clusterimport/clusterimport/pkg/compat"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// sample is the data that every template of the differential test sees.
func sample() map[string]any {
	return map[string]any{
		"metadata": map[string]any{
			"name": "prod", "namespace": "fleet", "labels": map[string]any{"env": "prod", "a/b": "x+y"},
			"generation": int64(3),
		},
		"spec": map[string]any{
			"apiEndpoint": "https://10.0.0.1:6443", "empty": "", "null": nil, "zero": int64(0), "n": int64(42),
			"f": 1.5, "big": 1e21, "yes": true, "no": false,
			"list": []any{"a", "b", "c"}, "emptyList": []any{}, "numbers": []any{int64(1), int64(2)},
			"nested": map[string]any{"x": map[string]any{"y": "deep"}, "n": nil}, "emptyMap": map[string]any{},
			"b64": "aGVsbG8+d29ybGR+", "notB64": "***", "spaces": "  padded  ", "true": "True",
			"json": `{"a":[1,2.5,"x"]}`, "quoted": `say "hi" & <go>`, "lines": "one\ntwo",
		},
		"status": map[string]any{"conditions": []any{
			map[string]any{"type": "Progressing", "status": "True"},
			map[string]any{"type": "Ready", "status": "True"},
			map[string]any{"type": "Odd", "status": true},
		}},
	}
}

// execute is what Clusterpedia makes of a template, without the HTML escaping.
func execute(text string, source map[string]any) (string, error) {
	t, err := template.New("field").Funcs(sprig.TxtFuncMap()).Parse(text)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	err = t.Execute(&out, map[string]any{"source": source, "references": map[string]any{}})
	return strings.ReplaceAll(out.String(), "<no value>", ""), err
}

func TestTextAgreesWithTemplate(t *testing.T) {
	env, err := expr.NewEnv(expr.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range texts() {
		t.Run(fmt.Sprintf("%03d", i), func(t *testing.T) {
			want, wantErr := execute(text, sample())
			program, list := compat.Text(env, "field", text)
			if program == nil {
				t.Fatalf("%s\nrefused:\n%s", text, list)
			}
			got, gotErr := program.Text(context.Background(), expr.NewBinding(sample(), nil))
			if (gotErr != nil) != (wantErr != nil) || wantErr == nil && got != want {
				t.Errorf("%s\ngot  %q, %v\nwant %q, %v", text, got, gotErr, want, wantErr)
			}
			projected, _ := program.Inputs().Source.Project(sample()).(map[string]any)
			if again, err := program.Text(context.Background(), expr.NewBinding(projected, nil)); again != got || (err != nil) != (gotErr != nil) {
				t.Errorf("%s\nof what it reads, %v, it makes %q, %v, and of all %q, %v", text, program.Inputs().Source.Paths(), again, err, got, gotErr)
			}
		})
	}
}

func TestConditionAgreesWithTemplate(t *testing.T) {
	env, err := expr.NewEnv(expr.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range append(conditions(), texts()...) {
		t.Run(fmt.Sprintf("%03d", i), func(t *testing.T) {
			printed, wantErr := execute(text, sample())
			want := strings.ToLower(strings.TrimSpace(printed)) == "true"
			program, list := compat.Condition(env, "field", text)
			if program == nil {
				t.Fatalf("%s\nrefused:\n%s", text, list)
			}
			got, gotErr := program.Bool(context.Background(), expr.NewBinding(sample(), nil))
			if (gotErr != nil) != (wantErr != nil) || wantErr == nil && got != want {
				t.Errorf("%s\ngot  %v, %v\nwant %v (%q), %v", text, got, gotErr, want, printed, wantErr)
			}
		})
	}
}

// conditions are idioms of creation conditions and selectors.
func conditions() []string {
	ready := `{{ range .source.status.conditions }}{{ if eq .type "%s" }}{{ if eq .status "%s" }} true {{ end }}{{ end }}{{ end }}`
	return []string{
		"true", " True ", "false", "tr", "{{ true }}", "{{/* nothing */}}",
		fmt.Sprintf(ready, "Ready", "True"), fmt.Sprintf(ready, "Ready", "False"), fmt.Sprintf(ready, "Odd", "True"),
		fmt.Sprintf(ready, "Missing", "True"),
		`{{ range .source.status.conditions }}{{ if ne .type "Odd" }}true{{ end }}{{ end }}`,
		`{{ range .source.spec.list }}true{{ end }}`, `{{ range .source.spec.missing }}true{{ end }}`,
		`{{ range .source.spec.emptyList }}false{{ else }}true{{ end }}`,
		`{{ if ne .source.spec.apiEndpoint "" }}` + fmt.Sprintf(ready, "Ready", "True") + `{{ end }}`,
		`{{ if ne .source.spec.missing "" }}true{{ end }}`,
		`{{ if .source.metadata.labels }}{{ eq (index .source.metadata.labels "env") "prod" }}{{ end }}`,
		`{{ if .source.spec.missing }}{{ eq (index .source.spec.missing "env") "prod" }}{{ end }}`,
		`{{ eq (index .source.spec.missing "env") "prod" }}`,
		`{{ $x := .source.spec.yes }}{{ if $x }}true{{ end }}`,
		`{{ and .source.spec.yes (eq .source.spec.n 42) }}`, `{{ or .source.spec.no .source.spec.yes }}`,
		`{{ not .source.spec.missing }}`, `{{ and .source.spec.list .source.spec.n }}`,
		`{{ if eq .source.metadata.name "prod" }}tr{{ end }}ue`, `{{ "true" }}`, `{{ .source.spec.true }}`,
		`{{ if .source.spec.yes }}true{{ end }}{{ if .source.spec.no }}true{{ end }}`,
		`{{ if .source.spec.yes }}true{{ end }}{{ if .source.spec.yes }}true{{ end }}`,
		`{{ with .source.spec.nested }}{{ if .x }}true{{ end }}{{ end }}`,
		`{{ range $i, $c := .source.status.conditions }}{{ if eq $i 1 }}{{ eq $c.type "Ready" }}{{ end }}{{ end }}`,
		`{{ range .source.spec.list }}{{ if eq . "b" }}true{{ else }}no{{ end }}{{ end }}`,
		`{{ range .source.spec.list }}{{ range $.source.spec.numbers }}{{ if eq . 3 }}true{{ end }}{{ end }}{{ end }}`,
		`{{ range .source.status.conditions }}{{ if eq .type "Ready" }}{{ if eq .status "True" }}true{{ break }}{{ end }}{{ end }}{{ end }}`,
		`{{ range .source.status.conditions }}{{ if ne .type "Ready" }}{{ continue }}{{ end }}{{ eq .status "True" }}{{ break }}{{ end }}`,
		`{{ $r := false }}{{ range .source.status.conditions }}{{ if eq .type "Ready" }}{{ $r = true }}{{ break }}{{ end }}{{ end }}{{ $r }}`,
		`{{ $r := false }}{{ range .source.status.conditions }}{{ if eq .type "Odd" }}{{ $r = eq .status "True" }}{{ end }}{{ end }}{{ if $r }}true{{ end }}`,
		`{{ define "ready" }}{{ if eq .status "True" }}true{{ end }}{{ end }}{{ range .source.status.conditions }}{{ if eq .type "Ready" }}{{ template "ready" . }}{{ end }}{{ end }}`,
		`{{ $x := "" }}{{ if $x = .source.spec.true }}{{ $x }}{{ end }}`,
	}
}

// texts are constructs and functions over the sample: present, absent, null and of wrong types.
func texts() []string {
	list := []string{
		``, `plain`, `{{ .source.metadata.name }}`, `capi-{{ .source.metadata.namespace }}-{{ .source.metadata.name }}`,
		`{{ .source.missing.a.b }}`, `{{ .missing }}`, `{{ .source.spec.null }}`, `{{ .source.spec.null.x }}`,
		`{{ (.source.spec.null).x }}`, `{{ $x := .source.spec.null }}{{ $x.y }}`, `{{ .source.metadata.name.x }}`,
		`{{ .source.spec.n.x }}`, `{{ .source.spec }}`, `{{ .source.spec.list }}`, `{{ .source.spec.big }}{{ .source.spec.f }}`,
		`{{- .source.metadata.name -}} x`, "a\n{{- /* comment */ -}}\nb", `{{ .source.spec.nested }}`,
		`{{ range .source.spec.list }}[{{ . }}]{{ end }}`, `{{ range .source.spec.nested }}[{{ . }}]{{ end }}`,
		`{{ range $k, $v := .source.metadata.labels }}{{ $k }}={{ $v }};{{ end }}`, `{{ range .source.spec.n }}x{{ end }}`,
		`{{ range .source.metadata.name }}x{{ end }}`, `{{ range $i, $e := .source.spec.list }}{{ $i }}{{ $e }}{{ end }}`,
		`{{ range .source.spec.list }}{{ $.source.metadata.name }}{{ end }}`, `{{ range 3 }}{{ . }}{{ end }}`,
		`{{ with .source.spec.nested.x }}{{ .y }}{{ end }}`, `{{ with .source.spec.empty }}a{{ else }}b{{ end }}`,
		`{{ with $x := .source.spec.list }}{{ len $x }}{{ end }}`, `{{ if .source.spec.emptyMap }}a{{ else if .source.spec.yes }}b{{ else }}c{{ end }}`,
		`{{ $a := "x" }}{{ if true }}{{ $a := "y" }}{{ $a }}{{ end }}{{ $a }}`, `{{ .source.metadata.name | upper | lower }}`,
		`{{ .source.spec.list | len }}`, `{{ index .source.spec.list 1 }}`, `{{ index .source.spec.list 9 }}`,
		`{{ index .source.spec.nested "x" "y" }}`, `{{ index .source.spec.nested "missing" "y" }}`, `{{ index .source.metadata.name 0 }}`,
		`{{ and 1 0 2 }}`, `{{ or 0 "" "x" }}`, `{{ and .source.spec.list "x" }}`, `{{ 3.0 }}`, `{{ 1000000 }}`, `{{ 'a' }}`,
		`{{ printf "%s-%d-%v" "a" 3 .source.spec.yes }}`, `{{ print "a" 1 2 "b" }}`, `{{ print .source.spec.missing }}`, `{{ eq .source.spec.n 42 }}`,
		`{{ eq .source.spec.missing nil }}`, `{{ eq .source.spec.list "x" }}`, `{{ eq .source.spec.n "42" }}`, `{{ eq "a" "b" "a" }}`,
		`{{ lt .source.spec.n 50 }}`, `{{ lt .source.spec.n "x" }}`, `{{ ge .source.spec.f 1.5 }}`, `{{ gt .source.spec.missing 1 }}`,
		`{{ ternary "a" "b" .source.spec.yes }}`, `{{ .source.spec.no | ternary "a" "b" }}`, `{{ ternary "a" "b" .source.spec.n }}`,
		`{{ get .source.metadata.labels "env" }}`, `{{ get .source.missing "env" }}`, `{{ get .source.spec.null "env" }}`, `{{ get .source.metadata.labels "no" }}`,
		`{{ hasKey .source.spec "n" }}`, `{{ hasKey .source.spec.missing "n" }}`, `{{ dict "a" 1 "b" "x" }}`, `{{ list 1 "a" true }}`,
		`{{ keys (dict "one" 1) }}`, `{{ join "," .source.spec.list }}`, `{{ join "," .source.spec.numbers }}`, `{{ first .source.spec.list }}{{ last .source.spec.list }}`,
		`{{ has "b" .source.spec.list }}`, `{{ has "z" .source.spec.list }}`, `{{ splitList "-" "a-b" }}`, `{{ repeat 3 "ab" }}`,
		`{{ coalesce .source.spec.empty .source.spec.missing "x" }}`, `{{ default "d" .source.spec.empty }}`, `{{ default "d" .source.metadata.name }}`,
		`{{ trunc 2 "hello" }}{{ trunc -2 "hello" }}{{ trunc 9 "hello" }}`, `{{ replace "l" "L" "hello" }}`, `{{ indent 2 .source.spec.lines }}`, `{{ nindent 2 .source.spec.lines }}`,
		`{{ toJson .source.metadata.labels }}`, `{{ toJson .source.spec.missing }}`, `{{ (fromJson .source.spec.json).a }}`, `{{ fromJson "nope" }}`,
		`{{ regexMatch "^p" .source.metadata.name }}`, `{{ regexMatch "[" "x" }}`, `{{ cat "a" 1 .source.spec.missing "b" }}`,
		`{{ range .source.spec.emptyList }}x{{ else }}none{{ end }}`, `{{ "quoted \"x\"" }}`, "{{ `raw` }}", `{{ len .source.spec.missing }}`,
		`{{ len .source.metadata.labels }}`, `{{ empty .source.spec.zero }}`, `{{ not .source.spec.n }}`,
	}
	list = append(list, assignments()...)
	list = append(list, jumps()...)
	list = append(list, definitions()...)
	unary := []string{"lower", "upper", "trim", "nospace", "b64enc", "b64dec", "quote", "squote", "toString", "toJson", "len", "empty", "not"}
	binary := []string{"hasPrefix", "hasSuffix", "contains", "trimPrefix", "trimSuffix", "trimAll"}
	values := []string{
		".source.metadata.name", ".source.spec.empty", ".source.spec.missing", ".source.spec.null", ".source.spec.n", ".source.spec.yes",
		".source.spec.f", ".source.spec.list", ".source.spec.emptyMap", ".source.spec.b64", ".source.spec.notB64", ".source.spec.spaces", ".source.spec.quoted",
	}
	for _, v := range values {
		for _, f := range unary {
			list = append(list, fmt.Sprintf("{{ %s %s }}", f, v), fmt.Sprintf("{{ %s | %s }}", v, f))
		}
		for _, f := range binary {
			list = append(list, fmt.Sprintf(`{{ %s "p" %s }}`, f, v), fmt.Sprintf(`{{ %s | %s "x" }}`, v, f))
		}
		for _, w := range values {
			list = append(list, fmt.Sprintf("{{ eq %s %s }}", v, w), fmt.Sprintf("{{ ne %s %s }}", v, w),
				fmt.Sprintf("{{ default %s %s }}", v, w), fmt.Sprintf("{{ and %s %s }}", v, w), fmt.Sprintf("{{ lt %s %s }}", v, w))
		}
	}
	return list
}

// assignments are templates that assign to variables again.
func assignments() []string {
	return []string{
		`{{ $x := 1 }}{{ $x = 2 }}{{ $x }}`,
		`{{ $x := "a" }}{{ if .source.spec.yes }}{{ $x = "b" }}{{ end }}{{ $x }}`,
		`{{ $x := "a" }}{{ if .source.spec.no }}{{ $x = "b" }}{{ else }}[{{ $x }}]{{ $x = "c" }}{{ end }}{{ $x }}`,
		`{{ $r := false }}{{ range .source.status.conditions }}{{ if eq .type "Ready" }}{{ $r = true }}{{ end }}{{ end }}{{ $r }}`,
		`{{ $r := false }}{{ range .source.status.conditions }}{{ if eq .type "No" }}{{ $r = true }}{{ end }}{{ end }}{{ if $r }}true{{ end }}`,
		`{{ $s := "" }}{{ range .source.spec.list }}{{ $s = print $s . }}<{{ $s }}>{{ end }}={{ $s }}`,
		`{{ $n := 0 }}{{ range .source.spec.list }}{{ range $.source.spec.numbers }}{{ $n = add $n . }}{{ end }}{{ end }}{{ $n }}`,
		`{{ $x := 1 }}{{ with .source.spec.nested }}{{ $x = .x.y }}{{ end }}{{ $x }}`,
		`{{ $x := 1 }}{{ with .source.spec.missing }}{{ $x = 2 }}{{ else }}{{ $x = 3 }}{{ end }}{{ $x }}`,
		`{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x = 3 }}{{ $x }}{{ end }}{{ $x }}`,
		`{{ $x := 1 }}{{ range $x := .source.spec.list }}{{ $x = "z" }}{{ $x }}{{ end }}{{ $x }}`,
		`{{ $a := 1 }}{{ $b := 2 }}{{ range $i, $v := .source.spec.list }}{{ $a = $b }}{{ $b = $v }}{{ end }}{{ $a }}{{ $b }}`,
		`{{ $x := 1 }}{{ range .source.spec.emptyList }}{{ $x = 2 }}{{ else }}{{ $x = 3 }}{{ end }}{{ $x }}`,
		`{{ $x := 1 }}{{ range .source.spec.missing }}{{ $x = 2 }}{{ end }}{{ $x }}`,
		`{{ $x := .source.spec.null }}{{ $x = .source.spec.null }}{{ $x.y }}`,
		`{{ $x := 1 }}{{ if .source.spec.yes }}{{ if .source.spec.no }}{{ $x = 2 }}{{ else }}{{ $x = .source.missing }}{{ end }}{{ end }}[{{ $x }}]`,
		`{{ $x := 1 }}{{ range .source.spec.list }}{{ $y := . }}{{ if eq $y "b" }}{{ $y = "B" }}{{ $x = $y }}{{ end }}{{ $y }}{{ end }}{{ $x }}`,
		`{{ $x := "" }}{{ range .source.spec.list }}{{ $x = index . 5 }}{{ end }}{{ $x }}`,
	}
}

// jumps are templates with break and continue.
func jumps() []string {
	return []string{
		`{{ range .source.spec.list }}{{ if eq . "b" }}{{ break }}{{ end }}{{ . }}{{ end }}.`,
		`{{ range .source.spec.list }}{{ if eq . "b" }}{{ continue }}{{ end }}{{ . }}{{ end }}.`,
		`{{ range .source.spec.list }}<{{ if eq . "b" }}x{{ continue }}y{{ end }}{{ . }}>{{ end }}.`,
		`{{ range .source.spec.list }}{{ . }}{{ break }}{{ index . 9 }}{{ end }}`,
		`{{ range .source.spec.list }}{{ . }}{{ continue }}{{ index . 9 }}{{ end }}`,
		`{{ range .source.status.conditions }}{{ if eq .type "Ready" }}{{ break }}{{ end }}{{ .type }}{{ end }}`,
		`{{ range .source.status.conditions }}{{ if eq .status "True" }}{{ .type }}{{ break }}{{ end }}{{ end }}`,
		`{{ range .source.status.conditions }}{{ with .type }}{{ if eq . "Ready" }}{{ continue }}{{ end }}{{ . }}{{ end }};{{ end }}`,
		`{{ $n := 0 }}{{ range .source.spec.list }}{{ $n = add $n 1 }}{{ if eq . "b" }}{{ break }}{{ end }}{{ end }}{{ $n }}`,
		`{{ $n := 0 }}{{ range .source.spec.list }}{{ if eq . "b" }}{{ $n = 7 }}{{ continue }}{{ end }}{{ $n }}{{ end }}{{ $n }}`,
		`{{ range .source.spec.list }}{{ range $.source.spec.numbers }}{{ if eq . 2 }}{{ break }}{{ end }}{{ . }}{{ end }},{{ end }}`,
		`{{ range .source.spec.list }}{{ range $.source.spec.emptyList }}x{{ else }}{{ continue }}{{ end }}y{{ end }}.`,
		`{{ range .source.spec.list }}{{ range $.source.spec.emptyList }}x{{ else }}a{{ if true }}{{ break }}{{ end }}b{{ end }}y{{ end }}.`,
		`{{ range .source.spec.list }}{{ range $.source.spec.emptyList }}{{ break }}{{ else }}{{ if true }}{{ continue }}{{ end }}b{{ end }}y{{ end }}.`,
		`{{ range .source.spec.list }}{{ range $.source.spec.numbers }}{{ break }}{{ else }}{{ continue }}{{ end }}y{{ end }}.`,
		`{{ $x := 1 }}{{ range .source.spec.list }}{{ range $.source.spec.numbers }}{{ $x = . }}{{ break }}{{ else }}{{ continue }}{{ end }}y{{ end }}{{ $x }}`,
		`{{ range $i, $v := .source.spec.list }}{{ if eq $i 1 }}{{ break }}{{ end }}{{ $v }}{{ end }}`,
		`{{ range .source.spec.list }}{{ if eq . "c" }}{{ break }}{{ else if eq . "a" }}{{ continue }}{{ end }}{{ . }}{{ else }}none{{ end }}`,
		`{{ range .source.spec.emptyList }}{{ break }}{{ else }}none{{ end }}`,
		`{{ range 5 }}{{ if eq . 3 }}{{ break }}{{ end }}{{ . }}{{ end }}`, `{{ range $i := 3 }}{{ $i }}{{ end }}`, `{{ range $i, $j := 3 }}{{ $i }}{{ end }}`,
		`{{ $x := 0 }}{{ if $x = 3 }}{{ $x }}{{ end }}{{ $x }}`, `{{ $x := 0 }}{{ with $x = .source.spec.list }}{{ . }}{{ else }}no{{ end }}{{ $x }}`,
		`{{ $x := 1 }}{{ range .source.spec.list }}{{ if $x = . }}{{ if eq $x "b" }}{{ break }}{{ end }}{{ end }}{{ end }}{{ $x }}`,
		`{{ with .source.spec.empty }}a{{ else with .source.spec.n }}{{ . }}{{ else }}c{{ end }}`,
	}
}

// definitions are templates that define templates.
func definitions() []string {
	return []string{
		`{{ define "a" }}[{{ . }}]{{ end }}{{ template "a" .source.metadata.name }}{{ template "a" 3 }}{{ template "a" }}`,
		`{{ define "a" }}{{ .source.metadata.name }}{{ $.source.metadata.name }}{{ end }}{{ template "a" . }}{{ with 1 }}{{ template "a" $ }}{{ end }}`,
		`{{ define "a" }}{{ $.x }}{{ .x }}{{ end }}{{ template "a" .source.spec.nested }}`, `{{ block "a" .source.spec.n }}<{{ . }}>{{ end }}{{ template "a" 2 }}`,
		`{{ define "a" }}1{{ end }}{{ define "b" }}{{ template "a" }}2{{ end }}{{ template "b" . }}{{ template "b" . }}`,
		`{{ define "a" }}{{ $x := 1 }}{{ $x = 2 }}{{ $x }}{{ end }}{{ $x := 5 }}{{ template "a" . }}{{ $x }}`,
		`{{ range .source.spec.list }}{{ template "a" . }}{{ end }}{{ define "a" }}{{ range $i := 3 }}{{ if eq $i 2 }}{{ break }}{{ end }}{{ $ }}{{ end }}{{ end }}`,
		`{{ define "a" }}{{ .x }}{{ end }}{{ template "a" .source.spec.null }}`, `{{ define "a" }}{{ .x }}{{ end }}{{ template "a" .source.spec.n }}`,
		`{{ define "a" }}{{ if .source }}{{ .source.spec.n }}{{ end }}{{ end }}{{ template "a" . }}`,
	}
}
