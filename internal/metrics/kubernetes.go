package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"k8s.io/component-base/metrics/legacyregistry"
	_ "k8s.io/component-base/metrics/prometheus/clientgo/leaderelection" // leader_election_*
	_ "k8s.io/component-base/metrics/prometheus/restclient"              // rest_client_*
	_ "k8s.io/component-base/metrics/prometheus/workqueue"               // workqueue_*
)

// Stock are the metrics of Kubernetes' libraries that are served, with their labels. The libraries have more: sizes of
// requests, exec plugins, and the whole set of the Go runtime a second time.
var Stock = []Metric{
	{Name: "leader_election_master_status", Type: Gauge, Labels: []Label{{Name: "name"}}},
	{Name: "rest_client_rate_limiter_duration_seconds", Type: Histogram, Labels: []Label{{Name: "verb"}, {Name: "host"}}},
	{Name: "rest_client_request_duration_seconds", Type: Histogram, Labels: []Label{{Name: "verb"}, {Name: "host"}}},
	{Name: "rest_client_request_retries_total", Type: Counter, Labels: []Label{{Name: "code"}, {Name: "verb"}, {Name: "host"}}},
	{Name: "rest_client_requests_total", Type: Counter, Labels: []Label{{Name: "code"}, {Name: "method"}, {Name: "host"}}},
	{Name: "workqueue_adds_total", Type: Counter, Labels: []Label{{Name: "name"}}},
	{Name: "workqueue_depth", Type: Gauge, Labels: []Label{{Name: "name"}}},
	{Name: "workqueue_longest_running_processor_seconds", Type: Gauge, Labels: []Label{{Name: "name"}}},
	{Name: "workqueue_queue_duration_seconds", Type: Histogram, Labels: []Label{{Name: "name"}}},
	{Name: "workqueue_retries_total", Type: Counter, Labels: []Label{{Name: "name"}}},
	{Name: "workqueue_unfinished_work_seconds", Type: Gauge, Labels: []Label{{Name: "name"}}},
	{Name: "workqueue_work_duration_seconds", Type: Histogram, Labels: []Label{{Name: "name"}}},
}

// kubernetes gathers the stock metrics. They live in a registry of the process, as the libraries want it.
func kubernetes() prometheus.Gatherer {
	return prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		all, err := legacyregistry.DefaultGatherer.Gather()
		return slices.DeleteFunc(all, func(f *dto.MetricFamily) bool {
			return !slices.ContainsFunc(Stock, func(m Metric) bool { return m.Name == f.GetName() })
		}), err
	})
}
