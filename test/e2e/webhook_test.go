package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterimport/clusterimport/test/e2e/testbed"
)

// hook is an admission webhook of some replicas. Every question goes to all of them.
type hook struct {
	name     string
	replicas []*testbed.Controller
	// probes are the addresses of their probes.
	probes []string
}

// startHook installs a webhook for policies with the label webhook=NAME, and starts its replicas.
func (f *fixture) startHook(name string, replicas int, more ...string) *hook {
	f.t.Helper()
	h := &hook{name: name}
	addresses := make([]string, replicas)
	for i := range addresses {
		addresses[i] = testbed.FreeAddress(f.t)
	}
	f.ApplyWebhook(name, addresses...)
	f.t.Cleanup(func() {
		_ = f.Dynamic.Resource(testbed.Webhooks).Delete(context.Background(), name, metav1.DeleteOptions{})
	})
	for _, address := range addresses {
		h.probes = append(h.probes, testbed.FreeAddress(f.t))
		h.replicas = append(h.replicas, startController(f.t, append([]string{
			"--bind-address", h.probes[len(h.probes)-1], "--webhook-cert-mode=Self", "--webhook-bind-address", address,
			"--webhook-configuration-name", name, "--webhook-service", "clusterimport-system/" + name, "--webhook-ca-secret", name + "-ca",
			"--webhook-extra-hosts", "127.0.0.1", "--webhook-drain", "0s",
		}, more...)...))
	}
	return h
}

// ready waits until all replicas say so.
func (f *fixture) ready(h *hook) {
	f.t.Helper()
	for _, address := range h.probes {
		f.eventually(soon, func(ctx context.Context) error {
			code, body, err := get(ctx, "http://"+address+"/readyz")
			if err == nil && code != http.StatusOK {
				err = fmt.Errorf("%d %s", code, body)
			}
			return err
		})
	}
}

