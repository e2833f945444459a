// Package observability tests what users see of the controller through Prometheus: the queries of the dashboards and alerts
// against the metrics that exist, with Prometheus' own parser, and, with a control plane, against a real Prometheus that
// scrapes the real controller.
//
// It is a module of its own: the product does not depend on Prometheus.
package observability
