package chart_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// TestTemplateObservability: dashboards and alerts are installed as their files have them, by whichever way Grafana and
// Prometheus find them, and only when they are asked for.
func TestTemplateObservability(t *testing.T) {
	for key := range objects(t, render(t, "HELM4_BIN")) {
		if key == "PrometheusRule clusterimport" || key == "ConfigMap clusterimport-dashboard-overview" {
			t.Errorf("%s is installed without being asked for", key)
		}
	}
	for name, variable := range helms {
		t.Run(name, func(t *testing.T) {
			found := objects(t, render(t, variable, "--set",
				"dashboards.enabled=true,dashboards.grafanaOperator.enabled=true,dashboards.namespace=grafana,dashboards.label=shown,"+
					"metrics.prometheusRule.enabled=true,metrics.prometheusRule.additionalLabels.release=prometheus"))
			files, err := filepath.Glob(chartDir + "/dashboards/*.json")
			if err != nil || len(files) == 0 {
				t.Fatalf("there are no dashboards: %v", err)
			}
			for _, file := range files {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				name := filepath.Base(file[:len(file)-len(".json")])
				config := found["ConfigMap clusterimport-dashboard-"+name+" in grafana"]
				if config == nil || config.GetLabels()["shown"] != "1" || config.GetAnnotations()["grafana_folder"] != "clusterimport" {
					t.Fatalf("the sidecar does not find %s", name)
				}
				if diff := cmp.Diff(string(text), nested(t, config, "data", "clusterimport-"+name+".json")); diff != "" {
					t.Errorf("%s (-file +ConfigMap)\n%s", name, diff)
				}
				operated := found["GrafanaDashboard clusterimport-"+name+" in grafana"]
				if diff := cmp.Diff(string(text), nested(t, operated, "spec", "json")); diff != "" {
					t.Errorf("%s (-file +GrafanaDashboard)\n%s", name, diff)
				}
			}
			rule := found["PrometheusRule clusterimport"]
			if rule == nil || rule.GetLabels()["release"] != "prometheus" {
				t.Fatal("the operator does not find the alerts")
			}
			text, err := os.ReadFile(chartDir + "/alerts/clusterimport.yaml")
			if err != nil {
				t.Fatal(err)
			}
			var want any
			if err := yaml.Unmarshal(text, &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, nested(t, rule, "spec")); diff != "" {
				t.Errorf("alerts (-file +PrometheusRule)\n%s", diff)
			}
		})
	}
}
