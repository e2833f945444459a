package e2e_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/clusterimport/clusterimport/test/e2e/cluster"
	"github.com/clusterimport/clusterimport/test/e2e/testbed"
)

const policyDefinition = "clusterimportpolicies.policy.clusterpedia.io"

// clusterimport runs the command line beside the controller's binary, and returns what it prints and its exit code.
func clusterimport(t *testing.T, kubeconfig string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command(filepath.Join(filepath.Dir(os.Getenv("CONTROLLER_BIN")), "clusterimport"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// builtinDefinition is a definition of this release.
func builtinDefinition(t *testing.T, name string) *unstructured.Unstructured {
	t.Helper()
	out, code := clusterimport(t, "", "crds", "print", name)
	if code != 0 {
		t.Fatal(out)
	}
	d := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(strings.TrimPrefix(out, "---\n")), &d.Object); err != nil {
		t.Fatal(err)
	}
	return d
}

// specOf are the properties of the policy's spec in a definition, to read and to change.
func specOf(d *unstructured.Unstructured) map[string]any {
	versions, _, _ := unstructured.NestedSlice(d.Object, "spec", "versions")
	d.Object["spec"].(map[string]any)["versions"] = versions
	properties := versions[0].(map[string]any)["schema"].(map[string]any)["openAPIV3Schema"].(map[string]any)["properties"].(map[string]any)
	return properties["spec"].(map[string]any)["properties"].(map[string]any)
}

// cut removes an entry.
func cut(from map[string]any, key string) { delete(from, key) }

// newOwnFixture is a view of a control plane for one test, whose definitions nobody else needs.
func newOwnFixture(t *testing.T) (*cluster.Cluster, *fixture) {
	t.Helper()
	own := testbed.StartCluster(t)
	return own, &fixture{testbed.NewClient(t, own, root), t}
}

// TestApplyDefinitions: on every kind of cluster the kinds are served afterwards, all fields of this release are there,
// nothing that the cluster had is gone, and what objects hold is not pruned.
func TestApplyDefinitions(t *testing.T) {
	own, f := newOwnFixture(t)
	crds := f.Dynamic.Resource(testbed.Definitions)
	// older is what Clusterpedia's or our last release had: without a field, a rule and a limit of this one.
	older := func(t *testing.T) *unstructured.Unstructured {
		d := builtinDefinition(t, policyDefinition)
		spec := specOf(d)
		cut(spec, "allowInsecure")
		cut(spec["source"].(map[string]any)["properties"].(map[string]any)["resource"].(map[string]any), "x-kubernetes-validations")
		cut(spec["template"].(map[string]any), "maxLength")
		return d
	}
	cases := map[string]struct {
		reason string
		// before brings the older definition in.
		before func(t *testing.T, d *unstructured.Unstructured)
		want   []string
	}{
		"Empty": {
			reason: "an empty cluster gets the definitions", before: func(*testing.T, *unstructured.Unstructured) {},
			want: []string{"clusterimportpolicies.policy.clusterpedia.io created", "pediaclusters.cluster.clusterpedia.io created"},
		},
		"ClientSideApply": {
			reason: "kubectl apply made them",
			before: func(t *testing.T, d *unstructured.Unstructured) { kubectlApply(t, own.Kubeconfig(), d) },
			want:   []string{"clusterimportpolicies.policy.clusterpedia.io configured", "  adds v1alpha1.spec.allowInsecure"},
		},
		"ServerSideApply": {
			reason: "kubectl apply --server-side made them",
			before: func(t *testing.T, d *unstructured.Unstructured) {
				kubectlApply(t, own.Kubeconfig(), d, "--server-side")
			},
			want: []string{"clusterimportpolicies.policy.clusterpedia.io configured", "  adds v1alpha1.spec.allowInsecure"},
		},
		"Helm": {
			reason: "Clusterpedia's chart made them",
			before: func(t *testing.T, d *unstructured.Unstructured) {
				d.SetAnnotations(map[string]string{"meta.helm.sh/release-name": "clusterpedia"})
				applyAs(t, crds, d, "helm")
			},
			want: []string{"clusterimportpolicies.policy.clusterpedia.io configured", "  adds v1alpha1.spec.allowInsecure"},
		},
		"LastRelease": {
			reason: "the last release's crds apply made them, with a rule that this one does not have any more",
			before: func(t *testing.T, d *unstructured.Unstructured) {
				specOf(d)["nameTemplate"].(map[string]any)["x-kubernetes-validations"] = []any{map[string]any{"rule": "self != 'a'"}}
				d.SetAnnotations(map[string]string{"clusterimport.io/versions-digest": versionsDigest(t, d)})
				applyAs(t, crds, d, "clusterimport")
			},
			want: []string{"clusterimportpolicies.policy.clusterpedia.io configured", "  adds v1alpha1.spec.allowInsecure"},
		},
		"Newer": {
			reason: "a newer Clusterpedia has a field that this release does not know",
			before: func(t *testing.T, d *unstructured.Unstructured) {
				specOf(d)["ofTheFuture"] = map[string]any{"type": "string"}
				applyAs(t, crds, d, "helm")
			},
			want: []string{"clusterimportpolicies.policy.clusterpedia.io configured", "  keeps v1alpha1.spec.ofTheFuture"},
		},
	}
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		tc := cases[name]
		t.Run(name, func(t *testing.T) {
			f := f.in(t)
			for _, crd := range []string{policyDefinition, "pediaclusters.cluster.clusterpedia.io", "pediaclusterlifecycles.policy.clusterpedia.io", "clustersyncresources.cluster.clusterpedia.io"} {
				f.remove(crds, crd)
				f.gone(crds, crd)
			}
			before := older(t)
			tc.before(t, before)
			if name != "Empty" {
				f.Patch(crds, policyDefinition, `{"metadata":{"labels":{"from":"before"}}}`)
			}
			dry, code := clusterimport(t, own.Kubeconfig(), "crds", "apply", "--dry-run")
			if code != 0 || !strings.Contains(dry, "(dry run)") {
				t.Fatalf("%s: the dry run ends with %d:\n%s", tc.reason, code, dry)
			}
			out, code := clusterimport(t, own.Kubeconfig(), "crds", "apply")
			if code != 0 {
				t.Fatalf("%s: apply ends with %d:\n%s", tc.reason, code, out)
			}
			for _, line := range tc.want {
				if !strings.Contains(out, line+"\n") {
					t.Errorf("%s: the output lacks %q:\n%s", tc.reason, line, out)
				}
			}
			if strings.ReplaceAll(dry, " (dry run)", "") != out {
				t.Errorf("%s: the dry run says\n%s", tc.reason, dry)
			}
			f.keepsFields(crds, name == "Newer", name != "Empty")
			if again, code := clusterimport(t, own.Kubeconfig(), "crds", "apply"); code != 0 || strings.Count(again, " unchanged\n") != 4 {
				t.Errorf("%s: a second apply ends with %d:\n%s", tc.reason, code, again)
			}
		})
	}
}

// keepsFields checks the definition, and that an object keeps a field of this release and one of the future.
func (f *fixture) keepsFields(crds dynamic.ResourceInterface, future, before bool) {
	f.t.Helper()
	live, err := crds.Get(f.t.Context(), policyDefinition, metav1.GetOptions{})
	if err != nil {
		f.t.Fatal(err)
	}
	spec := specOf(live)
	if _, ok := spec["template"].(map[string]any)["maxLength"]; !ok {
		f.t.Error("a limit is missing")
	}
	if before && live.GetLabels()["from"] != "before" {
		f.t.Error("a label of the definition is gone")
	}
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "policy.clusterpedia.io/v1alpha1", "kind": "ClusterImportPolicy", "metadata": map[string]any{"name": "kept"},
		"spec": map[string]any{
			"source":       map[string]any{"group": "x.io", "resource": "clusters"},
			"nameTemplate": "a", "template": "spec: {}", "creationCondition": "true", "allowInsecure": true, "ofTheFuture": "kept",
		},
	}}
	kept, err := f.Dynamic.Resource(policies).Create(f.t.Context(), object, metav1.CreateOptions{})
	if err != nil {
		f.t.Fatal(err)
	}
	got := kept.Object["spec"].(map[string]any)
	if got["allowInsecure"] != true || future != (got["ofTheFuture"] == "kept") {
		f.t.Errorf("the object's spec is %v", got)
	}
}

