package dashboards_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterimport/clusterimport/internal/dashboards"
)

var update = flag.Bool("update", false, "write the chart's dashboards")

// TestFiles compares the chart's files with the dashboards; make generate writes them. What the queries ask for is
// tested in test/observability, which has a parser of PromQL.
func TestFiles(t *testing.T) {
	const dir = "../../charts/clusterimport/dashboards"
	all := dashboards.All()
	for name, d := range all {
		want, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if *update {
			if err := os.WriteFile(path, want, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("make generate writes another %s (-want +got)\n%s", path, diff)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(all) {
		t.Errorf("%s has %d files, there are %d dashboards", dir, len(files), len(all))
	}
}
