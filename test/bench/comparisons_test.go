package bench

import (
	"fmt"
	"os"
	"runtime"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// rival is one way to do the work of a comparison.
type rival struct {
	name string
	run  func(b *testing.B)
}

// The rivals, see the comment of the package.
const (
	parse   = "parse"
	execute = "execute"
	cel     = "cel"
	gocel   = "gocel"
	typed   = "typed"
	byhand  = "byhand"
)

// comparison is one kind of work.
type comparison struct {
	name, what string
	rivals     []rival
}

// platform is a policy in both languages, and what its expressions see.
type platform struct {
	cel, gotemplate   *v1alpha1.ClusterImportPolicySpec
	compiled, gocel   *policy.Policy
	document, goDoc   policy.Document
	source, reference map[string]any
}

func newPlatform(tb testing.TB, name string, source, reference map[string]any) *platform {
	tb.Helper()
	p := &platform{
		cel: readSpec(tb, "testdata/"+name+".yaml"), gotemplate: readSpec(tb, "../../examples/"+name+"/gotemplate.yaml"),
		source: source, reference: reference,
	}
	p.compiled, p.document = compile(tb, p.cel)
	p.gocel, p.goDoc = compile(tb, p.gotemplate)
	return p
}

func readSpec(tb testing.TB, path string) *v1alpha1.ClusterImportPolicySpec {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	p := &v1alpha1.ClusterImportPolicy{}
	if err := yaml.UnmarshalStrict(data, p); err != nil {
		tb.Fatal(err)
	}
	return &p.Spec
}

func compile(tb testing.TB, spec *v1alpha1.ClusterImportPolicySpec) (*policy.Policy, policy.Document) {
	tb.Helper()
	compiled, list := policy.Compile(spec, policy.Types{})
	if compiled == nil {
		tb.Fatal(list)
	}
	var scope expr.Scope
	for _, r := range spec.References {
		scope.References = append(scope.References, expr.Reference{Key: r.Key})
	}
	env, err := expr.NewEnv(scope)
	if err != nil {
		tb.Fatal(err)
	}
	document, list := policy.CompileDocument(env, "spec.template", spec.Template)
	if document == nil {
		tb.Fatal(list)
	}
	return compiled, document
}

// data is what a Go template sees.
func (p *platform) data() map[string]any {
	references := map[string]any{}
	for _, r := range p.cel.References {
		references[r.Key] = p.reference
	}
	return map[string]any{"source": p.source, "references": references}
}

func (p *platform) bind(compiled *policy.Policy) *expr.Binding {
	b := compiled.Bind(p.source)
	for _, r := range p.cel.References {
		b.SetReference(r.Key, p.reference)
	}
	return b
}

// text compares evaluating one field that gives text, whose value must be want.
func (p *platform) text(tb testing.TB, src, want string, ours func(b *testing.B, compiled *policy.Policy) string, hand func() string) []rival {
	tb.Helper()
	once := parsedOnce(tb, src)
	data := p.data()
	expect := func(b *testing.B, got string) {
		if got != want {
			b.Fatalf("got %q, want %q", got, want)
		}
	}
	loop := func(f func(b *testing.B) string) func(b *testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				expect(b, f(b))
			}
		}
	}
	return []rival{
		{parse, loop(func(b *testing.B) string { return parseAndExecute(b, src, data) })},
		{execute, loop(func(*testing.B) string { return once(data) })},
		{cel, loop(func(b *testing.B) string { return ours(b, p.compiled) })},
		{gocel, loop(func(b *testing.B) string { return ours(b, p.gocel) })},
		{byhand, loop(func(*testing.B) string { return hand() })},
	}
}

// condition compares the creation condition.
func (p *platform) condition(tb testing.TB, want string, hand func(map[string]any) bool) []rival {
	tb.Helper()
	word := map[bool]string{true: "true"}
	bindings := map[*policy.Policy]*expr.Binding{p.compiled: p.bind(p.compiled), p.gocel: p.bind(p.gocel)}
	return p.text(tb, p.gotemplate.CreationCondition, want, func(b *testing.B, compiled *policy.Policy) string {
		ready, err := compiled.Ready(b.Context(), bindings[compiled])
		if err != nil {
			b.Fatal(err)
		}
		return word[ready]
	}, func() string { return word[hand(p.source)] })
}

// named compares the name.
func (p *platform) named(tb testing.TB, want string, hand func(map[string]any) string) []rival {
	tb.Helper()
	bindings := map[*policy.Policy]*expr.Binding{p.compiled: p.bind(p.compiled), p.gocel: p.bind(p.gocel)}
	return p.text(tb, p.gotemplate.NameTemplate, want, func(b *testing.B, compiled *policy.Policy) string {
		name, err := compiled.Name(b.Context(), bindings[compiled])
		if err != nil {
			b.Fatal(err)
		}
		return name
	}, func() string { return hand(p.source) })
}

