package metrics_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterimport/clusterimport/internal/metrics"
)

var update = flag.Bool("update", false, "write docs/metrics.md")

const page = "../../docs/metrics.md"

// TestReference compares docs/metrics.md with the catalogue; make generate writes it.
func TestReference(t *testing.T) {
	want := reference()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("make generate writes another docs/metrics.md (-want +got)\n%s", diff)
	}
}

// reference is docs/metrics.md.
func reference() string {
	var b strings.Builder
	b.WriteString(`# Metrics

This page is written by ` + "`make generate`" + ` from the catalogue in ` + "`internal/metrics`" + `. How to scrape them, and what the dashboards
and alerts make of them, is in [observability.md](observability.md).

A label is one of the values listed here, or the name of a policy, a kind, a CRD or a build. None holds the name of a cluster or
of a source, or the text of an error. All series of a policy end when the policy is deleted. A replica that stands by serves
only what is about the process.

| metric | type | labels | series | meaning |
|---|---|---|--:|---|
`)
	var total metrics.Series
	for _, m := range metrics.All() {
		labels := make([]string, len(m.Labels))
		for i, l := range m.Labels {
			labels[i] = l.Name
			if len(l.Values) > 0 {
				labels[i] += " (" + strings.Join(l.Values, ", ") + ")"
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", m.Name, m.Type, strings.Join(labels, "; "), formula(m.Series), m.Help)
		total.Fixed += m.Series.Fixed
		total.Policies += m.Series.Policies
		total.Kinds += m.Series.Kinds
	}
	fmt.Fprintf(&b, `
With P policies that watch K kinds there are at most **%s** series of these, however many clusters there are. A test holds
the controller to that with 1 000 policies of 1 000 sources each.

## Buckets

| histogram | upper bounds |
|---|---|
`, formula(total))
	for _, m := range metrics.All() {
		if m.Type == metrics.Histogram {
			fmt.Fprintf(&b, "| `%s` | %s |\n", m.Name, bounds(m.Buckets))
		}
	}
	b.WriteString(`
## From the libraries

Of Kubernetes' libraries these are served, under their own names; their queues are ` + "`policy`, `source` and `lifecycle`" + `. Beside them are
the usual ` + "`go_*`, `process_*` and `promhttp_*`" + `, each once and without the statistics of the memory allocator.

| metric | type | labels |
|---|---|---|
`)
	for _, m := range metrics.Stock {
		names := make([]string, len(m.Labels))
		for i, l := range m.Labels {
			names[i] = l.Name
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", m.Name, m.Type, strings.Join(names, ", "))
	}
	return b.String()
}

func formula(s metrics.Series) string {
	var terms []string
	for _, term := range []struct {
		n    int
		unit string
	}{{s.Fixed, ""}, {s.Policies, "P"}, {s.Kinds, "K"}} {
		switch {
		case term.n == 0:
		case term.n == 1 && term.unit != "":
			terms = append(terms, term.unit)
		default:
			terms = append(terms, strings.TrimSpace(fmt.Sprintf("%d %s", term.n, term.unit)))
		}
	}
	return strings.Join(terms, " + ")
}

func bounds(buckets []float64) string {
	all := slices.Collect(func(yield func(string) bool) {
		for _, bound := range buckets {
			if !yield(fmt.Sprintf("%.4g", bound)) {
				return
			}
		}
	})
	return strings.Join(all, ", ")
}
