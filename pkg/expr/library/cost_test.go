package library_test

import (
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/ext"

	"github.com/clusterimport/clusterimport/pkg/expr/library"
)

func TestCost(t *testing.T) {
	text := func(n int) ref.Val { return types.String(strings.Repeat("a", n)) }
	list := func(items ...any) ref.Val { return types.DefaultTypeAdapter.NativeToValue(items) }
	cases := map[string]struct {
		reason   string
		function string
		args     []ref.Val
		want     uint64
	}{
		"Nothing": {"A call costs something.", "b64dec", []ref.Val{text(0)}, 1},
		"Begun":   {"Ten bytes that are begun count.", "b64enc", []ref.Val{text(1)}, 2},
		"Text":    {"A tenth of a unit for a byte.", "b64enc", []ref.Val{text(1000)}, 101},
		"Texts":   {"All arguments count.", "kubeconfig.fromToken", []ref.Val{text(10), text(20), text(30)}, 1 + 6*8},
		"Parser":  {"YAML takes longer than JSON.", "yaml.unmarshal", []ref.Val{text(1000)}, 1 + 100*4 + 8},
		"Values":  {"Values that a text can have count.", "json.unmarshal", []ref.Val{types.String("[1,2,3]")}, 1 + 1 + 4*4},
		"Object": {
			"The texts, keys and values of an object count.", "json.marshal",
			[]ref.Val{types.DefaultTypeAdapter.NativeToValue(map[string]any{"key": []any{"value", 1}})}, 1 + 1 + 5*4,
		},
		"Bytes": {"Bytes are text later.", "json.marshal", []ref.Val{types.Bytes("0123456789")}, 1 + 1 + 4},
		"Long":  {"Counting ends where the function ends.", "json.marshal", []ref.Val{list(make([]any, 50_000)...)}, 1 + 20_001*4},
		"Wrong": {"An argument of another type costs a call.", "b64dec", []ref.Val{types.Int(1)}, 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := library.Cost(tc.function, tc.args); got != tc.want {
				t.Errorf("%s\nCost(%q) is %d, want %d", tc.reason, tc.function, got, tc.want)
			}
		})
	}
}

// TestCostKnowsAllFunctions fails when a function is declared that costs nothing.
func TestCostKnowsAllFunctions(t *testing.T) {
	base, err := cel.NewEnv()
	if err != nil {
		t.Fatal(err)
	}
	env, err := cel.NewEnv(library.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	for name := range env.Functions() {
		_, standard := base.Functions()[name]
		if ok := library.Charges(name); ok == standard {
			t.Errorf("Charges(%q) is %t", name, ok)
		}
	}
}

// BenchmarkFunctions measures what the charges are made by: the time that one unit of cost buys. Texts are either
// long or full of values.
func BenchmarkFunctions(b *testing.B) {
	full := "[" + strings.Repeat("a,", 4000) + "a]"
	config := func(extra string) string {
		return "clusters: [{name: a, cluster: {server: 'https://a', certificate-authority-data: " +
			strings.Repeat("QUFB", 500) + "}}]\nextra: " + extra
	}
	cases := map[string]struct{ expr, function, text string }{
		"b64dec":               {`b64dec(source)`, "b64dec", b64(strings.Repeat("a", 12<<10))},
		"b64enc":               {`b64enc(source)`, "b64enc", strings.Repeat("a", 12<<10)},
		"dns.label":            {`dns.label(source)`, "dns.label", strings.Repeat("A_", 6<<10)},
		"dns.label/short":      {`dns.label(source)`, "dns.label", "Team A/prod"},
		"dns.subdomain":        {`dns.subdomain(source)`, "dns.subdomain", strings.Repeat("A.", 6<<10)},
		"json.unmarshal/long":  {`json.unmarshal(source)`, "json.unmarshal", `"` + strings.Repeat("a", 100<<10) + `"`},
		"json.unmarshal/full":  {`json.unmarshal(source)`, "json.unmarshal", strings.ReplaceAll(full, "a", "1")},
		"json.marshal/long":    {`json.marshal(source)`, "json.marshal", strings.Repeat("a", 100<<10)},
		"json.marshal/full":    {`json.marshal(source.split(","))`, "json.marshal", full},
		"yaml.unmarshal/long":  {`yaml.unmarshal(source)`, "yaml.unmarshal", "a: " + strings.Repeat("a b ", 25<<10)},
		"yaml.unmarshal/full":  {`yaml.unmarshal(source)`, "yaml.unmarshal", full},
		"yaml.unmarshal/twice": {`yaml.unmarshal(source)`, "yaml.unmarshal", "---\n" + full},
		"yaml.marshal/long":    {`yaml.marshal(source)`, "yaml.marshal", strings.Repeat("a b ", 25<<10)},
		"yaml.marshal/full":    {`yaml.marshal(source.split(","))`, "yaml.marshal", full},
		"kubeconfig/small":     {`kubeconfig.withServer(source, "https://a")`, "kubeconfig.withServer", b64(config("a"))},
		"kubeconfig/long":      {`kubeconfig.withServer(source, "https://a")`, "kubeconfig.withServer", b64(config(strings.Repeat("a b ", 25<<10)))},
		"kubeconfig/full":      {`kubeconfig.withServer(source, "https://a")`, "kubeconfig.withServer", b64(config(full))},
		"kubeconfig/server":    {`kubeconfig.server(source)`, "kubeconfig.server", b64(config(full))},
		"kubeconfig/fromToken": {`kubeconfig.fromToken("https://a", source, "YQ==")`, "kubeconfig.fromToken", strings.Repeat("QUFB", 500)},
	}
	env := newEnv(b, ext.Strings())
	for name, tc := range cases {
		b.Run(name, func(b *testing.B) {
			program := compile(b, env, tc.expr)
			args := []ref.Val{types.String(tc.text)}
			if strings.Contains(tc.expr, "split") {
				args[0] = types.DefaultTypeAdapter.NativeToValue(strings.Split(tc.text, ","))
			}
			cost := library.Cost(tc.function, args)
			in := source(tc.text)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := program.Eval(in); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(cost), "ns/unit")
			b.ReportMetric(float64(cost), "units")
		})
	}
}

// BenchmarkCost measures the charging itself.
func BenchmarkCost(b *testing.B) {
	args := []ref.Val{types.String(twoClusters)}
	b.ReportAllocs()
	for b.Loop() {
		library.Cost("yaml.unmarshal", args)
	}
}