func get(ctx context.Context, url string) (code int, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// hookPolicy is a policy that the webhook of that name is asked about.
func hookPolicy(name, webhook, condition string) string {
	return strings.NewReplacer("NAME", name, "WEBHOOK", webhook, "CONDITION", condition).Replace(`
apiVersion: policy.clusterpedia.io/v1alpha1
kind: ClusterImportPolicy
metadata: {name: NAME, labels: {webhook: WEBHOOK}}
spec:
  source: {group: cluster.x-k8s.io, resource: clusters}
  nameTemplate: ${source.metadata.namespace}-${source.metadata.name}
  template: "spec: {apiserver: 'https://x', syncResources: []}"
  creationCondition: 'CONDITION'
`)
}

// kubectl runs kubectl and returns what it prints.
func kubectl(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath("kubectl"); err != nil {
		t.Skip("there is no kubectl")
	}
	cmd := exec.Command("kubectl", append([]string{"--kubeconfig", plane.Kubeconfig()}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestWebhook: a policy is refused with the place of its mistake, and what deserves it is warned of.
func TestWebhook(t *testing.T) {
	f := newFixture(t)
	f.installClusterAPI()
	h := f.startHook("hook", 1)
	f.ready(h)

	const want = `The ClusterImportPolicy "hook-typo" is invalid: spec.creationCondition: 1:15: undefined field 'phse' [CEL-TYPE]
  | source.status.phse == "Provisioned"
  |               ^`
	var out string
	f.eventually(soon, func(context.Context) error { // the fields of a new kind are told after a moment
		var err error
		out, err = kubectl(t, hookPolicy("hook-typo", "hook", `source.status.phse == "Provisioned"`), "apply", "--dry-run=server", "-f", "-")
		if err == nil || !strings.Contains(out, want) {
			return fmt.Errorf("a typo in a field: %w\n%s", err, out)
		}
		return nil
	})
	var err error
	if out, err = kubectl(t, hookPolicy("hook-good", "hook", `source.status.phase == "Provisioned"`), "apply", "-f", "-", "--dry-run=server"); err != nil || strings.Contains(out, "Warning") {
		t.Errorf("a good policy: %v\n%s", err, out)
	}
	unknown := strings.Replace(hookPolicy("hook-early", "hook", `source.anything == 1`), "cluster.x-k8s.io", "not.installed.io", 1)
	out, err = kubectl(t, unknown, "apply", "-f", "-")
	if err != nil || !strings.Contains(out, "the API server does not serve clusters.not.installed.io") || !strings.Contains(out, "the controller may not watch clusters.not.installed.io") {
		t.Errorf("a policy before its kind: %v\n%s", err, out)
	}
	// A change to the spec is asked about, one that leaves the spec alone is not.
	policiesClient := f.Dynamic.Resource(policies)
	if _, err := policiesClient.Patch(t.Context(), "hook-early", types.MergePatchType, []byte(`{"spec":{"creationCondition":"1"}}`), metav1.PatchOptions{}); err == nil {
		t.Error("an update to a policy that does not compile is accepted")
	}
	f.remove(policiesClient, "hook-early")

	// Somebody who takes the bundle out finds it put back.
	f.Patch(f.Dynamic.Resource(testbed.Webhooks), "hook", `{"metadata":{"annotations":{"changed":"true"}}}`)
	drift := []byte(`[{"op":"remove","path":"/webhooks/0/clientConfig/caBundle"}]`)
	if _, err := f.Dynamic.Resource(testbed.Webhooks).Patch(t.Context(), "hook", types.JSONPatchType, drift, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	f.eventually(soon, func(ctx context.Context) error {
		_, err := policiesClient.Create(ctx, parseObject(t, hookPolicy("hook-drift", "hook", "true")), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	})
	_, metrics, err := get(t.Context(), "http://"+h.probes[0]+"/metrics")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`clusterimport_webhook_requests_total{allowed="false",operation="CREATE",resource="clusterimportpolicies"} `,
		`clusterimport_webhook_requests_total{allowed="false",operation="UPDATE",resource="clusterimportpolicies"} `,
		`clusterimport_webhook_ca_injected 1`, `clusterimport_webhook_certificate_expiration_timestamp_seconds{kind="ca"}`,
		`clusterimport_crd_schema_mismatch{crd="clusterimportpolicies.policy.clusterpedia.io"} 0`,
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("the metrics lack %s", line)
		}
	}
}

func parseObject(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o, err := parseYAML(text)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestWebhookNotReady: a replica is not ready before the API server trusts it, and says why.
func TestWebhookNotReady(t *testing.T) {
	f := newFixture(t)
	h := f.startHook("unready", 1)
	f.ready(h)
	f.remove(f.Dynamic.Resource(testbed.Webhooks), "unready")
	f.eventually(soon, func(ctx context.Context) error {
		code, body, err := get(ctx, "http://"+h.probes[0]+"/readyz")
		if err == nil && (code != http.StatusServiceUnavailable || !strings.Contains(body, "there is no ValidatingWebhookConfiguration unready")) {
			err = fmt.Errorf("%d %s", code, body)
		}
		return err
	})
}

// TestWebhookReplicas: three replicas that start on an empty Secret agree on one authority, and while it is replaced,
// twice, no policy is refused.
func TestWebhookReplicas(t *testing.T) {
	f := newFixture(t)
	f.ApplyText(`{apiVersion: v1, kind: Secret, metadata: {name: replicas-ca, namespace: clusterimport-system}}`)
	h := f.startHook("replicas", 3, "--webhook-ca-lifetime=18s", "--webhook-serving-lifetime=10s")
	f.ready(h)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var load sync.WaitGroup
	var accepted, failed atomic.Int64
	for i := range 4 {
		load.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				object := parseObject(t, hookPolicy(fmt.Sprintf("replicas-%d-%d", i, n), "replicas", "true"))
				_, err := f.Dynamic.Resource(policies).Create(ctx, object, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
				switch {
				case err == nil:
					accepted.Add(1)
				case ctx.Err() == nil:
					failed.Add(1)
					t.Errorf("a policy is refused: %v", err)
				}
			}
		})
	}
	var authorities []string
	secret := f.Dynamic.Resource(secrets).Namespace("clusterimport-system")
	f.eventually(90*time.Second, func(ctx context.Context) error {
		object, err := secret.Get(ctx, "replicas-ca", metav1.GetOptions{})
		if err != nil {
			return err
		}
		current, _, _ := unstructured.NestedString(object.Object, "data", "tls.crt")
		if len(authorities) == 0 || authorities[len(authorities)-1] != current {
			authorities = append(authorities, current)
		}
		if len(authorities) < 3 {
			return fmt.Errorf("%d authorities", len(authorities))
		}
		return nil
	})
	stop()
	load.Wait()
	t.Logf("%d policies accepted, %d failed", accepted.Load(), failed.Load())
	if accepted.Load() < 100 {
		t.Errorf("only %d policies were asked about", accepted.Load())
	}
	for _, c := range h.replicas {
		c.End(syscall.SIGTERM)
		leaks(t, "log", c.Log(), "PRIVATE KEY")
	}
}

// TestDeadWebhook: when no replica lives, policies are refused, and everything else goes on.
func TestDeadWebhook(t *testing.T) {
	f := newFixture(t)
	f.ApplyFile("examples/mcp/crd.yaml")
	h := f.startHook("dead", 1)
	f.ready(h)
	f.ApplyText(strings.Replace(hookPolicy("dead", "dead", "true"), "metadata: {", "metadata: {finalizers: [example.com/hold], ", 1))
	h.replicas[0].End(syscall.SIGKILL)

	client := f.Dynamic.Resource(policies)
	refused := func(what string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "failed calling webhook") {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := client.Create(t.Context(), parseObject(t, hookPolicy("dead-2", "dead", "true")), metav1.CreateOptions{})
	refused("a new policy", err)
	_, err = client.Patch(t.Context(), "dead", types.MergePatchType, []byte(`{"spec":{"creationCondition":"false"}}`), metav1.PatchOptions{})
	refused("a new spec", err)

	f.Patch(client, "dead", `{"metadata":{"annotations":{"a":"b"}}}`)
	f.Patch(client, "dead", `{"status":{"observedGeneration":1}}`, "status")
	f.mcpCluster("dead-a", "token", "True")
	f.ApplyText(`{apiVersion: v1, kind: ConfigMap, metadata: {name: dead, namespace: default}, data: {a: b}}`)
	f.ApplyText(`{apiVersion: cluster.clusterpedia.io/v1alpha2, kind: PediaCluster, metadata: {name: dead}, spec: {apiserver: "https://x", syncResources: []}}`)
	f.remove(f.Dynamic.Resource(clusters), "dead")
	f.remove(client, "dead")
	f.Patch(client, "dead", `{"metadata":{"finalizers":null}}`)
	f.gone(client, "dead")
}

// TestWebhookSecrets: what is read from Secrets is not in answers, and what a policy holds is not in logs.
func TestWebhookSecrets(t *testing.T) {
	f := newFixture(t)
	f.installClusterAPI()
	h := f.startHook("discreet", 1, "-v", "6")
	f.ready(h)
	const canary = "c4n4ry-0f-th3-s3cret"
	f.ApplyText(`{apiVersion: v1, kind: Secret, metadata: {name: discreet, namespace: default}, stringData: {token: ` + canary + `}}`)
	policy := strings.Replace(hookPolicy("discreet", "discreet", `references.s.data.token == "`+canary+`" && source.nope`),
		"  nameTemplate:", "  references: [{key: s, group: \"\", resource: secrets, namespaceTemplate: default, nameTemplate: discreet}]\n  nameTemplate:", 1)
	out, err := kubectl(t, policy, "apply", "-f", "-")
	if err == nil || !strings.Contains(out, "source.nope") {
		t.Errorf("%v\n%s", err, out)
	}
	h.replicas[0].End(syscall.SIGTERM)
	leaks(t, "log", h.replicas[0].Log(), canary)
	leaks(t, "log", h.replicas[0].Log(), "PRIVATE KEY")
}

// TestCertificateFiles: a certificate that somebody else keeps is served, and its successor without a restart.
func TestCertificateFiles(t *testing.T) {
	f := newFixture(t)
	dir := t.TempDir()
	bundle := newCertificate(t, dir)
	h := f.startHook("files", 1, "--webhook-cert-mode=Files", "--webhook-cert-dir", dir)
	unready := func(why string) {
		t.Helper()
		f.eventually(30*time.Second, func(ctx context.Context) error {
			code, body, err := get(ctx, "http://"+h.probes[0]+"/readyz")
			if err == nil && (code != http.StatusServiceUnavailable || !strings.Contains(body, why)) {
				err = fmt.Errorf("%d %s", code, body)
			}
			return err
		})
	}
	unready("has no caBundle yet")
	inject := func(bundle []byte) {
		t.Helper()
		f.Patch(f.Dynamic.Resource(testbed.Webhooks), "files", fmt.Sprintf(`{"metadata":{"annotations":{"n":"%d"}}}`, len(bundle)))
		document := parseObject(t, "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: files}\nwebhooks: [{name: r0.policies.clusterimport.io}]")
		document.Object["webhooks"].([]any)[0].(map[string]any)["clientConfig"] = map[string]any{"caBundle": encode(bundle)}
		if _, err := f.Dynamic.Resource(testbed.Webhooks).Apply(t.Context(), "files", document, metav1.ApplyOptions{FieldManager: "cainjector", Force: true}); err != nil {
			t.Fatal(err)
		}
	}
	inject(bundle)
	f.ready(h)
	accepted := func(ctx context.Context) error {
		_, err := f.Dynamic.Resource(policies).Create(ctx, parseObject(t, hookPolicy("files", "files", "true")), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	}
	f.eventually(soon, accepted)
	next := newCertificate(t, dir)
	unready("does not trust the serving certificate")
	inject(bytes.Join([][]byte{bundle, next}, nil))
	f.ready(h)
	f.eventually(soon, accepted)
}

// chartDocuments are the documents of these kinds that the chart renders with its defaults.
func chartDocuments(t *testing.T, kinds ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "test/e2e/chart/testdata/default.golden.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for document := range strings.SplitSeq(string(data), "\n---\n") {
		if slices.ContainsFunc(kinds, func(kind string) bool { return strings.Contains(document, "\nkind: "+kind+"\n") }) {
			found = append(found, document)
		}
	}
	if len(found) != len(kinds) {
		t.Fatalf("the chart renders %d documents of %q", len(found), kinds)
	}
	return strings.Join(found, "\n---\n")
}

// TestPolicyAuthor: whoever makes a policy must be allowed to read what it reads. The rules are the chart's.
func TestPolicyAuthor(t *testing.T) {
	f := newFixture(t)
	rules := chartDocuments(t, "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
	f.ApplyText(strings.Replace(rules, "objectSelector: {}", "objectSelector: {matchLabels: {test: author}}", 1))
	t.Cleanup(func() {
		_ = f.Dynamic.Resource(schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicybindings"}).
			Delete(context.Background(), "clusterimport-author", metav1.DeleteOptions{})
	})
	f.ApplyText(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: author}
rules:
  - {apiGroups: [policy.clusterpedia.io], resources: [clusterimportpolicies], verbs: [create, get, update, patch]}
  - {apiGroups: [cluster.mcp.io], resources: [clusters], verbs: [list]}
  - {apiGroups: [""], resources: [configmaps], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: author}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: author}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: alice}]
`)
	alice := f.as("alice").Resource(policies)
	cases := map[string]struct {
		reason, source, references, want string
	}{
		"Readable":  {"what she may read she may have read", "{group: cluster.mcp.io, resource: clusters}", `[{key: c, group: "", resource: configmaps, nameTemplate: a}]`, ""},
		"Source":    {"she may not list Secrets", `{group: "", resource: secrets}`, "[]", "you may not list the source, secrets, in all namespaces"},
		"Reference": {"she may not get Secrets", "{group: cluster.mcp.io, resource: clusters}", `[{key: s, group: "", resource: secrets, nameTemplate: a}]`, "you may not get all references, secrets, in all namespaces"},
		"Other":     {"a right in one group is none in another", "{group: other.io, resource: clusters}", "[]", "you may not list the source, clusters.other.io"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object := parseObject(t, strings.NewReplacer("NAME", "author-"+strings.ToLower(name), "SOURCE", tc.source, "REFERENCES", tc.references).Replace(`
apiVersion: policy.clusterpedia.io/v1alpha1
kind: ClusterImportPolicy
metadata: {name: NAME, labels: {test: author}}
spec: {source: SOURCE, references: REFERENCES, nameTemplate: a, template: "spec: {}", creationCondition: "true"}
`))
			// The API server takes up a new policy, and new rights, after a moment.
			fixture := f.in(t)
			fixture.eventually(soon, func(ctx context.Context) error {
				_, err := alice.Create(ctx, object, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
				if tc.want == "" {
					return err
				}
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					return fmt.Errorf("%s: got %w", tc.reason, err)
				}
				return nil
			})
		})
	}
}
