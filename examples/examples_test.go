// Package examples_test runs every example: the bundled policy of a platform, and the same in Clusterpedia's language,
// make of the folder's objects what its files say.
package examples_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterimport/clusterimport/internal/cli"
)

var update = flag.Bool("update", false, "write what the policies give")

// bundled is where the chart has its policies. An example without one has a policy.yaml of its own.
const bundled = "../charts/clusterimport/policies"

func TestExamples(t *testing.T) {
	folders, err := filepath.Glob("*/objects.yaml")
	if err != nil || len(folders) < 5 {
		t.Fatalf("found %q: %v", folders, err)
	}
	for _, objects := range folders {
		folder := filepath.Dir(objects)
		policy := filepath.Join(bundled, folder+".yaml")
		if !exists(t, policy) {
			policy = filepath.Join(folder, "policy.yaml")
		}
		want := filepath.Join(folder, "want.yaml")
		t.Run(folder+"/CEL", func(t *testing.T) { compare(t, policy, objects, want, 0) })
		if translated := filepath.Join(folder, "gotemplate.yaml"); exists(t, translated) {
			if other := filepath.Join(folder, "want-gotemplate.yaml"); exists(t, other) {
				want = other
			}
			t.Run(folder+"/GoTemplate", func(t *testing.T) { compare(t, translated, objects, want, 0) })
		}
	}
}

// TestPitfalls holds each bundled policy against the objects that a simpler one would import wrongly, or not at all.
func TestPitfalls(t *testing.T) {
	policies, err := filepath.Glob(bundled + "/*.yaml")
	if err != nil || len(policies) < 4 {
		t.Fatalf("found %q: %v", policies, err)
	}
	undecided := map[string]int{
		"cluster-api": 1, // a Secret that is not there
		"karmada":     1, // the same, and one without a CA
		"kubevela":    1, // one without a CA
	}
	for _, policy := range policies {
		folder := filepath.Base(policy[:len(policy)-len(".yaml")])
		t.Run(folder, func(t *testing.T) {
			compare(t, policy, filepath.Join(folder, "pitfalls.yaml"), filepath.Join(folder, "want-pitfalls.yaml"), undecided[folder])
		})
	}
}

// compare renders the objects and compares with the file want.
func compare(t *testing.T, policy, objects, want string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	got := cli.Main([]string{"clusterimport", "render", "--show-secrets", "-f", policy, objects}, nil, &stdout, &stderr)
	if got != code || stderr.Len() > 0 {
		t.Errorf("exit code %d: %s", got, stderr.String())
	}
	result := kubeconfigs.ReplaceAllStringFunc(stdout.String(), readable)
	if *update {
		if err := os.WriteFile(want, []byte(result), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(want)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), result); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// kubeconfigs are shown as their text: nobody can review base64.
var kubeconfigs = regexp.MustCompile(`(?m)^ +kubeconfig: \S+$`)

func readable(line string) string {
	name, encoded, _ := strings.Cut(line, ": ")
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return line
	}
	indent := name[:len(name)-len("kubeconfig")]
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	return name + ": # decoded\n" + indent + "  " + strings.Join(lines, "\n"+indent+"  ")
}

func exists(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}
