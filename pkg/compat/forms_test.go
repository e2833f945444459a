package compat

import (
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

// formsSchema is the shape of a source whose fields are known.
func formsSchema() *expr.Schema {
	condition := &expr.Schema{Kind: expr.Object, Fields: map[string]*expr.Schema{"type": textSchema, "status": textSchema}}
	return &expr.Schema{Kind: expr.Object, Fields: map[string]*expr.Schema{
		"apiVersion": textSchema, "kind": textSchema, "metadata": expr.ObjectMeta(),
		"data": {Kind: expr.Map, Elem: textSchema},
		"spec": {Kind: expr.Object, Fields: map[string]*expr.Schema{
			"endpoint": textSchema, "paused": boolSchema, "n": intSchema, "open": nil, "in": textSchema,
			"names": {Kind: expr.List, Elem: textSchema}, "nullable": {Kind: expr.String, Nullable: true},
		}},
		"status": {Kind: expr.Object, Fields: map[string]*expr.Schema{"conditions": {Kind: expr.List, Elem: condition}}},
	}}
}

// TestForms shows which CEL a template becomes: where kinds are known it is CEL's own.
func TestForms(t *testing.T) {
	cases := map[string]struct{ reason, template, untyped, typed string }{
		"Name": {
			reason: "an object has a name, and its kind is always known", template: `{{ .source.metadata.name }}`,
			untyped: `source.metadata.name`, typed: `source.metadata.name`,
		},
		"Namespace": {
			reason: "not every object has a namespace", template: `a-{{ .source.metadata.namespace }}`,
			untyped: `tpl.text(["a-", source.metadata.?namespace.orValue("")])`, typed: `tpl.text(["a-", source.metadata.?namespace.orValue("")])`,
		},
		"Text": {
			reason: "of a known field nothing is printed when it is absent", template: `{{ .source.spec.endpoint }}`,
			untyped: `tpl.str(tpl.path(source, ["spec", "endpoint"]))`, typed: `source.?spec.?endpoint.orValue("")`,
		},
		"Open": {
			reason: "below a field that may be anything nothing is known", template: `{{ .source.spec.open.a }}`,
			untyped: `tpl.str(tpl.path(source, ["spec", "open", "a"]))`, typed: `tpl.str(tpl.path(source.?spec, ["open", "a"]))`,
		},
		"Nullable": {
			reason: "a field that may be null may be anything", template: `{{ .source.spec.nullable }}`,
			untyped: `tpl.str(tpl.path(source, ["spec", "nullable"]))`, typed: `tpl.str(tpl.path(source.?spec, ["nullable"]))`,
		},
		"Reserved": {
			reason: "a name that CEL reserves cannot stand after a dot", template: `{{ .source.spec.in }}`,
			untyped: `tpl.str(tpl.path(source, ["spec", "in"]))`, typed: `tpl.str(tpl.path(source.?spec, ["in"]))`,
		},
		"NotEqualEmpty": {
			reason: "an absent value is not the empty text", template: `{{ if ne .source.spec.endpoint "" }}true{{ end }}`,
			untyped: `tpl.ne([tpl.path(source, ["spec", "endpoint"]), ""]) ? "true" : ""`,
			typed:   `(source.?spec.?endpoint != optional.of("")) ? "true" : ""`,
		},
		"EqualOneOf": {
			reason: "eq stops at the first that is equal", template: `{{ eq .source.spec.endpoint "a" "b" }}`,
			untyped: `string(tpl.eq([tpl.path(source, ["spec", "endpoint"]), "a", "b"]))`,
			typed:   `string((source.?spec.?endpoint.orValue("") == "a") ? true : (source.?spec.?endpoint.orValue("") == "b"))`,
		},
		"EqualKinds": {
			reason: "values of different kinds cannot be compared", template: `{{ eq .source.spec.endpoint 3 }}`,
			untyped: `string(tpl.eq([tpl.path(source, ["spec", "endpoint"]), tpl.goint(3)]))`,
			typed:   `string(tpl.eq([source.?spec.?endpoint, tpl.goint(3)]))`,
		},
		"Less": {
			reason: "an absent value has no order", template: `{{ lt .source.spec.n 3 }}{{ lt .source.metadata.name "b" }}`,
			untyped: `tpl.text([string(tpl.lt([tpl.path(source, ["spec", "n"]), tpl.goint(3)])), string(source.metadata.name < "b")])`,
			typed:   `tpl.text([string(tpl.lt([source.?spec.?n, tpl.goint(3)])), string(source.metadata.name < "b")])`,
		},
		"Index": {
			reason: "a map must be there, a key need not", template: `{{ index .source.data "ca.crt" }}{{ index .source.spec.names 0 }}`,
			untyped: `tpl.text([tpl.str(tpl.index([tpl.path(source, ["data"]), "ca.crt"])), tpl.str(tpl.index([tpl.path(source, ["spec", "names"]), tpl.goint(0)]))])`,
			typed:   `tpl.text([source.data[?"ca.crt"].orValue(""), source.spec.names[0]])`,
		},
		"Get": {
			reason: "get gives nothing where index fails", template: `{{ get .source.data "ca.crt" }}{{ hasKey .source.data "x" }}`,
			untyped: `tpl.text([tpl.str(tpl.get([tpl.path(source, ["data"]), "ca.crt"])), string(tpl.hasKey([tpl.path(source, ["data"]), "x"]))])`,
			typed:   `tpl.text([source.?data[?"ca.crt"].orValue(""), string(source.?data[?"x"].hasValue())])`,
		},
		"TextTests": {
			reason: "a function of text needs one", template: `{{ hasPrefix "vc-" .source.metadata.name }}{{ contains "a" .source.spec.endpoint }}`,
			untyped: `tpl.text([string(source.metadata.name.startsWith("vc-")), string(tpl.contains(["a", tpl.path(source, ["spec", "endpoint"])]))])`,
			typed:   `tpl.text([string(source.metadata.name.startsWith("vc-")), string(source.spec.endpoint.contains("a"))])`,
		},
		"And": {
			reason: "and gives an operand where it is printed, and a bool where it is tested", template: `{{ and .source.spec.endpoint .source.spec.n }}{{ if and .source.spec.endpoint .source.spec.n }}x{{ end }}`,
			untyped: `tpl.text([tpl.str(cel.bind(operand, tpl.path(source, ["spec", "endpoint"]), tpl.truth(operand) ? (tpl.path(source, ["spec", "n"])) : operand)), (tpl.truth(tpl.path(source, ["spec", "endpoint"])) ? tpl.truth(tpl.path(source, ["spec", "n"])) : false) ? "x" : ""])`,
			typed:   `tpl.text([tpl.str(cel.bind(operand, dyn(source.?spec.?endpoint), tpl.truth(operand) ? dyn(source.?spec.?n) : operand)), ((source.?spec.?endpoint.orValue("") != "") ? (source.?spec.?n.orValue(0) != 0) : false) ? "x" : ""])`,
		},
		"Default": {
			reason: "default is a choice", template: `{{ default "a" .source.spec.endpoint }}{{ ternary "a" "b" (eq .source.metadata.name "x") }}`,
			untyped: `tpl.text([tpl.str(tpl.default(["a", tpl.path(source, ["spec", "endpoint"])])), (source.metadata.name == "x") ? "a" : "b"])`,
			typed:   `tpl.text([(source.?spec.?endpoint.orValue("") != "") ? source.?spec.?endpoint.orValue("") : "a", (source.metadata.name == "x") ? "a" : "b"])`,
		},
		"Range": {
			reason: "items have kinds too", template: `{{ range .source.status.conditions }}{{ .type }}{{ else }}none{{ end }}`,
			untyped: `cel.bind(items, tpl.each(tpl.path(source, ["status", "conditions"])), (size(items) != 0) ? tpl.text(items.map(item, tpl.str(tpl.path(item, ["type"])))) : "none")`,
			typed:   `cel.bind(items, source.?status.?conditions.orValue([]), (size(items) != 0) ? tpl.text(items.map(item, item.?type.orValue(""))) : "none")`,
		},
		"Pairs": {
			reason: "two variables visit keys and values", template: `{{ range $k, $v := .source.metadata.labels }}{{ $k }}={{ $v }}{{ end }}`,
			untyped: `tpl.text(tpl.pairs(source.metadata.?labels).map(pair, tpl.text([pair[0], "=", pair[1]])))`,
			typed:   `tpl.text(tpl.pairs(source.metadata.?labels).map(pair, tpl.text([pair[0], "=", pair[1]])))`,
		},
		"Variables": {
			reason: "a variable keeps its kind, and its name if it can", template: `{{ $e := .source.spec.endpoint }}{{ $source := .source.spec.n }}{{ if $e }}{{ $e }}{{ $source }}{{ end }}`,
			untyped: `cel.bind(e, tpl.norm(tpl.path(source, ["spec", "endpoint"])), cel.bind(vsource, tpl.norm(tpl.path(source, ["spec", "n"])), tpl.truth(e) ? tpl.text([tpl.str(e), tpl.str(vsource)]) : ""))`,
			typed:   `cel.bind(e, source.?spec.?endpoint, cel.bind(vsource, source.?spec.?n, (e.orValue("") != "") ? tpl.text([e.orValue(""), tpl.str(vsource)]) : ""))`,
		},
		"Break": {
			reason: "what a round hands on goes through a list", template: `{{ range .source.spec.names }}{{ if eq . "x" }}{{ break }}{{ end }}{{ . }}{{ end }}`,
			untyped: `tpl.each(tpl.path(source, ["spec", "names"])).fold(item, state, [dyn(""), dyn(0)], state[1] != 2, cel.bind(state_2, tpl.eq([item, "x"]) ? [dyn(""), dyn(2)] : [dyn(""), dyn(0)], (state_2[1] == 0) ? [dyn(tpl.text([state[0], state_2[0], tpl.str(item)])), dyn(0)] : [dyn(tpl.text([state[0], state_2[0]])), dyn(state_2[1])]))[0]`,
			typed:   `source.?spec.?names.orValue([]).fold(item, state, [dyn(""), dyn(0)], state[1] != 2, cel.bind(state_2, (item == "x") ? [dyn(""), dyn(2)] : [dyn(""), dyn(0)], (state_2[1] == 0) ? [dyn(tpl.text([state[0], state_2[0], item])), dyn(0)] : [dyn(tpl.text([state[0], state_2[0]])), dyn(state_2[1])]))[0]`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for _, run := range []struct {
				schema *expr.Schema
				want   string
			}{{nil, tc.untyped}, {formsSchema(), tc.typed}} {
				got := printedForm(t, run.schema, tc.template)
				if diff := cmp.Diff(run.want, got); diff != "" {
					t.Errorf("%s: (-want +got)\n%s", tc.reason, diff)
				}
			}
		})
	}
}

