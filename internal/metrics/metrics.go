// Package metrics holds every metric of the controller, in a registry of its own: what they are called and mean
// (catalogue.go, from which docs/metrics.md is written), and how they come by their values. It measures and decides
// nothing.
//
// No label holds the name of an object other than a policy, the name of a cluster or the text of an error: the number
// of series follows from the number of policies and of kinds, and never from that of clusters.
package metrics

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/component-base/version"

	"github.com/clusterimport/clusterimport/internal/controller"
)

// Registry is the controller's metrics. It implements controller.Observer.
type Registry struct {
	own      *prometheus.Registry
	gatherer prometheus.Gatherer

	counters   map[string]*prometheus.CounterVec
	gauges     map[string]*prometheus.GaugeVec
	histograms map[string]*prometheus.HistogramVec

	evaluationDuration, evaluationCost stageHistograms

	mu sync.RWMutex
	// policies are those that exist: nobody else gets series.
	policies map[string]*policySeries
}

// NewRegistry returns the metrics, those that are not about a policy at zero.
func NewRegistry() *Registry {
	r := &Registry{
		own:        prometheus.NewRegistry(),
		counters:   map[string]*prometheus.CounterVec{},
		gauges:     map[string]*prometheus.GaugeVec{},
		histograms: map[string]*prometheus.HistogramVec{},
		policies:   map[string]*policySeries{},
	}
	for _, m := range catalogue {
		if m.stateful {
			continue
		}
		r.register(m)
	}
	r.own.MustRegister(
		collectors.NewGoCollector(collectors.WithGoCollectorMemStatsMetricsDisabled()),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	r.gatherer = prometheus.Gatherers{r.own, kubernetes()}
	r.evaluationDuration = stagesOf(r.histograms[evaluationDuration])
	r.evaluationCost = stagesOf(r.histograms[evaluationCost])
	info := version.Get()
	r.gauges[buildInfo].WithLabelValues(info.GitVersion, info.GitCommit, info.GoVersion).Set(1)
	r.zero(reconciles, reconcileDuration, compilationDuration, importLatency, cacheHits, cacheMisses)
	return r
}

// register makes a metric of the catalogue.
func (r *Registry) register(m Metric) {
	names := m.labelNames()
	switch m.Type {
	case Counter:
		r.counters[m.Name] = prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.Name, Help: m.Help}, names)
		r.own.MustRegister(r.counters[m.Name])
	case Gauge:
		r.gauges[m.Name] = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: m.Name, Help: m.Help}, names)
		r.own.MustRegister(r.gauges[m.Name])
	case Histogram:
		r.histograms[m.Name] = prometheus.NewHistogramVec(
			prometheus.HistogramOpts{Name: m.Name, Help: m.Help, Buckets: m.Buckets}, names)
		r.own.MustRegister(r.histograms[m.Name])
	}
}

// zero makes the series of metrics whose labels have few values, so that the first increase is seen as one.
func (r *Registry) zero(names ...string) {
	for _, name := range names {
		m, _ := Find(name)
		for _, values := range m.combinations() {
			switch m.Type {
			case Counter:
				r.counters[name].WithLabelValues(values...)
			case Gauge:
				r.gauges[name].WithLabelValues(values...)
			case Histogram:
				r.histograms[name].WithLabelValues(values...)
			}
		}
	}
}

// Handler serves the metrics.
func (r *Registry) Handler() http.Handler {
	return promhttp.InstrumentMetricHandler(r.own, promhttp.HandlerFor(r.gatherer, promhttp.HandlerOpts{Registry: r.own}))
}

// Gatherer gives the metrics as they are served.
func (r *Registry) Gatherer() prometheus.Gatherer { return r.gatherer }

// Passed implements controller.Observer.
func (r *Registry) Passed(loop string, took time.Duration, err error) {
	result := resultSuccess
	if err != nil {
		result = resultError
	}
	r.counters[reconciles].WithLabelValues(loop, result).Inc()
	r.histograms[reconcileDuration].WithLabelValues(loop).Observe(took.Seconds())
}

// Imported implements controller.Observer.
func (r *Registry) Imported(took time.Duration) {
	r.histograms[importLatency].WithLabelValues().Observe(took.Seconds())
}

// WebhookTrusted adds the metrics of the admission webhook; ready says why the API server does not trust its certificate.
func (r *Registry) WebhookTrusted(ready func() error) {
	r.zero(webhookRequests, webhookDuration)
	m, _ := Find(webhookInjected)
	r.own.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: m.Name, Help: m.Help}, func() float64 {
		return number(ready() == nil)
	}))
}

// ObserveWebhook counts an answer of the webhook.
func (r *Registry) ObserveWebhook(resource, operation string, allowed bool, took time.Duration) {
	r.counters[webhookRequests].WithLabelValues(resource, operation, strconv.FormatBool(allowed)).Inc()
	r.histograms[webhookDuration].WithLabelValues(resource, operation).Observe(took.Seconds())
}

// CertificateExpires says until when the webhook's certificate of a kind, ca or serving, is valid.
func (r *Registry) CertificateExpires(kind string, at time.Time) {
	r.gauges[webhookCertificate].WithLabelValues(kind).Set(float64(at.Unix()))
}

// DefinitionCompared says whether a CustomResourceDefinition of the cluster has all that this release uses.
func (r *Registry) DefinitionCompared(name string, matches bool) {
	r.gauges[schemaMismatch].WithLabelValues(name).Set(number(!matches))
}

func number(truth bool) float64 {
	if truth {
		return 1
	}
	return 0
}

var _ controller.Observer = (*Registry)(nil)
