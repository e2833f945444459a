package observability

import (
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/clusterimport/clusterimport/internal/dashboards"
)

const (
	rulesFile = root + "/charts/clusterimport/alerts/clusterimport.yaml"
	runbooks  = "https://github.com/clusterimport/clusterimport/blob/main/"
)

// alerts are the rules of the chart.
func alerts(t *testing.T) []rulefmt.Rule {
	t.Helper()
	groups, errs := rulefmt.ParseFile(rulesFile, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var rules []rulefmt.Rule
	for _, g := range groups.Groups {
		rules = append(rules, g.Rules...)
	}
	return rules
}

var camelCase = regexp.MustCompile(`^Clusterimport([A-Z]+[a-z]*)+$`)

// TestAlerts holds every alert to the metrics, to a page that says what to do, and to a test of promtool's.
func TestAlerts(t *testing.T) {
	all := known(t)
	tests, err := os.ReadFile("testdata/alerts_test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rules := alerts(t)
	if len(rules) < 12 {
		t.Errorf("%d alerts", len(rules))
	}
	pages := map[string]bool{}
	for _, r := range rules {
		for _, fault := range checkQuery(r.Expr, all) {
			t.Errorf("%s: %s", r.Alert, fault)
		}
		if !camelCase.MatchString(r.Alert) || !slices.Contains([]string{"critical", "warning", "info"}, r.Labels["severity"]) || r.For == 0 {
			t.Errorf("%s: severity %q, for %v", r.Alert, r.Labels["severity"], r.For)
		}
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s says too little", r.Alert)
		}
		page := "docs/runbooks/" + r.Alert + ".md"
		if r.Annotations["runbook_url"] != runbooks+page {
			t.Errorf("%s leads to %s", r.Alert, r.Annotations["runbook_url"])
		}
		text, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Error(err)
		}
		for _, part := range []string{"# " + r.Alert + "\n", "\n## Look at\n", "\n## What to do\n"} {
			if !strings.Contains(string(text), part) {
				t.Errorf("%s lacks %q", page, part)
			}
		}
		pages[r.Alert+".md"] = true
		// Each fires in one test of promtool's and does not in another.
		name := regexp.MustCompile(`alertname: ` + r.Alert + `\n\s+exp_alerts:( \[\])?`)
		var fires, silent bool
		for _, match := range name.FindAllStringSubmatch(string(tests), -1) {
			fires, silent = fires || match[1] == "", silent || match[1] != ""
		}
		if !fires || !silent {
			t.Errorf("%s: promtool tests that it fires: %v, that it does not: %v", r.Alert, fires, silent)
		}
	}
	files, err := os.ReadDir(root + "/docs/runbooks")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !pages[f.Name()] {
			t.Errorf("docs/runbooks/%s is about no alert", f.Name())
		}
	}
}

// TestRunbookLinks: the dashboards lead to pages that exist.
func TestRunbookLinks(t *testing.T) {
	links := 0
	for file, d := range dashboards.All() {
		for _, p := range d.Panels {
			for _, l := range p.Links {
				links++
				path, ok := strings.CutPrefix(l.URL, runbooks)
				if _, err := os.Stat(filepath.Join(root, path)); !ok || err != nil {
					t.Errorf("%s, %s: %s leads nowhere", file, p.Title, l.URL)
				}
			}
		}
	}
	if links == 0 {
		t.Error("no panel leads to a runbook")
	}
}
