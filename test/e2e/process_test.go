package e2e_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterimport/clusterimport/test/e2e/testbed"
)

// TestListener: probes and metrics are served, and the controller ends in order.
func TestListener(t *testing.T) {
	f := newFixture(t)
	address := testbed.FreeAddress(t)
	c := startController(t, "--bind-address", address)
	for path, want := range map[string]string{
		"/healthz": "ok", "/readyz": "ok", "/metrics": "clusterimport_reconcile_total{controller=\"policy\",result=\"success\"}",
	} {
		f.ApplyFile("examples/mcp/policy.yaml", "name: mcp\n", "name: listener\n")
		f.eventually(soon, func(ctx context.Context) error {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, http.NoBody)
			if err != nil {
				return err
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				return err
			}
			defer func() { _ = response.Body.Close() }()
			body, err := io.ReadAll(response.Body)
			if err == nil && (response.StatusCode != http.StatusOK || !strings.Contains(string(body), want)) {
				err = fmt.Errorf("%s answers %s", path, response.Status)
			}
			return err
		})
	}
	f.remove(f.Dynamic.Resource(policies), "listener")
	c.End(syscall.SIGTERM)
	if code := c.ExitCode(); code != 0 {
		t.Errorf("the controller ends with %d", code)
	}
}

// TestSecretsStaySecret: a value of a Secret reaches the PediaCluster and nothing else: no status, event or log,
// whatever goes wrong with it.
func TestSecretsStaySecret(t *testing.T) {
	f := newFixture(t)
	f.ApplyFile("examples/mcp/crd.yaml")
	c := startController(t, "-v", "6")
	const canary = "c4n4ry-0f-th3-s3cret"
	f.mcpPolicy("canary")
	f.mcpCluster("canary-a", canary, "True")
	f.token("canary-canary-a", canary, soon)
	// A template that gives the API server something to refuse, and an expression that fails on the value.
	f.ApplyText(strings.ReplaceAll(strings.ReplaceAll(`
apiVersion: policy.clusterpedia.io/v1alpha1
kind: ClusterImportPolicy
metadata: {name: canary-NAME}
spec:
  source: {group: cluster.mcp.io, resource: clusters, selectorTemplate: 'source.metadata.name == "canary-a"'}
  references: [{key: s, group: "", resource: secrets, namespaceTemplate: default, nameTemplate: "${source.metadata.name}"}]
  nameTemplate: canary-NAME
  template: |
    metadata: {labels: {label: "bad value: ${string(base64.decode(references.s.data.token))}"}}
    spec: {apiserver: "https://x", tokenData: "${references.s.data.token}", syncResources: []}
  creationCondition: "true"
  allowInsecure: true
---
apiVersion: policy.clusterpedia.io/v1alpha1
kind: ClusterImportPolicy
metadata: {name: canary-fails}
spec:
  source: {group: cluster.mcp.io, resource: clusters, selectorTemplate: 'source.metadata.name == "canary-a"'}
  references: [{key: s, group: "", resource: secrets, namespaceTemplate: default, nameTemplate: "${source.metadata.name}"}]
  nameTemplate: canary-fails
  template: "spec: {apiserver: '${url(string(base64.decode(references.s.data.token))).getHost()}', syncResources: []}"
  creationCondition: "true"
`, "NAME", "refused"), "\t", "  "))
	f.condition(f.Dynamic.Resource(lifecycles), "canary-refused", "Created", "False", "CreationFailure")
	f.condition(f.Dynamic.Resource(lifecycles), "canary-fails", "Created", "False", "FailedResolveAndDecodePediaCluster")
	events := schema.GroupVersionResource{Group: "events.k8s.io", Version: "v1", Resource: "events"}
	for _, resource := range []schema.GroupVersionResource{policies, lifecycles, events} {
		list, err := f.Dynamic.Resource(resource).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		leaks(t, resource.Resource, string(text), canary)
	}
	for _, name := range []string{"canary", "canary-refused", "canary-fails"} {
		f.remove(f.Dynamic.Resource(policies), name)
	}
	c.End(syscall.SIGTERM)
	leaks(t, "log", c.Log(), canary)
}

func leaks(t *testing.T, where, text, canary string) {
	t.Helper()
	for _, form := range []string{canary, base64.StdEncoding.EncodeToString([]byte(canary))} {
		if i := strings.Index(text, form); i >= 0 {
			t.Errorf("%s shows the value of a Secret: …%s…", where, text[max(0, i-200):min(len(text), i+60)])
		}
	}
}
