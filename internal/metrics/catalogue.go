package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/controller"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// Type is what kind of metric it is.
type Type string

// The types.
const (
	Counter   Type = "counter"
	Gauge     Type = "gauge"
	Histogram Type = "histogram"
)

// Metric describes a metric.
type Metric struct {
	Name, Help string
	Type       Type
	Labels     []Label
	// Buckets are the upper bounds of a histogram, without +Inf.
	Buckets []float64
	// Series is how many there are at most.
	Series Series

	// stateful are those that are read from the controller when they are asked for.
	stateful bool
}

// Label describes a label.
type Label struct {
	Name string
	// Values are all that it can have. Without, it names a policy, a kind, a build or a CRD.
	Values []string
}

// Series is a number of series: Fixed + Policies × the policies that exist + Kinds × the kinds that they watch.
type Series struct{ Fixed, Policies, Kinds int }

// All are the project's own metrics, in the order of docs/metrics.md.
func All() []Metric { return slices.Clone(catalogue) }

// Find returns the metric of that name.
func Find(name string) (Metric, bool) {
	i := slices.IndexFunc(catalogue, func(m Metric) bool { return m.Name == name })
	if i < 0 {
		return Metric{}, false
	}
	return catalogue[i], true
}

func (m Metric) labelNames() []string {
	names := make([]string, len(m.Labels))
	for i, l := range m.Labels {
		names[i] = l.Name
	}
	return names
}

// combinations are all values of the labels, which must be known.
func (m Metric) combinations() [][]string {
	all := [][]string{{}}
	for _, l := range m.Labels {
		var longer [][]string
		for _, before := range all {
			for _, value := range l.Values {
				longer = append(longer, append(slices.Clone(before), value))
			}
		}
		all = longer
	}
	return all
}

// The names. Each is a line of the catalogue.
const (
	buildInfo           = "clusterimport_build_info"
	policyReady         = "clusterimport_policy_ready"
	policyCondition     = "clusterimport_policy_condition"
	compilations        = "clusterimport_policy_compilations_total"
	compilationDuration = "clusterimport_policy_compilation_duration_seconds"
	evaluations         = "clusterimport_policy_evaluations_total"
	evaluationDuration  = "clusterimport_policy_evaluation_duration_seconds"
	evaluationCost      = "clusterimport_policy_evaluation_cost"
	policyErrors        = "clusterimport_policy_errors_total"
	cacheEntries        = "clusterimport_program_cache_entries"
	cacheHits           = "clusterimport_program_cache_hits_total"
	cacheMisses         = "clusterimport_program_cache_misses_total"
	sources             = "clusterimport_sources"
	lifecycles          = "clusterimport_lifecycles"
	importedClusters    = "clusterimport_imported_clusters"
	longestWait         = "clusterimport_longest_wait_seconds"
	credentialsEnd      = "clusterimport_credentials_expiration_timestamp_seconds"
	removalsHeld        = "clusterimport_removals_held"
	operations          = "clusterimport_import_operations_total"
	importLatency       = "clusterimport_import_latency_seconds"
	watchUp             = "clusterimport_watch_up"
	informerObjects     = "clusterimport_informer_objects"
	reconciles          = "clusterimport_reconcile_total"
	reconcileDuration   = "clusterimport_reconcile_duration_seconds"
	webhookRequests     = "clusterimport_webhook_requests_total"
	webhookDuration     = "clusterimport_webhook_request_duration_seconds"
	webhookCertificate  = "clusterimport_webhook_certificate_expiration_timestamp_seconds"
	webhookInjected     = "clusterimport_webhook_ca_injected"
	schemaMismatch      = "clusterimport_crd_schema_mismatch"
)

const (
	resultSuccess = "success"
	resultError   = "error"
	resultFailure = "failure"
)

// Labels that several metrics have.
var (
	policyLabel = Label{Name: "policy"}
	kindLabels  = []Label{{Name: "group"}, {Name: "version"}, {Name: "resource"}}
	stageLabel  = Label{"stage", texts(stages[:]...)}
	loopLabel   = Label{"controller", []string{"policy", "source", "lifecycle"}}
	webhookWhat = []Label{{"resource", []string{"clusterimportpolicies", "other"}}, {"operation", []string{"CREATE", "UPDATE", "other"}}}

	conditionTypes = []string{
		v1alpha1.ConditionReady, v1alpha1.ConditionValidated, v1alpha1.ConditionReconciling, v1alpha1.ConditionSourceAvailable,
	}
	sourceStates = []string{stateImported, stateWaiting, stateFailed}
)

