package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/util/workqueue"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/controller"
	"github.com/clusterimport/clusterimport/internal/metrics"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// gather returns the families by their names.
func gather(t *testing.T, r *metrics.Registry) map[string]*dto.MetricFamily {
	t.Helper()
	families, err := r.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*dto.MetricFamily{}
	for _, f := range families {
		byName[f.GetName()] = f
	}
	return byName
}

// seriesOf counts series as Prometheus does: each bucket, sum and count of a histogram is one.
func seriesOf(f *dto.MetricFamily) int {
	n := 0
	for _, m := range f.GetMetric() {
		if h := m.GetHistogram(); h != nil {
			n += len(h.GetBucket()) + 1 + 2 // +Inf, sum, count
		} else {
			n++
		}
	}
	return n
}

// own are the series of the project's metrics.
func own(families map[string]*dto.MetricFamily) int {
	n := 0
	for name, f := range families {
		if strings.HasPrefix(name, "clusterimport_") {
			n += seriesOf(f)
		}
	}
	return n
}

// fleet is a controller with many policies, seen from outside.
type fleet struct{ policies, sources, kinds int }

func (f fleet) state() controller.State {
	var s controller.State
	for i := range f.policies {
		s.Policies = append(s.Policies, controller.PolicyState{
			Name:       fmt.Sprintf("p%d", i),
			Conditions: []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue}},
			Sources:    v1alpha1.SourceCounts{Selected: int32(f.sources), Imported: int32(f.sources)},
			Ready:      f.sources,
			Expires:    time.Unix(2_000_000_000, 0),
		})
	}
	for i := range f.kinds {
		s.Kinds = append(s.Kinds, controller.KindState{
			Resource: schema.GroupVersionResource{Group: "g", Version: "v1", Resource: fmt.Sprintf("r%d", i)}, Up: true, Objects: f.sources,
		})
	}
	return s
}

// exercise makes a registry see everything that a fleet can make it see, all failures included.
func (f fleet) exercise(t *testing.T, r *metrics.Registry) {
	t.Helper()
	r.Follow(f.state)
	r.WebhookTrusted(func() error { return nil })
	r.ObserveWebhook("clusterimportpolicies", "CREATE", true, time.Millisecond)
	for _, kind := range []string{"ca", "serving"} {
		r.CertificateExpires(kind, time.Now())
	}
	for i := range 4 {
		r.DefinitionCompared(fmt.Sprintf("crd%d", i), true)
	}
	r.Passed("policy", time.Millisecond, nil)
	r.Imported(time.Second)
	r.Reused()
	for i := range f.policies {
		f.run(r, fmt.Sprintf("p%d", i))
	}
}

func (f fleet) run(r *metrics.Registry, name string) {
	r.Compiled(name, policy.DialectHybrid, time.Millisecond, true)
	r.Operated(name, controller.OperationCreate, nil)
	by := r.Evaluations(name)
	stages := []policy.Stage{
		policy.StageSelect, policy.StageName, policy.StageReference, policy.StageObsolete, policy.StageReady, policy.StageRender,
	}
	for source := range f.sources {
		e := policy.Evaluation{Stage: stages[source%len(stages)], Result: policy.ResultSuccess, Cost: source}
		if failure := source / len(stages); failure < len(failures) {
			e.Result, e.Err = policy.ResultError, fmt.Errorf("source %d: %w", source, failures[failure])
		}
		e.Mark = by.Begin(e.Stage)
		by.End(e)
	}
}

// failures are all kinds of errors.
var failures = []error{
	&policy.InvalidError{Stage: policy.StageName, Message: "bad"}, errors.New("an error of the source ns/one"),
	failing("source.missing"), failing("source.text + 1 == 2"), failing("1 / source.zero == 1"),
	failing(`json.unmarshal(source.text) == 1`), failing(strings.Repeat("[1,2,3,4,5,6,7,8,9,10].all(a, ", 7) + "true" + strings.Repeat(")", 7)),
}

// failing evaluates a condition that fails.
func failing(condition string) error {
	env, err := expr.NewEnv(expr.Scope{})
	if err != nil {
		return err
	}
	c, list := policy.CompileCondition(env, "spec.creationCondition", condition)
	if c == nil {
		return errors.New(list.String())
	}
	_, err = c.Bool(context.Background(), expr.NewBinding(map[string]any{"text": "t", "zero": int64(0)}, nil))
	return err
}

func TestRegistryFollowsCatalogue(t *testing.T) {
	r := metrics.NewRegistry()
	fleet{policies: 2, sources: 100, kinds: 1}.exercise(t, r)
	families := gather(t, r)
	for _, m := range metrics.All() {
		f := families[m.Name]
		if f == nil {
			t.Errorf("%s is in the catalogue and not in the registry", m.Name)
			continue
		}
		if got := strings.ToLower(f.GetType().String()); got != string(m.Type) || f.GetHelp() != m.Help {
			t.Errorf("%s is a %s: %s", m.Name, got, f.GetHelp())
		}
		checkLabels(t, m, f)
	}
	for name := range families {
		if _, known := metrics.Find(name); !known && strings.HasPrefix(name, "clusterimport_") {
			t.Errorf("%s is in the registry and not in the catalogue", name)
		}
	}
}

