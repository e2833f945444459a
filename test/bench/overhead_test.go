package bench

import (
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/metrics"
	"github.com/clusterimport/clusterimport/pkg/lifecycle"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// maxOverhead is what measuring may add to the decisions about one source.
const maxOverhead = 1.05

// decisions are what one event of a source leads to: all evaluations of the policy and what is decided by them.
type decisions struct {
	name, what string
	source     lifecycle.SourceState
	cluster    lifecycle.ClusterState
	actions    int
}

func newDecisions(tb testing.TB, name, what, ready string, actions int) *decisions {
	tb.Helper()
	secret := kubeconfigSecret("one")
	secret["data"] = map[string]any{"value": usableKubeconfig()}
	p := newPlatform(tb, "cluster-api", capiCluster(ready), secret)
	owner := &v1alpha1.ClusterImportPolicy{ObjectMeta: metav1.ObjectMeta{Name: "cluster-api", UID: "policy"}, Spec: *p.cel}
	active := &lifecycle.ActivePolicy{
		Policy: owner, Compiled: p.compiled,
		Source:     v1alpha1.ResolvedResource{Group: "cluster.x-k8s.io", Version: "v1beta1", Resource: "clusters"},
		References: []v1alpha1.ReferenceResource{{Key: "kubeconfig", Version: "v1", Resource: "secrets"}},
	}
	d := &decisions{name: name, what: what, actions: actions}
	d.source = lifecycle.SourceState{
		Policy: active, Owner: active.Policy, Namespace: "fleet", Name: "one", Source: lifecycle.Found(p.source),
		ByName: func(string) *v1alpha1.PediaClusterLifecycle { return nil },
	}
	l := &v1alpha1.PediaClusterLifecycle{ObjectMeta: metav1.ObjectMeta{Name: "fleet-one", UID: "lifecycle"}}
	l.Spec.Source = v1alpha1.DependentResource{
		Group: "cluster.x-k8s.io", Version: "v1beta1", Resource: "clusters", Namespace: "fleet", Name: "one",
	}
	d.cluster = lifecycle.ClusterState{
		Now: time.Unix(0, 0), Lifecycle: l, Owner: active.Policy, Policy: active,
		Read: func(r v1alpha1.DependentResource) lifecycle.Lookup {
			if r.Resource == "secrets" {
				return lifecycle.Found(p.reference)
			}
			return lifecycle.Found(p.source)
		},
	}
	return d
}

// usableKubeconfig is one that is fit to be imported, as a Secret holds it: about 9 KB.
func usableKubeconfig() string {
	text := "clusters: [{name: c, cluster: {server: 'https://one:6443', certificate-authority-data: " + base64Text(1500) + "}}]\n" +
		"users: [{name: u, user: {client-certificate-data: " + base64Text(1500) + ", client-key-data: " + base64Text(2200) + "}}]\n" +
		"contexts: [{name: c, context: {cluster: c, user: u}}]\ncurrent-context: c\n"
	return base64.StdEncoding.EncodeToString([]byte(text))
}

// run decides with a policy that is the same but for who observes it.
func (d *decisions) run(b *testing.B, compiled *policy.Policy) {
	b.Helper()
	b.ReportAllocs()
	active := *d.source.Policy
	active.Compiled = compiled
	source, cluster := d.source, d.cluster
	source.Policy, cluster.Policy = &active, &active
	for b.Loop() {
		claim, _ := lifecycle.PlanSource(context.Background(), source)
		plan := lifecycle.PlanCluster(context.Background(), cluster)
		if len(claim.Actions) != 1 || len(plan.Actions) != d.actions {
			b.Fatalf("planned\n%s\n%s", claim, plan.Plan)
		}
	}
}

// observed is the policy with metrics.
func (d *decisions) observed() *policy.Policy {
	return d.source.Policy.Compiled.Observed(metrics.NewRegistry().Evaluations("cluster-api"))
}

// overhead is what metrics add: both run in turn, and the fastest of each counts.
func (d *decisions) overhead() (plain, observed measured) {
	with := d.observed()
	plain.nanoseconds, observed.nanoseconds = math.Inf(1), math.Inf(1)
	for range 3 * *rounds {
		for compiled, best := range map[*policy.Policy]*measured{d.source.Policy.Compiled: &plain, with: &observed} {
			if once := fastest(func(b *testing.B) { d.run(b, compiled) }, 1); once.nanoseconds < best.nanoseconds {
				*best = once
			}
		}
	}
	return plain, observed
}

// checkOverhead is the report's section about metrics.
func checkOverhead(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("\n## Metrics\n\nWhat all decisions about one source of the cluster-api policy take, all its evaluations included.\n" +
		"\n| | | without metrics | with metrics | ratio |\n|---|---|--:|--:|--:|\n")
	for _, d := range decided(t) {
		plain, observed := d.overhead()
		ratio := observed.nanoseconds / plain.nanoseconds
		if plain.nanoseconds == 0 || observed.nanoseconds == 0 {
			t.Fatalf("%s: the decisions are others than expected; BenchmarkDecisions says which", d.name)
		}
		if ratio > maxOverhead {
			t.Errorf("%s: with metrics it takes %.3f times as long", d.name, ratio)
		}
		fmt.Fprintf(&b, "| %s | %s | %v | %v | %.3f× |\n", d.name, d.what, rounded(plain.nanoseconds), rounded(observed.nanoseconds), ratio)
	}
	fmt.Fprintf(&b, "\nTarget: at most %.2f×.\n", maxOverhead)
	return b.String()
}

func decided(tb testing.TB) []*decisions {
	tb.Helper()
	return []*decisions{
		newDecisions(tb, "import", "a cluster that is ready, to its PediaCluster", "True", 3),
		newDecisions(tb, "wait", "a cluster that is not ready yet", "False", 1),
	}
}

// BenchmarkDecisions decides about one source, with and without metrics.
func BenchmarkDecisions(b *testing.B) {
	for _, d := range decided(b) {
		b.Run(d.name+"/plain", func(b *testing.B) { d.run(b, d.source.Policy.Compiled) })
		b.Run(d.name+"/metrics", func(b *testing.B) { d.run(b, d.observed()) })
	}
}
