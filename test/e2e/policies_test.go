package e2e_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterimport/clusterimport/test/e2e/cluster"
)

// TestBundledPolicyTypes checks the bundled policy by the definition that Cluster API itself has, in each version that
// is served now or was before.
func TestBundledPolicyTypes(t *testing.T) {
	definition, err := cluster.CAPIDefinition(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(root, "charts/clusterimport/policies/cluster-api.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	const versions = "versions: [v1beta2, v1beta1]"
	both := string(data)
	if !strings.Contains(both, versions) {
		t.Fatalf("the policy does not have %s", versions)
	}
	cases := map[string]struct {
		reason string
		policy string
		want   string
	}{
		"Both":    {"as it is, the newer version is taken", both, "version: v1beta2"},
		"V1Beta1": {"it is typed in the older version too", strings.Replace(both, versions, "versions: [v1beta1]", 1), "version: v1beta1"},
		"Typo":    {"a field that the definition does not have is found", strings.Replace(both, "?paused", "?pausd", 1), "undefined field 'pausd'"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, content := range map[string]string{"policy.yaml": tc.policy, "crd.yaml": string(definition)} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var out bytes.Buffer
			cli := exec.CommandContext(t.Context(), filepath.Join(filepath.Dir(os.Getenv("CONTROLLER_BIN")), "clusterimport"), "render",
				"-f", filepath.Join(dir, "policy.yaml"), "--crds", filepath.Join(dir, "crd.yaml"),
				filepath.Join(root, "examples/cluster-api/objects.yaml"), filepath.Join(root, "examples/cluster-api/pitfalls.yaml"))
			cli.Stdout, cli.Stderr = &out, &out
			_ = cli.Run() // its exit code speaks of the objects too, some of which are meant to wait
			if !strings.Contains(out.String(), tc.want) || strings.Contains(out.String(), "[CEL-") != (name == "Typo") {
				t.Errorf("%s: want %q in\n%s", tc.reason, tc.want, out.String())
			}
		})
	}
}
