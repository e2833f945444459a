// Package examples_test runs every example: the bundled policy of a platform, the same in Clusterpedia's language, and
// what convert makes of that, make of the folder's objects what its files say.
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
			t.Run(folder+"/Converted", func(t *testing.T) {
				converted := filepath.Join(folder, "converted.yaml")
				convert(t, translated, objects, converted)
				compare(t, converted, objects, want, 0)
			})
		}
	}
}

// convert converts a policy, which must give the same on the objects, and compares with the file want.
func convert(t *testing.T, policy, objects, want string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	args := []string{"clusterimport", "convert", "-f", policy, "--verify", objects}
	if crd := filepath.Join(filepath.Dir(policy), "crd.yaml"); exists(t, crd) {
		args = append(args, "--crds", crd)
	}
	if code := cli.Main(args, nil, &stdout, &stderr); code != 0 {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
	if strings.Contains(stderr.String(), "stays a Go template") {
		t.Errorf("not all is converted:\n%s", stderr.String())
	}
	checkFile(t, want, stdout.String())
}

// checkFile compares a result with a file.
func checkFile(t *testing.T, file, result string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(result), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), result); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
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
	checkFile(t, want, kubeconfigs.ReplaceAllStringFunc(stdout.String(), readable))
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