func texts[T ~string](values ...T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

// histogramSeries is how many series a histogram has: its buckets, +Inf, the sum and the count, times n.
func histogramSeries(buckets []float64, n int) Series { return Series{Fixed: (len(buckets) + 3) * n} }

var (
	// Compiling takes from half a millisecond to a quarter of a second.
	compilationBuckets = prometheus.ExponentialBuckets(0.0005, 2, 10)
	// Evaluations take from below a microsecond to the quarter of a second that their limit of cost is about.
	evaluationBuckets = prometheus.ExponentialBuckets(0.000001, 4, 10)
	// The limit of one expression, and of one template, is a million.
	costBuckets    = prometheus.ExponentialBuckets(1, 4, 11)
	latencyBuckets = []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300}
	// A pass without a write takes microseconds, one with writes as long as the API server.
	reconcileBuckets = prometheus.ExponentialBuckets(0.0001, 4, 9)
	// A small policy takes milliseconds, one whose schema has to be fetched first a second.
	webhookBuckets = prometheus.ExponentialBuckets(0.001, 2.5, 11)
)

var catalogue = slices.Concat(policyMetrics, fleetMetrics, processMetrics, admissionMetrics)

var policyMetrics = []Metric{
	{
		Name: policyReady, Type: Gauge, Labels: []Label{policyLabel}, Series: Series{Policies: 1}, stateful: true,
		Help: "1 when the condition Ready of a policy is True, else 0.",
	},
	{
		Name: policyCondition, Type: Gauge, Series: Series{Policies: 12}, stateful: true,
		Labels: []Label{policyLabel, {"type", conditionTypes}, {"status", []string{"True", "False", "Unknown"}}},
		Help:   "1 for the status that a condition of a policy has, 0 for the others.",
	},
	{
		Name: compilations, Type: Counter, Labels: []Label{policyLabel, {"result", []string{resultSuccess, resultFailure}}},
		Series: Series{Policies: 2}, Help: "Compilations of a policy; failure is a policy that is refused.",
	},
	{
		Name: compilationDuration, Type: Histogram, Buckets: compilationBuckets, Series: histogramSeries(compilationBuckets, 3),
		Labels: []Label{{"dialect", texts(policy.DialectCEL, policy.DialectTemplate, policy.DialectHybrid)}},
		Help:   "Duration of compilations by what the policy is written in: CEL, Go templates or both.",
	},
	{
		Name: evaluations, Type: Counter, Series: Series{Policies: evaluationSeries()},
		Labels: []Label{policyLabel, stageLabel, {"result", texts(results[:]...)}},
		Help:   "Evaluations of a policy by stage and result. Conditions are true or false; pending waits for a reference.",
	},
	{
		Name: evaluationDuration, Type: Histogram, Buckets: evaluationBuckets, Series: histogramSeries(evaluationBuckets, len(stages)),
		Labels: []Label{stageLabel},
		Help:   "Duration of evaluations: of the first 1000 of a policy and of a random one in 32 of the others.",
	},
	{
		Name: evaluationCost, Type: Histogram, Buckets: costBuckets, Series: histogramSeries(costBuckets, len(stages)), Labels: []Label{stageLabel},
		Help: "Cost of the evaluations whose duration is measured, in the unit of the limit, which is 1000000 for one expression.",
	},
	{
		Name: policyErrors, Type: Counter, Series: Series{Policies: len(stageLabel.Values) * len(errorReasons)},
		Labels: []Label{policyLabel, stageLabel, {"reason", errorReasons}},
		Help:   "Evaluations that failed, by why. A series begins with its first failure.",
	},
	{
		Name: cacheEntries, Type: Gauge, Series: Series{Fixed: 1}, stateful: true,
		Help: "Policies that are kept compiled.",
	},
	{
		Name: cacheHits, Type: Counter, Series: Series{Fixed: 1},
		Help: "Passes over a policy that needed no compilation.",
	},
	{
		Name: cacheMisses, Type: Counter, Series: Series{Fixed: 1},
		Help: "Passes over a policy that needed one.",
	},
}

