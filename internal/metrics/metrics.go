// Package metrics holds every metric of the controller, in a registry of its own.
package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/component-base/version"
)

// Registry is the controller's metrics.
type Registry struct {
	registry   *prometheus.Registry
	reconciles *prometheus.CounterVec
	durations  *prometheus.HistogramVec
	admission  *admission
}

// NewRegistry returns the metrics, all at zero.
func NewRegistry() *Registry {
	r := &Registry{
		registry: prometheus.NewRegistry(),
		reconciles: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "clusterimport_reconcile_total", Help: "Passes of the controllers by result (success, error).",
		}, []string{"controller", "result"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "clusterimport_reconcile_duration_seconds", Help: "Duration of the passes of the controllers.",
			// A pass without a write takes microseconds, one with writes as long as the API server.
			Buckets: prometheus.ExponentialBuckets(0.0001, 4, 9),
		}, []string{"controller"}),
	}
	info := version.Get()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "clusterimport_build_info", Help: "Always 1; the labels say what runs.",
		ConstLabels: prometheus.Labels{"version": info.GitVersion, "revision": info.GitCommit, "goversion": info.GoVersion},
	})
	build.Set(1)
	r.registry.MustRegister(r.reconciles, r.durations, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	r.admission = newAdmission(r.registry)
	return r
}

// Observe counts a pass of a controller.
func (r *Registry) Observe(controller string, took time.Duration, err error) {
	result := "success"
	if err != nil {
		result = "error"
	}
	r.reconciles.WithLabelValues(controller, result).Inc()
	r.durations.WithLabelValues(controller).Observe(took.Seconds())
}

// Handler serves the metrics.
func (r *Registry) Handler() http.Handler {
	return promhttp.HandlerFor(r.registry, promhttp.HandlerOpts{Registry: r.registry})
}
