package observability

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/clusterimport/clusterimport/internal/metrics"
)

const root = "../.."

// known are the labels of every metric that the controller serves, by the names that queries use.
func known(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, m := range append(metrics.All(), metrics.Stock...) {
		labels := []string{"job", "namespace", "instance"}
		for _, l := range m.Labels {
			labels = append(labels, l.Name)
		}
		if m.Type != metrics.Histogram {
			all[m.Name] = labels
			continue
		}
		all[m.Name+"_sum"], all[m.Name+"_count"], all[m.Name+"_bucket"] = labels, labels, append(slices.Clone(labels), "le")
	}
	families, err := metrics.NewRegistry().Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "process_") || strings.HasPrefix(f.GetName(), "go_") {
			all[f.GetName()] = []string{"job", "namespace", "instance"}
		}
	}
	return all
}

// isCounter reports whether only a rate makes sense of a metric.
func isCounter(name string) bool {
	return strings.HasSuffix(name, "_total") || strings.HasSuffix(name, "_bucket") || strings.HasSuffix(name, "_count") || strings.HasSuffix(name, "_sum")
}

// checkQuery reports what is wrong with a query: what does not parse, metrics and labels that do not exist, counters
// without a rate.
func checkQuery(expr string, all map[string][]string) []string {
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		return []string{err.Error()}
	}
	var faults []string
	names := map[string]bool{}
	parser.Inspect(parsed, func(node parser.Node, path []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		names[selector.Name] = true
		labels, exists := all[selector.Name]
		if !exists {
			faults = append(faults, fmt.Sprintf("there is no metric %q", selector.Name))
			return nil
		}
		for _, m := range selector.LabelMatchers {
			if m.Name != "__name__" && !slices.Contains(labels, m.Name) {
				faults = append(faults, fmt.Sprintf("%s has no label %q", selector.Name, m.Name))
			}
		}
		if isCounter(selector.Name) && !rated(path) && !totals(path) {
			faults = append(faults, fmt.Sprintf("the counter %s is used without a rate", selector.Name))
		}
		return nil
	})
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		aggregation, ok := node.(*parser.AggregateExpr)
		if !ok {
			return nil
		}
		for _, label := range aggregation.Grouping {
			for name := range names {
				if !slices.Contains(all[name], label) {
					faults = append(faults, fmt.Sprintf("%s has no label %q to group by", name, label))
				}
			}
		}
		return nil
	})
	if len(names) == 0 {
		faults = append(faults, "it asks for no metric")
	}
	return faults
}

// rated reports whether a function that knows counters is among the nodes above a selector.
func rated(path []parser.Node) bool {
	return slices.ContainsFunc(path, func(n parser.Node) bool {
		call, ok := n.(*parser.Call)
		return ok && slices.Contains([]string{"rate", "irate", "increase"}, call.Func.Name)
	})
}

// totals reports whether the value since the start is what is asked for: a sum that is not compared over time.
func totals(path []parser.Node) bool {
	if len(path) != 1 {
		return false
	}
	aggregation, ok := path[0].(*parser.AggregateExpr)
	return ok && aggregation.Op == parser.SUM
}

func TestCheckQuery(t *testing.T) {
	all := known(t)
	cases := map[string]struct{ reason, expr, fault string }{
		"Right":     {"a right query has no fault", `sum by (policy) (rate(clusterimport_policy_errors_total{job="x"}[5m]))`, ""},
		"Syntax":    {"a range of a sum does not parse", `sum(clusterimport_sources)[5m]`, "parse"},
		"Metric":    {"a metric that does not exist is a fault", `clusterimport_nonsense`, "no metric"},
		"Label":     {"so is a label", `clusterimport_sources{cluster="x"}`, `no label "cluster"`},
		"Group":     {"and one that is grouped by", `sum by (cluster) (clusterimport_sources)`, `no label "cluster" to group`},
		"Counter":   {"a counter needs a rate", `clusterimport_policy_errors_total > 5`, "without a rate"},
		"Bucket":    {"so do buckets", `histogram_quantile(0.9, clusterimport_import_latency_seconds_bucket)`, "without a rate"},
		"Histogram": {"a classic histogram has no series of its own name", `rate(clusterimport_import_latency_seconds[5m])`, "no metric"},
		"Nothing":   {"a query must ask for something", `vector(1)`, "no metric"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(checkQuery(tc.expr, all), "; ")
			if (got == "") != (tc.fault == "") || !strings.Contains(got, tc.fault) {
				t.Errorf("%s: %q", tc.reason, got)
			}
		})
	}
}

var named = regexp.MustCompile(`\bclusterimport_[a-z_]+`)

// TestPages: every metric that a page names exists.
func TestPages(t *testing.T) {
	all := known(t)
	for _, m := range metrics.All() {
		all[m.Name] = nil
	}
	var pages []string
	for _, pattern := range []string{"README.md", "docs/*.md", "docs/*/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	seen := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range named.FindAllString(string(text), -1) {
			seen++
			if _, exists := all[name]; !exists {
				t.Errorf("%s names %s, which does not exist", page, name)
			}
		}
	}
	if seen < len(metrics.All()) {
		t.Errorf("the pages name %d metrics", seen)
	}
}