func checkLabels(t *testing.T, m metrics.Metric, f *dto.MetricFamily) {
	t.Helper()
	for _, series := range f.GetMetric() {
		if len(series.GetLabel()) != len(m.Labels) {
			t.Errorf("%s has the labels %v", m.Name, series.GetLabel())
		}
		for _, l := range m.Labels {
			i := slices.IndexFunc(series.GetLabel(), func(p *dto.LabelPair) bool { return p.GetName() == l.Name })
			if i < 0 {
				t.Fatalf("%s has no label %s", m.Name, l.Name)
			}
			if value := series.GetLabel()[i].GetValue(); len(l.Values) > 0 && !slices.Contains(l.Values, value) {
				t.Errorf("%s: %s is %q, which the catalogue does not know", m.Name, l.Name, value)
			}
		}
	}
}

func TestLint(t *testing.T) {
	r := metrics.NewRegistry()
	fleet{policies: 1, sources: 10, kinds: 1}.exercise(t, r)
	var families []*dto.MetricFamily
	for name, f := range gather(t, r) {
		if strings.HasPrefix(name, "clusterimport_") {
			families = append(families, f)
		}
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestValues follows what other packages tell to what is served.
func TestValues(t *testing.T) {
	r := metrics.NewRegistry()
	r.Passed("policy", time.Second, errors.New("no"))
	r.ObserveWebhook("clusterimportpolicies", "CREATE", false, time.Second)
	r.CertificateExpires("ca", time.Unix(7, 0))
	r.DefinitionCompared("a", true)
	r.DefinitionCompared("b", false)
	r.WebhookTrusted(func() error { return errors.New("not yet") })
	r.Follow(func() controller.State {
		return controller.State{Policies: []controller.PolicyState{{
			Name: "p", Sources: v1alpha1.SourceCounts{Selected: 6, Imported: 3, Waiting: 2, Failed: 1},
			LongestWait: time.Minute, Expires: time.Unix(9, 0), Held: 4,
		}}}
	})
	answer := httptest.NewRecorder()
	r.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	for _, line := range []string{
		`clusterimport_reconcile_total{controller="policy",result="error"} 1`,
		`clusterimport_webhook_requests_total{allowed="false",operation="CREATE",resource="clusterimportpolicies"} 1`,
		`clusterimport_webhook_certificate_expiration_timestamp_seconds{kind="ca"} 7`, `clusterimport_webhook_ca_injected 0`,
		`clusterimport_crd_schema_mismatch{crd="a"} 0`, `clusterimport_crd_schema_mismatch{crd="b"} 1`,
		`clusterimport_policy_ready{policy="p"} 0`, `clusterimport_policy_condition{policy="p",status="Unknown",type="Ready"} 1`,
		`clusterimport_sources{policy="p",state="waiting"} 2`, `clusterimport_imported_clusters{policy="p"} 3`,
		`clusterimport_longest_wait_seconds{policy="p"} 60`, `clusterimport_removals_held{policy="p"} 4`, `clusterimport_credentials_expiration_timestamp_seconds{policy="p"} 9`,
	} {
		if !strings.Contains(answer.Body.String(), line+"\n") {
			t.Errorf("the metrics lack %s", line)
		}
	}
}

// TestCardinality holds the registry to the formula of docs/metrics.md, and to give back what a policy had.
func TestCardinality(t *testing.T) {
	f := fleet{policies: 1000, sources: 1000, kinds: 7}
	r := metrics.NewRegistry()
	base := own(gather(t, r))
	f.exercise(t, r)
	families := gather(t, r)
	want := 0
	for _, m := range metrics.All() {
		most := m.Series.Fixed + m.Series.Policies*f.policies + m.Series.Kinds*f.kinds
		want += most
		if got := seriesOf(families[m.Name]); got != most {
			t.Errorf("%s has %d series, the formula says %d", m.Name, got, most)
		}
	}
	if got := own(families); got != want {
		t.Errorf("%d series, the formula says %d", got, want)
	}

	r = metrics.NewRegistry()
	for i := range f.policies {
		f := fleet{sources: 10}
		f.run(r, fmt.Sprintf("p%d", i))
	}
	for i := range f.policies {
		name := fmt.Sprintf("p%d", i)
		late := r.Evaluations(name)
		r.Forgotten(name)
		late.End(policy.Evaluation{Stage: policy.StageSelect, Result: policy.ResultError, Err: failures[0], Mark: late.Begin(policy.StageSelect)})
		r.Operated(name, controller.OperationDelete, nil)
	}
	if got := own(gather(t, r)); got != base {
		t.Errorf("%d series are left of 1000 policies that are gone", got-base)
	}
}

// TestEvaluations follows a real policy from its evaluations to the counters.
func TestEvaluations(t *testing.T) {
	r := metrics.NewRegistry()
	spec := v1alpha1.ClusterImportPolicySpec{
		Source:            v1alpha1.SourceType{Resource: "clusters", SelectorTemplate: "source.keep"},
		NameTemplate:      "${source.metadata.name}",
		References:        []v1alpha1.ReferenceResourceTemplate{{Key: "secret", Group: "example.com", Resource: "tokens", NameTemplate: "${source.secret}"}},
		CreationCondition: "references.secret.ready && [1, 2, 3].all(x, x > 0)",
		DeletionCondition: "references.secret.?old.orValue(false)",
		Template:          "spec: {kubeconfig: '${references.secret.data}', syncResources: []}",
	}
	compiled, list := policy.Compile(&spec, policy.Types{})
	if compiled == nil {
		t.Fatal(list)
	}
	compiled = compiled.Observed(r.Evaluations("p"))
	run := func(source, secret map[string]any) {
		ctx := context.Background()
		b := compiled.Bind(source)
		_, _ = compiled.Select(ctx, b)
		_, _ = compiled.Name(ctx, b)
		_, _ = compiled.Reference(ctx, 0, b)
		if secret != nil {
			b.SetReference("secret", secret)
		}
		_, _ = compiled.Obsolete(ctx, b)
		_, _ = compiled.Ready(ctx, b)
		_, _ = compiled.Render(ctx, b, "name")
	}
	run(map[string]any{"keep": true, "metadata": map[string]any{"name": "one"}, "secret": "one"}, map[string]any{"ready": true, "data": "Z28="})
	run(map[string]any{"keep": false, "metadata": map[string]any{"name": "BAD"}, "secret": "one"}, nil)
	run(map[string]any{}, map[string]any{"ready": false})

	got := map[string]float64{}
	families := gather(t, r)
	for _, name := range []string{"clusterimport_policy_evaluations_total", "clusterimport_policy_errors_total"} {
		for _, m := range families[name].GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if n := m.GetCounter().GetValue(); n > 0 {
				got[labels["stage"]+" "+labels["result"]+labels["reason"]] = n
			}
		}
	}
	want := map[string]float64{
		"select true": 1, "select false": 1, "select error": 1, "select no_such_key": 1,
		"name success": 1, "name error": 2, "name invalid": 1, "name no_such_key": 1,
		"reference success": 2, "reference error": 1, "reference no_such_key": 1,
		"obsolete false": 2, "obsolete pending": 1,
		"ready true": 1, "ready pending": 1, "ready false": 1,
		"render success": 1, "render pending": 1, "render error": 1, "render no_such_key": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, m := range families["clusterimport_policy_evaluation_cost"].GetMetric() {
		if m.GetLabel()[0].GetValue() == "ready" && m.GetHistogram().GetSampleSum() < 3 {
			t.Error("a loop costs nothing")
		}
		if m.GetHistogram().GetSampleCount() != 3 {
			t.Errorf("%v: %d of the first 3 evaluations are measured", m.GetLabel(), m.GetHistogram().GetSampleCount())
		}
	}
}

// TestEvaluationsAllocateNothing: who evaluates pays with a little time only.
func TestEvaluationsAllocateNothing(t *testing.T) {
	by := metrics.NewRegistry().Evaluations("p")
	allocations := testing.AllocsPerRun(2000, func() {
		by.End(policy.Evaluation{Stage: policy.StageReady, Mark: by.Begin(policy.StageReady), Result: policy.ResultFalse, Cost: 7})
	})
	if allocations > 0 {
		t.Errorf("%v allocations an evaluation", allocations)
	}
}

// TestStockMetrics: those of client-go are served, the Go runtime's once, and nothing else.
func TestStockMetrics(t *testing.T) {
	queue := workqueue.NewTypedRateLimitingQueueWithConfig(
		workqueue.DefaultTypedControllerRateLimiter[string](), workqueue.TypedRateLimitingQueueConfig[string]{Name: "policy"})
	queue.Add("key")
	defer queue.ShutDown()
	answer := httptest.NewRecorder()
	metrics.NewRegistry().Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	text := answer.Body.String()
	if !strings.Contains(text, `workqueue_depth{name="policy"} 1`) || strings.Count(text, "# TYPE go_goroutines ") != 1 {
		t.Errorf("code %d\n%s", answer.Code, text)
	}
	for line := range strings.Lines(text) {
		name, found := strings.CutPrefix(line, "# TYPE ")
		name, _, _ = strings.Cut(name, " ")
		stock := slices.ContainsFunc(metrics.Stock, func(m metrics.Metric) bool { return m.Name == name })
		known := stock || slices.ContainsFunc([]string{"clusterimport_", "go_", "process_", "promhttp_"}, func(prefix string) bool {
			return strings.HasPrefix(name, prefix)
		})
		if found && !known {
			t.Errorf("%s is served", name)
		}
	}
}
