package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/controller"
)

// The states of sources.
const (
	stateImported = "imported"
	stateWaiting  = "waiting"
	stateFailed   = "failed"
)

// Follow adds the metrics that are read from the controller when they are asked for. A policy or a kind that is gone has
// no series the next time; a replica that stands by has none.
func (r *Registry) Follow(state func() controller.State) {
	c := stateCollector{state: state, descriptions: map[string]*prometheus.Desc{}}
	for _, m := range catalogue {
		if m.stateful && m.Name != webhookInjected {
			c.descriptions[m.Name] = prometheus.NewDesc(m.Name, m.Help, m.labelNames(), nil)
		}
	}
	r.own.MustRegister(c)
}

// stateCollector is a prometheus.Collector.
type stateCollector struct {
	state        func() controller.State
	descriptions map[string]*prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c stateCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.descriptions {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c stateCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(name string, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(c.descriptions[name], prometheus.GaugeValue, value, labels...)
	}
	state := c.state()
	gauge(cacheEntries, float64(state.Compiled))
	for _, p := range state.Policies {
		collectPolicy(gauge, p)
	}
	for _, k := range state.Kinds {
		labels := []string{k.Resource.Group, k.Resource.Version, k.Resource.Resource}
		gauge(watchUp, number(k.Up), labels...)
		gauge(informerObjects, float64(k.Objects), labels...)
	}
}

func collectPolicy(gauge func(name string, value float64, labels ...string), p controller.PolicyState) {
	gauge(policyReady, number(meta.IsStatusConditionTrue(p.Conditions, v1alpha1.ConditionReady)), p.Name)
	for _, conditionType := range conditionTypes {
		is := metav1.ConditionUnknown
		if condition := meta.FindStatusCondition(p.Conditions, conditionType); condition != nil {
			is = condition.Status
		}
		for _, status := range []metav1.ConditionStatus{metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionUnknown} {
			gauge(policyCondition, number(status == is), p.Name, conditionType, string(status))
		}
	}
	gauge(sources, float64(p.Sources.Imported), p.Name, stateImported)
	gauge(sources, float64(p.Sources.Waiting), p.Name, stateWaiting)
	gauge(sources, float64(p.Sources.Failed), p.Name, stateFailed)
	gauge(lifecycles, float64(p.Ready), p.Name, "true")
	gauge(lifecycles, float64(p.NotReady), p.Name, "false")
	gauge(lifecycles, float64(p.Unknown), p.Name, "unknown")
	gauge(importedClusters, float64(p.Sources.Imported), p.Name)
	gauge(longestWait, p.LongestWait.Seconds(), p.Name)
	gauge(removalsHeld, float64(p.Held), p.Name)
	if !p.Expires.IsZero() {
		gauge(credentialsEnd, float64(p.Expires.Unix()), p.Name)
	}
}
