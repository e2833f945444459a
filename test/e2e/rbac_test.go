package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRBACCommand: what clusterimport rbac prints is what the controller lacks, and nothing more.
func TestRBACCommand(t *testing.T) {
	f := newFixture(t)
	f.define("rbac.e2e.example.com", "{status: {}}")
	const policy = `
apiVersion: policy.clusterpedia.io/v1alpha1
kind: ClusterImportPolicy
metadata: {name: rbac}
spec:
  source: {group: rbac.e2e.example.com, resource: widgets}
  nameTemplate: rbac-${source.metadata.name}
  template: "spec: {apiserver: 'https://x', tokenData: dG9rZW4=, syncResources: []}"
  creationCondition: "true"
  allowInsecure: true
`
	startController(t)
	f.ApplyText(policy)
	resource := f.Dynamic.Resource(policies)
	message := f.condition(resource, "rbac", "SourceAvailable", "False", "Forbidden")
	if !strings.Contains(message, `{apiGroups: ["rbac.e2e.example.com"], resources: ["widgets"], verbs: ["get", "list", "watch"]}`) {
		t.Errorf("the message is %s", message)
	}
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	rights, code := clusterimport(t, plane.Kubeconfig(), "rbac", "-f", file, "--service-account", "clusterimport-system/clusterimport")
	if code != 0 {
		t.Fatal(rights)
	}
	f.ApplyText(rights)
	f.condition(resource, "rbac", "SourceAvailable", "True", "Watched")
	f.ApplyText("{apiVersion: rbac.e2e.example.com/v1, kind: Widget, metadata: {name: one, namespace: default}}")
	f.spec("rbac-one", soon)
	f.remove(resource, "rbac")
}