// render compares rendering the template to a map.
func (p *platform) render(tb testing.TB, hand func(map[string]any) map[string]any) []rival {
	tb.Helper()
	once := parsedOnce(tb, p.gotemplate.Template)
	data, binding := p.data(), p.bind(p.compiled)
	loop := func(f func(b *testing.B) map[string]any) func(b *testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if f(b)["spec"] == nil {
					b.Fatal("there is no spec")
				}
			}
		}
	}
	ours := func(document policy.Document) func(b *testing.B) map[string]any {
		return func(b *testing.B) map[string]any {
			object, err := document.Render(b.Context(), binding)
			if err != nil {
				b.Fatal(err)
			}
			return object
		}
	}
	from := p.source
	if p.reference != nil {
		from = p.reference
	}
	return []rival{
		{parse, loop(func(b *testing.B) map[string]any {
			return decodeCluster(b, parseAndExecute(b, p.gotemplate.Template, data))
		})},
		{execute, loop(func(b *testing.B) map[string]any { return decodeCluster(b, once(data)) })},
		{cel, loop(ours(p.document))},
		{gocel, loop(ours(p.goDoc))},
		{byhand, loop(func(*testing.B) map[string]any { return hand(from) })},
	}
}

const (
	secretCount  = 10_000
	matchingOnes = secretCount / 100
)

// selection compares a selector over many Secrets, of which few match.
func selection(tb testing.TB) []rival {
	tb.Helper()
	p := newPlatform(tb, "vcluster", nil, nil)
	secrets := make([]map[string]any, secretCount)
	for i := range secrets {
		if secrets[i] = otherSecret(i); i%(secretCount/matchingOnes) == 0 {
			secrets[i] = vclusterSecret(fmt.Sprintf("v%d", i))
		}
	}
	once := parsedOnce(tb, p.gotemplate.Source.SelectorTemplate)
	loop := func(f func(b *testing.B, secret map[string]any) bool) func(b *testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				found := 0
				for _, secret := range secrets {
					if f(b, secret) {
						found++
					}
				}
				if found != matchingOnes {
					b.Fatalf("%d match", found)
				}
			}
		}
	}
	ours := func(compiled *policy.Policy) func(b *testing.B, secret map[string]any) bool {
		return func(b *testing.B, secret map[string]any) bool {
			keep, err := compiled.Select(b.Context(), compiled.Bind(secret))
			if err != nil {
				b.Fatal(err)
			}
			return keep
		}
	}
	return []rival{
		{parse, loop(func(b *testing.B, secret map[string]any) bool {
			return parseAndExecute(b, p.gotemplate.Source.SelectorTemplate, map[string]any{"source": secret}) == "true"
		})},
		{execute, loop(func(_ *testing.B, secret map[string]any) bool {
			return once(map[string]any{"source": secret}) == "true"
		})},
		{cel, loop(ours(p.compiled))},
		{gocel, loop(ours(p.gocel))},
		{byhand, loop(func(_ *testing.B, secret map[string]any) bool { return vclusterSelectByHand(secret) })},
	}
}

// comparisons are all kinds of work.
func comparisons(tb testing.TB) []comparison {
	tb.Helper()
	ready := newPlatform(tb, "cluster-api", capiCluster("True"), kubeconfigSecret("one"))
	waiting := newPlatform(tb, "cluster-api", capiCluster("False"), kubeconfigSecret("one"))
	virtual := newPlatform(tb, "vcluster", vclusterSecret("one"), nil)
	list := []comparison{
		{"condition, hit", "creationCondition of cluster-api: the 3rd of 10 conditions decides", ready.condition(tb, "true", capiReadyByHand)},
		{"condition, no hit", "the same: none of 10 conditions decides", waiting.condition(tb, "", capiReadyByHand)},
		{"name", "nameTemplate of cluster-api", ready.named(tb, "fleet-one", capiNameByHand)},
		{"selector", fmt.Sprintf("selectorTemplate of vcluster over %d Secrets, of which %d match", secretCount, matchingOnes), selection(tb)},
		{"render cluster-api", "template of cluster-api to a map", ready.render(tb, capiRenderByHand)},
		{"render vcluster", "template of vcluster to a map", virtual.render(tb, vclusterRenderByHand)},
	}
	for _, c := range translations() {
		list = append(list, comparison{"translated, " + c.name, "the creationCondition or selectorTemplate in Clusterpedia's language", c.rivals(tb)})
	}
	return list
}

// BenchmarkPolicies runs every comparison.
func BenchmarkPolicies(b *testing.B) {
	for _, c := range comparisons(b) {
		for _, r := range c.rivals {
			b.Run(c.name+"/"+r.name, r.run)
		}
	}
}

// BenchmarkCompile compiles a policy.
func BenchmarkCompile(b *testing.B) {
	spec := readSpec(b, "testdata/cluster-api.yaml")
	b.ReportAllocs()
	for b.Loop() {
		if compiled, list := policy.Compile(spec, policy.Types{}); compiled == nil {
			b.Fatal(list)
		}
	}
}

// heldBytes is how much memory a compiled policy holds.
func heldBytes(tb testing.TB) int {
	tb.Helper()
	spec := readSpec(tb, "testdata/cluster-api.yaml")
	compile(tb, spec) // what all policies share
	const many = 200
	held := make([]*policy.Policy, many)
	before := heap()
	for i := range held {
		held[i], _ = policy.Compile(spec, policy.Types{})
	}
	after := heap()
	runtime.KeepAlive(held)
	return int(after-before) / many
}

func heap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
