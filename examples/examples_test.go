// Package examples_test runs every example: each policy of a folder, in either language, makes of the folder's
// objects what want.yaml says.
package examples_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterimport/clusterimport/internal/cli"
)

var update = flag.Bool("update", false, "write want.yaml")

func TestExamples(t *testing.T) {
	folders, err := filepath.Glob("*/objects.yaml")
	if err != nil || len(folders) < 4 {
		t.Fatalf("found %q: %v", folders, err)
	}
	for _, objects := range folders {
		folder := filepath.Dir(objects)
		for _, policy := range []string{"policy.yaml", "gotemplate.yaml"} {
			t.Run(folder+"/"+policy, func(t *testing.T) {
				var stdout, stderr bytes.Buffer
				code := cli.Main([]string{"clusterimport", "render", "--show-secrets", "-f", filepath.Join(folder, policy), objects},
					nil, &stdout, &stderr)
				if code != 0 || stderr.Len() > 0 {
					t.Errorf("exit code %d: %s", code, stderr.String())
				}
				file := filepath.Join(folder, "want.yaml")
				if *update && policy == "policy.yaml" {
					if err := os.WriteFile(file, stdout.Bytes(), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), stdout.String()); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		}
	}
}