// versionsDigest is how crds apply marks what it wrote.
func versionsDigest(t *testing.T, d *unstructured.Unstructured) string {
	t.Helper()
	text, err := json.Marshal(d.Object["spec"].(map[string]any)["versions"])
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// applyAs applies a definition as a manager.
func applyAs(t *testing.T, crds dynamic.ResourceInterface, d *unstructured.Unstructured, manager string) {
	t.Helper()
	if _, err := crds.Apply(t.Context(), d.GetName(), d, metav1.ApplyOptions{FieldManager: manager}); err != nil {
		t.Fatal(err)
	}
}

// kubectlApply is what kubectl does: by itself where it is installed, since its client side apply is a patch of its own.
func kubectlApply(t *testing.T, kubeconfig string, d *unstructured.Unstructured, flags ...string) {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("kubectl"); err != nil {
		t.Skip("there is no kubectl")
	}
	cmd := exec.Command("kubectl", append([]string{"--kubeconfig", kubeconfig, "apply", "-f", "-"}, flags...)...)
	cmd.Stdin = strings.NewReader(string(text))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// TestRefusedDefinition: a definition that cannot serve this release is left as it is, and the exit code says so.
func TestRefusedDefinition(t *testing.T) {
	own, f := newOwnFixture(t)
	crds := f.Dynamic.Resource(testbed.Definitions)
	d := builtinDefinition(t, policyDefinition)
	versions, _, _ := unstructured.NestedSlice(d.Object, "spec", "versions")
	versions[0].(map[string]any)["name"] = "v1"
	d.Object["spec"].(map[string]any)["versions"] = versions
	applyAs(t, crds, d, "helm")
	before, err := crds.Get(t.Context(), policyDefinition, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	out, code := clusterimport(t, own.Kubeconfig(), "crds", "apply")
	if want := policyDefinition + " refused: it does not serve v1alpha1; it is left as it is\n"; code != 1 || !strings.Contains(out, want) {
		t.Errorf("apply ends with %d:\n%s", code, out)
	}
	after, err := crds.Get(t.Context(), policyDefinition, metav1.GetOptions{})
	if err != nil || after.GetGeneration() != before.GetGeneration() {
		t.Errorf("the definition was changed, or %v", err)
	}
}