var fleetMetrics = []Metric{
	{
		Name: sources, Type: Gauge, Labels: []Label{policyLabel, {"state", sourceStates}}, Series: Series{Policies: 3}, stateful: true,
		Help: "Sources that a policy selects, by what became of them.",
	},
	{
		Name: lifecycles, Type: Gauge, Labels: []Label{policyLabel, {"ready", []string{"true", "false", "unknown"}}},
		Series: Series{Policies: 3}, stateful: true,
		Help: "Lifecycles of a policy by their condition Ready. One that is not ready may have a PediaCluster that it keeps as it is.",
	},
	{
		Name: importedClusters, Type: Gauge, Labels: []Label{policyLabel}, Series: Series{Policies: 1}, stateful: true,
		Help: "PediaClusters that exist because of a policy.",
	},
	{
		Name: longestWait, Type: Gauge, Labels: []Label{policyLabel}, Series: Series{Policies: 1}, stateful: true,
		Help: "How long the source of a policy that waits longest has been waiting for its import; 0 when none waits.",
	},
	{
		Name: credentialsEnd, Type: Gauge, Labels: []Label{policyLabel}, Series: Series{Policies: 1}, stateful: true,
		Help: "When the first credentials of a policy's imported clusters end, in seconds since 1970; absent when that is not known of any.",
	},
	{
		Name: removalsHeld, Type: Gauge, Labels: []Label{policyLabel}, Series: Series{Policies: 1}, stateful: true,
		Help: "Imported clusters of a policy that are due for removal and stay, because maxDeletions allows no more.",
	},
	{
		Name: operations, Type: Counter, Series: Series{Policies: operationSeries()},
		Labels: []Label{
			policyLabel,
			{"operation", texts(controller.OperationCreate, controller.OperationUpdate, controller.OperationDelete)},
			{"result", []string{resultSuccess, resultError, resultConflict}},
		},
		Help: "Writes of PediaClusters. Deletions are those of lifecycles, which take their PediaCluster with them; " +
			"a conflict is a name that somebody else holds.",
	},
	{
		Name: importLatency, Type: Histogram, Buckets: latencyBuckets, Series: histogramSeries(latencyBuckets, 1),
		Help: "From the event that made it possible to the PediaCluster that was created or updated.",
	},
	{
		Name: watchUp, Type: Gauge, Labels: kindLabels, Series: Series{Kinds: 1}, stateful: true,
		Help: "1 when the kind is listed and its watch works, else 0.",
	},
	{
		Name: informerObjects, Type: Gauge, Labels: kindLabels, Series: Series{Kinds: 1}, stateful: true,
		Help: "Objects of the kind in the cache.",
	},
}

var processMetrics = []Metric{
	{
		Name: buildInfo, Type: Gauge, Labels: []Label{{Name: "version"}, {Name: "revision"}, {Name: "goversion"}}, Series: Series{Fixed: 1},
		Help: "Always 1; the labels say what runs.",
	},
	{
		Name: reconciles, Type: Counter, Labels: []Label{loopLabel, {"result", []string{resultSuccess, resultError}}}, Series: Series{Fixed: 6},
		Help: "Passes of the controllers.",
	},
	{
		Name: reconcileDuration, Type: Histogram, Buckets: reconcileBuckets, Series: histogramSeries(reconcileBuckets, 3),
		Labels: []Label{loopLabel}, Help: "Duration of the passes of the controllers.",
	},
}

var admissionMetrics = []Metric{
	{
		Name: webhookRequests, Type: Counter, Labels: append(slices.Clone(webhookWhat), Label{"allowed", []string{"true", "false"}}),
		Series: Series{Fixed: 12}, Help: "Questions of the API server by what they were about and what was answered.",
	},
	{
		Name: webhookDuration, Type: Histogram, Buckets: webhookBuckets, Series: histogramSeries(webhookBuckets, 6), Labels: webhookWhat,
		Help: "Duration of the answers to the API server's questions.",
	},
	{
		Name: webhookCertificate, Type: Gauge, Labels: []Label{{"kind", []string{"ca", "serving"}}}, Series: Series{Fixed: 2},
		Help: "Until when a certificate of the webhook is valid, in seconds since 1970: of its authority (ca) and of the one that is served (serving).",
	},
	{
		Name: webhookInjected, Type: Gauge, Series: Series{Fixed: 1}, stateful: true,
		Help: "1 when the API server trusts the webhook's certificate, else 0.",
	},
	{
		Name: schemaMismatch, Type: Gauge, Labels: []Label{{Name: "crd"}}, Series: Series{Fixed: 4},
		Help: "1 when a CustomResourceDefinition of the cluster lacks what this release uses, else 0.",
	},
}
