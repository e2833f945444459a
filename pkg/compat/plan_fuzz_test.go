package compat

import (
	"testing"

	"github.com/google/cel-go/cel"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

// FuzzPlan translates anything twice, with a schema and without: the printed expressions are the same.
func FuzzPlan(f *testing.F) {
	for _, seed := range []string{
		`{{ range .source.spec.names }}{{ if eq . "x" }}{{ break }}{{ end }}{{ . }}{{ end }}`,
		`{{ $x := .source.spec.n }}{{ if $x }}{{ $x = 2 }}{{ end }}{{ and $x .source.metadata.labels }}`,
		`{{ define "a" }}{{ .b }}{{ end }}{{ template "a" .source.spec.open }}`,
		`{{ range $k, $v := .source.metadata.labels }}{{ $k }}{{ $v | upper }}{{ else }}none{{ end }}`,
		`{{ with index .source.data "a" }}{{ . | b64dec | trim }}{{ end }}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		for _, schema := range []*expr.Schema{nil, formsSchema()} {
			if first, again := planOf(src, schema), planOf(src, schema); first != again {
				t.Errorf("translated twice:\n%s\n%s", first, again)
			}
		}
	})
}

// planOf is the expression of a template, or what is said about it.
func planOf(src string, schema *expr.Schema) string {
	p, list := source{"f", src}.parse()
	if p == nil {
		return list.String()
	}
	t := p.translator(expr.Scope{Source: schema})
	ast, err := t.translate(func(t *translator) (maker, error) { return t.one(p.root.Nodes, rootDot) })
	if err != nil {
		return err.Error()
	}
	printed, err := cel.AstToString(ast)
	if err != nil {
		return err.Error()
	}
	return printed + "\n" + t.warnings.String()
}