// printedForm is the CEL of the text of a template. It checks and can be parsed again, and then prints the same.
func printedForm(t *testing.T, schema *expr.Schema, template string) string {
	t.Helper()
	p, list := source{"f", template}.parse()
	if p == nil {
		t.Fatal(list)
	}
	env, err := expr.NewEnv(expr.Scope{Source: schema})
	if err != nil {
		t.Fatal(err)
	}
	if program, list := Text(env, "f", template); program == nil {
		t.Fatal(list)
	}
	ast, err := p.translator(env.Scope()).translate(func(t *translator) (maker, error) {
		return t.textOf(p.root.Nodes, rootDot)
	})
	if err != nil {
		t.Fatal(err)
	}
	printed, err := cel.AstToString(ast)
	if err != nil {
		t.Fatal(err)
	}
	parser, err := cel.NewEnv(cel.OptionalTypes(), cel.Macros(foldMacro), cel.EnableMacroCallTracking())
	if err != nil {
		t.Fatal(err)
	}
	again, issues := parser.Parse(printed)
	if issues.Err() != nil {
		t.Fatalf("%s\n%v", printed, issues.Err())
	}
	if reprinted, err := cel.AstToString(again); err != nil || reprinted != printed {
		t.Errorf("%v: printed again it is\n%s\nnot\n%s", err, reprinted, printed)
	}
	return printed
}

// TestInputs shows that a translated condition reads what the template names, and no more: an update of anything else
// costs nothing.
func TestInputs(t *testing.T) {
	cases := map[string]struct {
		reason, template string
		want             []string
	}{
		"Loop": {
			reason:   "of the items of a list the fields that the loop reads",
			template: `{{ range .source.status.conditions }}{{ if eq .type "Ready" }}{{ if eq .status "True" }}true{{ end }}{{ end }}{{ end }}`,
			want:     []string{"status.conditions.*", "status.conditions[].status", "status.conditions[].type"},
		},
		"Variable": {
			reason: "a variable is what it holds", template: `{{ $s := .source.spec.open }}{{ $s.a.b }}{{ with .source.spec.n }}{{ .x }}{{ end }}`,
			want: []string{"spec.n", "spec.open.a.b"},
		},
		"Whole": {reason: "what is printed is read wholly", template: `{{ toJson .source.metadata.labels }}`, want: []string{"metadata.labels"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			env, err := expr.NewEnv(expr.Scope{})
			if err != nil {
				t.Fatal(err)
			}
			program, list := Condition(env, "f", tc.template)
			if program == nil {
				t.Fatal(list)
			}
			if diff := cmp.Diff(tc.want, program.Inputs().Source.Paths()); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}
