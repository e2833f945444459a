package compat_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterimport/clusterimport/pkg/compat"
	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// conversionCase is a template and its form in CEL, or why there is none.
type conversionCase struct{ reason, template, want string }

func checkConversions(
	t *testing.T, cases map[string]conversionCase, convert func(env *expr.Env, field, src string) (*compat.Conversion, diag.List),
) {
	t.Helper()
	env := languageEnv(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := ""
			switch converted, list := convert(env, "f", tc.template); {
			case converted != nil:
				got = converted.Text
			case len(list) == 1 && list[0].Code == compat.CodeNative:
				got = "stays: " + list[0].Message
			default:
				t.Fatalf("%s: %s", tc.reason, list)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}

func TestConvertText(t *testing.T) {
	checkConversions(t, map[string]conversionCase{
		"Name":      {"text with fields", `capi-{{ .source.metadata.namespace }}-{{ .source.metadata.name }}`, `capi-${source.metadata.namespace}-${source.metadata.name}`},
		"Optional":  {"what is absent prints nothing in both", `{{ .source.spec.ref.name }}`, `${source.?spec.?ref.?name}`},
		"Label":     {"names that cannot stand after a dot", `{{ index .source.metadata.labels "a/b" }}{{ .source.spec.in }}`, `${source.metadata.?labels[?"a/b"]}${source.?spec[?"in"]}`},
		"Escape":    {"a literal ${ is escaped, and a dollar kept from an expression", "a${b}$${c} ${{ .source.metadata.name }}", `a$${b}$$${c} ${"$"}${source.metadata.name}`},
		"Constants": {"constants are text", `{{ "a" }}{{ 3 }}{{ $x := "b" }}{{ $x }}`, `a3b`},
		"Printf":    {"formats become text", `{{ printf "%s-%d" .source.metadata.name .source.spec.n }}`, `${source.metadata.name}-${source.?spec.?n}`},
		"Prefix":    {"a prefix is cut if it is there", `{{ trimPrefix "vc-" .source.metadata.name }}`, `${source.metadata.name.startsWith("vc-") ? source.metadata.name.substring(3) : source.metadata.name}`},
		"Pipe":      {"pipes are methods", `{{ .source.metadata.name | lower | trim | b64enc }}`, `${source.metadata.name.lowerAscii().trim().b64enc()}`},
		"Choice":    {"if is a choice", `{{ if eq .source.spec.mode "a" }}x{{ else }}y{{ .source.spec.z }}{{ end }}`, `${(source.?spec.?mode.orValue("") == "a") ? "x" : ("y" + string(source.?spec.?z.orValue("")))}`},
		"Default":   {"default is a choice", `{{ .source.metadata.labels.env | default "none" }}`, `${(source.metadata.?labels.?env.orValue("") != "") ? source.metadata.?labels.?env.orValue("") : "none"}`},
		"Loop":      {"a loop is a map, joined", `{{ range .source.spec.zones }}{{ . }},{{ end }}`, `${source.?spec.?zones.orValue([]).map(z, string(z) + ",").join("")}`},
		"Template":  {"a template within is written where it is used", `{{ define "n" }}{{ .metadata.name }}{{ end }}a-{{ template "n" .source }}`, `a-${source.metadata.name}`},
		"Variable":  {"a variable is what it holds", `{{ $n := .source.metadata.name }}{{ $n }}-{{ $n }}`, `${source.metadata.name}-${source.metadata.name}`},
		"Costly":    {"unless it is more than a field", `{{ $n := b64dec .source.spec.n }}{{ $n }}-{{ $n }}`, `${cel.bind(n, source.spec.n.b64dec(), n + "-" + n)}`},
		"Either":    {"an if that assigns is a choice", `{{ $n := "a" }}{{ if eq .source.kind "X" }}{{ $n = "b" }}{{ end }}{{ $n }}`, `${(source.kind == "X") ? "b" : "a"}`},
		"Assign":    {"other assignments have no form", `{{ $n := "a" }}{{ range .source.spec.x }}{{ $n = print $n . }}{{ end }}{{ $n }}`, "stays: assignments, break and continue have no counterpart"},
		"Function":  {"nor have functions that CEL lacks", `{{ snakecase .source.metadata.name }}`, "stays: the function snakecase has no counterpart"},
		"Pairs":     {"nor loops with two variables", `{{ range $k, $v := .source.metadata.labels }}{{ $k }}{{ end }}`, "stays: a loop with two variables has no counterpart"},
		"List":      {"nor is a list ever printed", `{{ .source.metadata.finalizers }}`, "stays: printing a list or a map has no counterpart"},
	}, compat.ConvertText)
}

func TestConvertCondition(t *testing.T) {
	checkConversions(t, map[string]conversionCase{
		"Word":   {"a constant", `{{/* always */}} true`, `true`},
		"Bool":   {"a bool is a condition", `{{ eq .source.metadata.name "a" "b" }}`, `source.metadata.name == "a" || source.metadata.name == "b"`},
		"Nested": {"ifs in ifs are &&", `{{ if .source.metadata.labels }}{{ if not .source.metadata.deletionTimestamp }}true{{ end }}{{ end }}`, `source.metadata.?labels.orValue({}) != {} && !(source.metadata.?deletionTimestamp.orValue("") != "")`},
		"Else":   {"else is ||, or not", `{{ if eq .source.spec.a "x" }}true{{ else if eq .source.spec.b "y" }}false{{ else }}true{{ end }}`, `source.?spec.?a.orValue("") == "x" || !(source.?spec.?b.orValue("") == "y")`},
		"Ready":  {"a loop is exists", `{{ range .source.status.conditions }}{{ if and (eq .type "Ready") (eq .status "True") }}true{{ end }}{{ end }}`, `source.?status.?conditions.orValue([]).exists(c, c.type == "Ready" && c.status == "True")`},
		"Empty":  {"an absent value is not empty text", `{{ if ne .source.spec.apiEndpoint "" }}true{{ end }}`, `source.?spec.?apiEndpoint != optional.of("")`},
		"Open":   {"a field that may be anything is true unless it is empty", `{{ if .source.spec.ready }}true{{ end }}`, `!(source.?spec.?ready.orValue("") in ["", false, 0, null, [], {}])`},
		"Value":  {"text is compared", `{{ .source.metadata.labels.import }}`, `source.metadata.?labels.?import.orValue("").trim().lowerAscii() == "true"`},
		"Key":    {"keys are looked up", `{{ hasKey .references.secret.data "token" }}`, `"token" in references.secret.?data.orValue({})`},
		"Flag": {
			"a loop that raises a flag is exists", `{{ $ready := false }}{{ range .source.status.conditions }}{{ if and (eq .type "Ready") (eq .status "True") }}{{ $ready = true }}{{ break }}{{ end }}{{ end }}{{ if $ready }}true{{ end }}`,
			`source.?status.?conditions.orValue([]).exists(c, c.type == "Ready" && c.status == "True")`,
		},
		"Last": {
			"so is one that keeps what it finds", `{{ $ready := false }}{{ range .source.status.conditions }}{{ if eq .type "Ready" }}{{ $ready = eq .status "True" }}{{ end }}{{ end }}{{ $ready }}`,
			`source.?status.?conditions.orValue([]).exists(c, c.type == "Ready" && c.status == "True")`,
		},
		"Numbers": {"numbers are compared where they are", `{{ gt .source.spec.replicas 2 }}`, `source.spec.replicas > 2`},
		"Long": {
			"a long one has a line for each operand", `{{ if eq .source.spec.mode "Push" }}{{ range .source.status.conditions }}{{ if eq .type "Ready" }}{{ if eq .status "True" }} true {{ end }}{{ end }}{{ end }}{{ end }}`,
			"source.?spec.?mode.orValue(\"\") == \"Push\" &&\nsource.?status.?conditions.orValue([]).exists(c, c.type == \"Ready\" && c.status == \"True\")",
		},
	}, compat.ConvertCondition)
}

func TestConvertDocument(t *testing.T) {
	checkConversions(t, map[string]conversionCase{
		"Leaves": {
			"values are leaves without quotes", "spec:\n  server: \"{{ .source.spec.endpoint }}\"\n  ca: '{{ index .references.secret.data \"ca.crt\" }}'\n  groups: []\n",
			"spec:\n  server: ${source.?spec.?endpoint}\n  ca: ${references.secret.?data[?\"ca.crt\"]}\n  groups: []\n",
		},
		"Text": {
			"text around a value stays", "spec:\n  groups: []\n  server: https://{{ .source.metadata.name }}:6443 # {{ .source }}\n",
			"spec:\n  groups: []\n  server: https://${source.metadata.name}:6443 # {{.source}}\n",
		},
		"Comments": {
			"comments and order stay", "# what to sync\nspec:\n  # nothing\n  groups: []\n  ca: x ${y}\n",
			"# what to sync\nspec:\n  # nothing\n  groups: []\n  ca: x $${y}\n",
		},
		"If": {
			"fields under an if are there or not", "spec:\n  groups: []\n  {{- if .source.spec.secure }}\n  ca: \"{{ .references.secret.data.ca }}\"\n  server: fixed\n  {{- end }}\n",
			"spec:\n  groups: []\n  ca: '${!(source.?spec.?secure.orValue(\"\") in [\"\", false, 0, null, [], {}]) ? (references.secret.?data.?ca) : optional.none()}'\n  server: '${!(source.?spec.?secure.orValue(\"\") in [\"\", false, 0, null, [], {}]) ? optional.of(\"fixed\") : optional.none()}'\n",
		},
		"Loop": {
			"items of one loop are a list", "spec:\n  groups:\n  - group: a\n    resources:\n    {{- range .source.spec.kinds }}\n    - {{ . }}\n    {{- end }}\n",
			"spec:\n  groups:\n    - group: a\n      resources: ${source.?spec.?kinds.orValue([]).map(k, k)}\n",
		},
		"Quote": {
			"quotes are those of YAML", "spec:\n  groups: []\n  server: {{ quote .source.metadata.name }}\n", "spec:\n  groups: []\n  server: ${source.metadata.name}\n",
		},
		"Variable": {
			"a variable is what it holds", "{{- $n := .source.metadata.name }}\nspec:\n  groups: []\n  server: {{ $n }}\n", "spec:\n  groups: []\n  server: ${source.metadata.name}\n",
		},
		"Words": {
			"the words true and false are bools where the field is one", "spec:\n  groups: []\n  all: {{ if .source.metadata.labels }}true{{ else }}false{{ end }}\n  server: {{ if .source.metadata.labels }}true{{ else }}x{{ end }}\n",
			"spec:\n  groups: []\n  all: ${source.metadata.?labels.orValue({}) != {}}\n  server: '${(source.metadata.?labels.orValue({}) != {}) ? \"true\" : \"x\"}'\n",
		},
		"Brackets": {"nor has a document that is text", "spec:\n  groups: [{{ range .source.spec.x }}{group: {{ . }}},{{ end }}]\n", "stays: what this may print is more than a part of a scalar, and CEL stands in scalars"},
		"Key":      {"a computed key has no form", "metadata:\n  labels:\n    {{ .source.metadata.name }}: x\nspec:\n  groups: []\n", "stays: a key that is computed has no counterpart"},
		"With":     {"nor has a with around lines", "spec:\n  groups: []\n  {{- with .source.spec.x }}\n  ca: {{ . }}\n  {{- end }}\n", "stays: lines under anything but an if without else have no counterpart"},
	}, func(env *expr.Env, field, src string) (*compat.Conversion, diag.List) {
		return compat.ConvertDocument(env, field, src, linesSchema())
	})
}

func TestConversionNotes(t *testing.T) {
	converted, list := compat.ConvertCondition(languageEnv(t), "f", `{{ if ne .source.spec.a.b "" }}{{ range .source.status.conditions }}{{ if eq .type "Ready" }}true{{ end }}{{ end }}{{ end }}`)
	if converted == nil {
		t.Fatal(list)
	}
	want := `objects, if they are there: source.spec.a, c
of the kind that they are compared with or used as: source.spec.a.b, c.type
lists, if they are there: source.status.conditions
always there: c.type
several matches count as one: source.status.conditions
an operand of && or || that fails does not matter where another one decides
it is also true without source.spec.a.b; if that is not meant, write source.?spec.?a.?b.orValue("") != ""`
	if diff := cmp.Diff(want, strings.Join(append(compat.Sentences(converted.Assumptions), converted.Notes...), "\n")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
