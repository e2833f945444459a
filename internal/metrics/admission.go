package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// admission are the metrics of the webhook and of the definitions.
type admission struct {
	requests    *prometheus.CounterVec
	durations   *prometheus.HistogramVec
	expirations *prometheus.GaugeVec
	mismatches  *prometheus.GaugeVec
}

func newAdmission(registry prometheus.Registerer) *admission {
	a := &admission{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "clusterimport_webhook_requests_total", Help: "Questions of the API server by what they were about and what was answered.",
		}, []string{"resource", "operation", "allowed"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "clusterimport_webhook_request_duration_seconds", Help: "Duration of the answers to the API server's questions.",
			// A small policy takes milliseconds, one whose schema has to be fetched first a second.
			Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 10),
		}, []string{"resource", "operation"}),
		expirations: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "clusterimport_webhook_certificate_expiration_timestamp_seconds",
			Help: "Until when a certificate of the webhook is valid, in seconds since 1970: of its authority (ca) and of the one that is served (serving).",
		}, []string{"kind"}),
		mismatches: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "clusterimport_crd_schema_mismatch", Help: "1 when a CustomResourceDefinition of the cluster lacks what this release uses, else 0.",
		}, []string{"crd"}),
	}
	registry.MustRegister(a.requests, a.durations, a.expirations, a.mismatches)
	return a
}

// ObserveWebhook counts an answer of the webhook. Resource and operation are of few values.
func (r *Registry) ObserveWebhook(resource, operation string, allowed bool, took time.Duration) {
	r.admission.requests.WithLabelValues(resource, operation, strconv.FormatBool(allowed)).Inc()
	r.admission.durations.WithLabelValues(resource, operation).Observe(took.Seconds())
}

// CertificateExpires says until when the webhook's certificate of a kind, ca or serving, is valid.
func (r *Registry) CertificateExpires(kind string, at time.Time) {
	r.admission.expirations.WithLabelValues(kind).Set(float64(at.Unix()))
}

// WebhookTrusted adds the metric that asks ready whether the API server can call the webhook.
func (r *Registry) WebhookTrusted(ready func() error) {
	r.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "clusterimport_webhook_ca_injected", Help: "1 when the API server trusts the webhook's certificate, else 0.",
	}, func() float64 {
		if ready() == nil {
			return 1
		}
		return 0
	}))
}

// DefinitionCompared says whether a CustomResourceDefinition of the cluster has all that this release uses.
func (r *Registry) DefinitionCompared(name string, matches bool) {
	value := 1.0
	if matches {
		value = 0
	}
	r.admission.mismatches.WithLabelValues(name).Set(value)
}
