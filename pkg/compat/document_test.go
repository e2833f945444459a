package compat_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterimport/clusterimport/pkg/compat"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

func documentSchema() *expr.Schema {
	text := &expr.Schema{Kind: expr.String}
	return &expr.Schema{Kind: expr.Object, Fields: map[string]*expr.Schema{
		"spec": {Kind: expr.Object, Fields: map[string]*expr.Schema{
			"server": text, "flag": {Kind: expr.Bool}, "items": {Kind: expr.List, Elem: text},
		}},
	}}
}

func TestDocument(t *testing.T) {
	hostile := "x\"\nflag: true\n- y: {a: &b c} # '"
	cases := map[string]struct {
		reason, template string
		want             any
	}{
		"Quoted": {
			reason:   "a quoted scalar is the printed text",
			template: "spec:\n  server: \"https://{{ .source.name }}:1\"\n", want: map[string]any{"server": "https://" + hostile + ":1"},
		},
		"Single": {
			reason:   "whatever a value holds, it stays one scalar",
			template: "spec:\n  server: '{{ .source.name }}'\n", want: map[string]any{"server": hostile},
		},
		"PlainText": {
			reason:   "a plain scalar of a text field is trimmed text, also when it looks like a number",
			template: "spec:\n  server: {{ .source.version }}\n", want: map[string]any{"server": "1.30"},
		},
		"PlainBool": {
			reason:   "a plain scalar of a bool field is what YAML makes of it",
			template: "spec:\n  flag: {{ .source.flag }}\n", want: map[string]any{"flag": true},
		},
		"Declaration": {
			reason:   "a declaration at the top holds for the scalars after it",
			template: "{{ $x := .source.version }}\nspec:\n  items:\n  - \"v{{ $x }}\"\n  - plain\n", want: map[string]any{"items": []any{"v1.30", "plain"}},
		},
		"Inline": {
			reason:   "control flow may stand within a scalar",
			template: "spec:\n  server: \"{{ if .source.flag }}a{{ else }}b{{ end }}\"\n", want: map[string]any{"server": "a"},
		},
		"Comment": {
			reason:   "an action in a YAML comment is not evaluated",
			template: "spec: # {{ .source.name.x }}\n  server: s\n", want: map[string]any{"server": "s"},
		},
	}
	env, err := expr.NewEnv(expr.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	source := map[string]any{"name": hostile, "version": "1.30", "flag": true}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			doc, list := compat.Document(env, "spec.template", tc.template, documentSchema())
			if doc == nil {
				t.Fatalf("%s: refused:\n%s", tc.reason, list)
			}
			got, err := doc.Render(context.Background(), expr.NewBinding(source, nil))
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			if diff := cmp.Diff(map[string]any{"spec": tc.want}, got); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	cases := map[string]struct{ reason, template, want string }{
		"Parse": {
			reason: "a syntax error points at its line", template: "a\n{{ if }}x{{ end }}",
			want: "error: f:2:1: missing value for if [CT-PARSE]\n  | {{ if }}x{{ end }}\n  | ^",
		},
		"Env": {
			reason: "the environment is refused", template: `x{{ env "HOME" }}`,
			want: "error: f:1:5: the function env is refused: it reads the controller's environment [CT-ENV]\n  | x{{ env \"HOME\" }}\n  |     ^\n" +
				"  hint: write the value into the policy, or keep it in a ConfigMap that the policy references",
		},
		"Now": {
			reason: "what changes at each evaluation is refused", template: `{{ now }}`,
			want: "error: f:1:4: the function now is refused: it depends on the time at which the policy runs, so the cluster would change without end [CT-NONDET]\n" +
				"  | {{ now }}\n  |    ^\n  hint: use a time that the source holds, such as metadata.creationTimestamp",
		},
		"Reference": {
			reason: "an unknown reference is refused with those that exist", template: `{{ .references.tokn.data }}`,
			want: "error: f:1:15: unknown reference \"tokn\"; declared are [\"token\"] [CT-UNKNOWN-REFERENCE]\n  | {{ .references.tokn.data }}\n  |               ^\n" +
				"  hint: did you mean token?",
		},
	}
	env, err := expr.NewEnv(expr.Scope{References: []expr.Reference{{Key: "token"}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			program, list := compat.Text(env, "f", tc.template)
			if program != nil {
				t.Fatalf("%s: not refused", tc.reason)
			}
			if diff := cmp.Diff(tc.want, list.String()); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}
