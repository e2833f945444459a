package metrics

import (
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterimport/clusterimport/internal/controller"
	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

const resultConflict = "conflict"

// possible are the results that a stage can have: those have series, at zero from the beginning.
var possible = map[policy.Stage][]policy.Result{
	policy.StageSelect:    {policy.ResultTrue, policy.ResultFalse, policy.ResultError, policy.ResultCostExceeded},
	policy.StageName:      {policy.ResultSuccess, policy.ResultError, policy.ResultCostExceeded},
	policy.StageReference: {policy.ResultSuccess, policy.ResultPending, policy.ResultError, policy.ResultCostExceeded},
	policy.StageObsolete: {
		policy.ResultTrue, policy.ResultFalse, policy.ResultPending, policy.ResultError, policy.ResultCostExceeded,
	},
	policy.StageReady: {
		policy.ResultTrue, policy.ResultFalse, policy.ResultPending, policy.ResultError, policy.ResultCostExceeded,
	},
	policy.StageRender: {policy.ResultSuccess, policy.ResultPending, policy.ResultError, policy.ResultCostExceeded},
}

func evaluationSeries() int {
	n := 0
	for _, results := range possible {
		n += len(results)
	}
	return n
}

// possibleOperations are the results of the operations.
var possibleOperations = map[controller.Operation][]string{
	controller.OperationCreate: {resultSuccess, resultError, resultConflict},
	controller.OperationUpdate: {resultSuccess, resultError},
	controller.OperationDelete: {resultSuccess, resultError},
}

func operationSeries() int {
	n := 0
	for _, results := range possibleOperations {
		n += len(results)
	}
	return n
}

// Why evaluations fail.
const (
	reasonInvalid = "invalid"
	reasonOther   = "other"
)

// errorReasons are the values of the label reason.
var errorReasons = []string{"no_such_key", "wrong_type", "arithmetic", "function", "too_expensive", reasonInvalid, reasonOther}

var reasonOfCode = map[diag.Code]string{
	expr.CodeNoSuchKey: "no_such_key", expr.CodeWrongType: "wrong_type", expr.CodeArithmetic: "arithmetic",
	expr.CodeFunction: "function", expr.CodeTooExpensive: "too_expensive",
}

// reasonOf classes an error. Its text goes nowhere.
func reasonOf(err error) string {
	if errors.As(err, new(*policy.InvalidError)) {
		return reasonInvalid
	}
	if failed, ok := errors.AsType[*expr.Error](err); ok {
		if reason, known := reasonOfCode[failed.Code()]; known {
			return reason
		}
	}
	return reasonOther
}

// policySeries are the series of one policy that evaluations count in, found once. It implements policy.Observer.
type policySeries struct {
	registry    *Registry
	name        string
	evaluations [len(stages)][len(results)]prometheus.Counter // nil where a stage has no such result
	// measured is how many evaluations were, up to alwaysMeasured.
	measured atomic.Int64
}

// Reading the clock takes as long as many an evaluation. The first evaluations of a policy are all measured, so that a
// small fleet has numbers too; after them a random one of measureEvery.
const (
	alwaysMeasured = 1000
	measureEvery   = 32
)

// of returns the series of a policy, which has all of them from then on.
func (r *Registry) of(name string) *policySeries {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.policies[name]; ok {
		return s
	}
	s := &policySeries{registry: r, name: name}
	for stage, results := range possible {
		for _, result := range results {
			s.evaluations[stageIndex(stage)][resultIndex(result)] =
				r.counters[evaluations].WithLabelValues(name, string(stage), string(result))
		}
	}
	for operation, results := range possibleOperations {
		for _, result := range results {
			r.counters[operations].WithLabelValues(name, string(operation), result)
		}
	}
	for _, result := range []string{resultSuccess, resultFailure} {
		r.counters[compilations].WithLabelValues(name, result)
	}
	r.policies[name] = s
	return s
}

// Evaluations implements controller.Observer.
func (r *Registry) Evaluations(name string) policy.Observer { return r.of(name) }

// Compiled implements controller.Observer.
func (r *Registry) Compiled(name string, dialect policy.Dialect, took time.Duration, ok bool) {
	r.of(name)
	result := resultSuccess
	if !ok {
		result = resultFailure
	}
	r.counters[cacheMisses].WithLabelValues().Inc()
	r.counters[compilations].WithLabelValues(name, result).Inc()
	r.histograms[compilationDuration].WithLabelValues(string(dialect)).Observe(took.Seconds())
}

// Reused implements controller.Observer.
func (r *Registry) Reused() { r.counters[cacheHits].WithLabelValues().Inc() }

// Operated implements controller.Observer. A policy that is gone gets no series again.
func (r *Registry) Operated(name string, operation controller.Operation, err error) {
	result := resultSuccess
	switch {
	case errors.Is(err, controller.ErrConflict):
		result = resultConflict
	case err != nil:
		result = resultError
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.policies[name] != nil {
		r.counters[operations].WithLabelValues(name, string(operation), result).Inc()
	}
}

// Forgotten implements controller.Observer. Who still evaluates the policy counts in series that nobody sees.
func (r *Registry) Forgotten(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.policies[name] == nil {
		return
	}
	delete(r.policies, name)
	for _, m := range catalogue {
		if m.stateful || m.Series.Policies == 0 {
			continue
		}
		// The policy is the first label of each.
		rest := Metric{Labels: m.Labels[1:]}
		for _, values := range rest.combinations() {
			r.counters[m.Name].DeleteLabelValues(append([]string{name}, values...)...)
		}
	}
}

// stages and results are those that there are. Evaluations find their series by the index: a map costs as much as a
// short evaluation.
var (
	stages = [...]policy.Stage{
		policy.StageSelect, policy.StageName, policy.StageReference, policy.StageObsolete, policy.StageReady, policy.StageRender,
	}
	results = [...]policy.Result{
		policy.ResultTrue, policy.ResultFalse, policy.ResultSuccess, policy.ResultPending, policy.ResultError, policy.ResultCostExceeded,
	}
)

func stageIndex(stage policy.Stage) int {
	for i := range stages {
		if stages[i] == stage {
			return i
		}
	}
	return 0 // there are no others: a test evaluates all
}

func resultIndex(result policy.Result) int {
	for i := range results {
		if results[i] == result {
			return i
		}
	}
	return 0 // as above
}

// stageHistograms are the histograms of the stages.
type stageHistograms [len(stages)]prometheus.Observer

func stagesOf(vec *prometheus.HistogramVec) stageHistograms {
	var s stageHistograms
	for i, stage := range stages {
		s[i] = vec.WithLabelValues(string(stage))
	}
	return s
}

// started is what marks are counted from.
var started = time.Now()

const notMeasured = -1

// Begin implements policy.Observer.
func (s *policySeries) Begin(policy.Stage) int64 {
	if s.measured.Load() >= alwaysMeasured && rand.Uint32N(measureEvery) != 0 { //nolint:gosec // a sample, no secret
		return notMeasured
	}
	return int64(time.Since(started))
}

// End implements policy.Observer.
func (s *policySeries) End(e policy.Evaluation) {
	stage := stageIndex(e.Stage)
	if counter := s.evaluations[stage][resultIndex(e.Result)]; counter != nil {
		counter.Inc()
	}
	if e.Result == policy.ResultError || e.Result == policy.ResultCostExceeded {
		s.failed(e)
	}
	if e.Mark == notMeasured {
		return
	}
	if s.measured.Load() < alwaysMeasured {
		s.measured.Add(1)
	}
	s.registry.evaluationDuration[stage].Observe((time.Since(started) - time.Duration(e.Mark)).Seconds())
	s.registry.evaluationCost[stage].Observe(float64(e.Cost))
}

func (s *policySeries) failed(e policy.Evaluation) {
	s.registry.mu.RLock()
	defer s.registry.mu.RUnlock()
	if s.registry.policies[s.name] == s {
		s.registry.counters[policyErrors].WithLabelValues(s.name, string(e.Stage), reasonOf(e.Err)).Inc()
	}
}
