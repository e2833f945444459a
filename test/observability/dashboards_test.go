package observability

import (
	"strings"
	"testing"

	"github.com/clusterimport/clusterimport/internal/dashboards"
)

// filled is a query as Grafana sends it: with values for the variables.
func filled(expr, interval string) string {
	return strings.NewReplacer(
		"$__rate_interval", interval, "$job", ".*", "$namespace", ".*", "$policy", ".*",
	).Replace(expr)
}

// TestDashboards holds the dashboards to what dashboard-linter and Grafana's provisioning ask for, and their queries to
// the metrics.
func TestDashboards(t *testing.T) {
	all := known(t)
	uids := map[string]bool{}
	for file, d := range dashboards.All() {
		t.Run(file, func(t *testing.T) {
			if d.UID == "" || uids[d.UID] || d.Title == "" || d.Description == "" {
				t.Errorf("uid %q, title %q, description %q", d.UID, d.Title, d.Description)
			}
			uids[d.UID] = true
			if d.Editable {
				t.Error("an installed dashboard is not edited")
			}
			checkVariables(t, d)
			for _, a := range d.Annotations.List {
				for _, fault := range checkQuery(filled(a.Expr, "5m"), all) {
					t.Errorf("annotation %s: %s", a.Name, fault)
				}
			}
			ids, titles := map[int]bool{}, map[string]bool{}
			for _, p := range d.Panels {
				if ids[p.ID] {
					t.Errorf("%s: another panel has the id %d", p.Title, p.ID)
				}
				ids[p.ID] = true
				if p.Type == "row" {
					titles = map[string]bool{}
					continue
				}
				if titles[p.Title] {
					t.Errorf("%s: another panel of the row is called so", p.Title)
				}
				titles[p.Title] = true
				checkPanel(t, p, all)
			}
		})
	}
}

func checkVariables(t *testing.T, d dashboards.Dashboard) {
	t.Helper()
	variables := map[string]dashboards.Variable{}
	for _, v := range d.Templating.List {
		variables[v.Name] = v
		if v.Type != "query" {
			continue
		}
		// They must be asked for again with the time range, or a policy that came later is not offered.
		if v.Refresh != 2 || v.Datasource == nil || v.Datasource.UID != "$datasource" || v.AllValue != ".*" || !v.IncludeAll {
			t.Errorf("variable %s is not refreshed, of another data source or without all", v.Name)
		}
	}
	if v := variables["datasource"]; v.Type != "datasource" || v.Label != "Data source" || v.Query != "prometheus" {
		t.Errorf("the data source cannot be chosen: %+v", v)
	}
	for _, name := range []string{"job", "namespace"} {
		if variables[name].Type != "query" {
			t.Errorf("there is no variable %s", name)
		}
	}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			for word := range strings.FieldsFuncSeq(target.Expr, func(r rune) bool { return r != '$' && r != '_' && (r < 'a' || r > 'z') }) {
				name, isVariable := strings.CutPrefix(word, "$")
				if _, exists := variables[name]; isVariable && !exists && name != "__rate_interval" {
					t.Errorf("%s uses $%s, which is no variable", p.Title, name)
				}
			}
		}
	}
}

func checkPanel(t *testing.T, p dashboards.Panel, all map[string][]string) {
	t.Helper()
	if p.Title == "" || p.Description == "" || len(p.Targets) == 0 {
		t.Errorf("%s: without title, description or query", p.Title)
	}
	if p.Datasource == nil || p.Datasource.UID != "$datasource" {
		t.Errorf("%s does not ask the chosen data source", p.Title)
	}
	if p.FieldConfig == nil || p.FieldConfig.Defaults.Unit == "" || len(p.FieldConfig.Defaults.Thresholds.Steps) == 0 {
		t.Errorf("%s has no unit or thresholds", p.Title)
	}
	if p.GridPos.X+p.GridPos.W > 24 {
		t.Errorf("%s is wider than the grid", p.Title)
	}
	for _, target := range p.Targets {
		for _, fault := range checkQuery(filled(target.Expr, "5m"), all) {
			t.Errorf("%s: %s", p.Title, fault)
		}
		if target.Datasource.UID != "$datasource" || target.LegendFormat == "" {
			t.Errorf("%s: a query of another data source or without a legend", p.Title)
		}
		if !strings.Contains(target.Expr, `job=~"$job"`) || !strings.Contains(target.Expr, `namespace=~"$namespace"`) {
			t.Errorf("%s: a query of every job", p.Title)
		}
		if strings.Contains(target.Expr, "[") && strings.Count(target.Expr, "[") != strings.Count(target.Expr, "[$__rate_interval]") {
			t.Errorf("%s: a range that does not fit the scrape interval", p.Title)
		}
	}
}
