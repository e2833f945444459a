package bench

import (
	"bytes"
	htmltemplate "html/template"
	"strings"
	"testing"
	texttemplate "text/template"

	"github.com/Masterminds/sprig/v3"
	"sigs.k8s.io/yaml"

	"github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
)

// parseAndExecute is what one evaluation costs the system that this project takes over from: it parses the template
// with a fresh map of sprig's functions and executes it.
func parseAndExecute(tb testing.TB, src string, data map[string]any) string {
	tb.Helper()
	t, err := htmltemplate.New("").Funcs(sprig.HtmlFuncMap()).Parse(src)
	if err != nil {
		tb.Fatal(err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(out.String())
}

// parsedOnce is a template that is parsed once.
func parsedOnce(tb testing.TB, src string) func(data map[string]any) string {
	tb.Helper()
	t, err := texttemplate.New("").Funcs(sprig.TxtFuncMap()).Parse(src)
	if err != nil {
		tb.Fatal(err)
	}
	return func(data map[string]any) string {
		var out bytes.Buffer
		if err := t.Execute(&out, data); err != nil {
			tb.Fatal(err)
		}
		return strings.TrimSpace(out.String())
	}
}

// decodeCluster is what both of them do with a rendered PediaCluster.
func decodeCluster(tb testing.TB, text string) map[string]any {
	tb.Helper()
	cluster := &v1alpha2.PediaCluster{}
	if err := yaml.Unmarshal([]byte(text), cluster); err != nil {
		tb.Fatal(err)
	}
	return map[string]any{"spec": cluster.Spec}
}
