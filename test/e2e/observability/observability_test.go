package observability_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/cert"
	"sigs.k8s.io/yaml"
)

// TestObserved plays a fleet's life in one world: first in health, then one fault after the other.
func TestObserved(t *testing.T) {
	w := newWorld(t)
	begin := time.Now()
	fired := map[string]bool{}
	fires := func(within time.Duration, alerts ...string) {
		t.Helper()
		w.prometheus.fires(within, alerts...)
		for _, alert := range alerts {
			fired[alert] = true
		}
	}

	fires(time.Minute, "ClusterimportDown")
	w.holdLease(time.Hour)
	w.start("--webhook-cert-mode=Self", "--webhook-service", "clusterimport-system/observed", "--webhook-ca-secret", "observed-ca",
		"--webhook-extra-hosts", "127.0.0.1")
	fires(time.Minute, "ClusterimportNoLeader")
	if err := w.Dynamic.Resource(leases).Namespace("clusterimport-system").Delete(t.Context(), "clusterimport", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	w.prometheus.eventually(time.Minute, "it leads, and the webhook is trusted", func() error {
		values, err := w.prometheus.instant(`min(leader_election_master_status) + min(clusterimport_webhook_ca_injected)`, "")
		if err == nil && values[""] != 2 {
			err = fmt.Errorf("%v", values)
		}
		return err
	})

	w.inHealth()
	w.faultsOfPolicies(fires)
	w.faultsOfWrites(fires)
	w.checkMetrics()
	w.checkDashboards(begin, time.Now())
	w.faultsOfTheProcess(fires)

	for _, alert := range alertNames(t) {
		if !fired[alert] {
			t.Errorf("%s has no fault in this test", alert)
		}
	}
}

// holdLease gives the lease to a process that is not there.
func (w *world) holdLease(long time.Duration) {
	w.t.Helper()
	w.ApplyText(fmt.Sprintf(`
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: clusterimport, namespace: clusterimport-system}
spec: {holderIdentity: nobody, leaseDurationSeconds: %d, renewTime: %q}
`, int(long.Seconds()), time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")))
}

// inHealth imports, waits, rotates and removes, as happens all the time; nothing may fire.
func (w *world) inHealth() {
	w.t.Helper()
	later := time.Now().Add(90 * 24 * time.Hour)
	begin := time.Now()
	w.policy("healthy", isReady, "")
	for i := range 5 {
		w.source(fmt.Sprintf("healthy-%d", i), "True", later)
	}
	w.source("healthy-waits", "False", later)
	for i := range 5 {
		w.exists(clusters, fmt.Sprintf("healthy-%d", i), true)
	}
	before := w.exists(clusters, "healthy-0", true)
	w.source("healthy-0", "True", later.Add(time.Hour))
	w.prometheus.eventually(time.Minute, "the token is renewed", func() error {
		if after := w.exists(clusters, "healthy-0", true); after.GetResourceVersion() == before.GetResourceVersion() {
			return fmt.Errorf("resourceVersion %s", after.GetResourceVersion())
		}
		return nil
	})
	w.source("healthy-waits", "True", later)
	w.exists(clusters, "healthy-waits", true)
	if err := w.Dynamic.Resource(sources).Delete(w.t.Context(), "healthy-4", metav1.DeleteOptions{}); err != nil {
		w.t.Fatal(err)
	}
	w.exists(clusters, "healthy-4", false)
	w.refused()
	// Longer than a fault has to last.
	quiet := time.Now().Add(8 * time.Second)
	w.prometheus.eventually(time.Minute, "time passes", func() error {
		if left := time.Until(quiet); left > 0 {
			return fmt.Errorf("%s are left", left)
		}
		return nil
	})
	// An alert that ended as the controller came to lead is not one of the healthy fleet.
	found, err := w.prometheus.over(`ALERTS{alertstate="firing"}`, begin.Add(3*time.Second), time.Now(), 500*time.Millisecond)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, s := range found {
		w.t.Errorf("in health, %s fires: %v", s.Metric["alertname"], s.Metric)
	}
	seen, err := w.prometheus.instant(`sum by (state) (clusterimport_sources{policy="healthy"})`, "state")
	if err != nil || seen["imported"] != 5 || seen["waiting"] != 0 || seen["failed"] != 0 {
		w.t.Errorf("the healthy fleet is %v (%v)", seen, err)
	}
}

// refused asks for a policy that the webhook refuses.
func (w *world) refused() {
	w.t.Helper()
	wrong := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(`
apiVersion: policy.clusterpedia.io/v1alpha1
kind: ClusterImportPolicy
metadata: {name: refused, labels: {webhook: observed}}
spec:
  source: {group: cluster.mcp.io, resource: clusters}
  nameTemplate: ${source.metadata.
  template: "spec: {syncResources: []}"
  creationCondition: "true"
`), &wrong.Object); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.Dynamic.Resource(policies).Create(w.t.Context(), wrong, metav1.CreateOptions{}); err == nil {
		w.t.Error("the webhook takes a policy that does not parse")
	}
}

// faultsOfPolicies are what is wrong with policies and sources.
func (w *world) faultsOfPolicies(fires func(time.Duration, ...string)) {
	w.t.Helper()
	// Nobody asks the webhook about this one.
	w.ApplyText(`
apiVersion: policy.clusterpedia.io/v1alpha1
kind: ClusterImportPolicy
metadata: {name: broken}
spec:
  source: {group: cluster.mcp.io, resource: clusters}
  nameTemplate: ${source.nonsense(}
  template: "spec: {syncResources: []}"
  creationCondition: "true"
`)
	w.policy("failing", `'int(source.spec.apiEndpoint) > 0'`, "")
	w.source("failing-one", "True", time.Now().Add(90*24*time.Hour))
	w.source("healthy-ends", "True", time.Now().Add(24*time.Hour))

	w.policy("patient", isReady, "")
	w.source("patient-one", "False", time.Now().Add(90*24*time.Hour))
	w.backdate("patient-one", 2*time.Hour)

	w.policy("budget", isReady, "maxDeletions: 1")
	for i := range 3 {
		w.source(fmt.Sprintf("budget-%d", i), "True", time.Now().Add(90*24*time.Hour))
	}
	for i := range 3 {
		w.exists(clusters, fmt.Sprintf("budget-%d", i), true)
	}
	for i := range 3 {
		if err := w.Dynamic.Resource(sources).Delete(w.t.Context(), fmt.Sprintf("budget-%d", i), metav1.DeleteOptions{}); err != nil {
			w.t.Fatal(err)
		}
	}

	w.ApplyText(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: machines.forbidden.example.com}
spec:
  group: forbidden.example.com
  scope: Cluster
  names: {kind: Machine, plural: machines, singular: machine}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
---
apiVersion: policy.clusterpedia.io/v1alpha1
kind: ClusterImportPolicy
metadata: {name: forbidden}
spec:
  source: {group: forbidden.example.com, resource: machines}
  nameTemplate: ${source.metadata.name}
  template: "spec: {syncResources: []}"
  creationCondition: "true"
`)
	ctx, cancel := context.WithCancel(w.t.Context())
	churned := make(chan struct{})
	go func() {
		defer close(churned)
		w.churn(ctx, "failing-one")
	}()
	fires(90*time.Second, "ClusterimportPolicyNotReady", "ClusterimportPolicyEvaluationErrors", "ClusterimportClustersWaiting",
		"ClusterimportCredentialsExpiring", "ClusterimportDeletionsHeld", "ClusterimportWatchDown")
	cancel()
	<-churned
}

// churn changes a source several times a second: each change is one that its policy reads.
func (w *world) churn(ctx context.Context, name string) {
	for i := 0; ctx.Err() == nil; i++ {
		patch := fmt.Sprintf(`{"spec":{"apiEndpoint":"https://%d.example.com"}}`, i)
		_, _ = w.Dynamic.Resource(sources).Patch(ctx, name, "application/merge-patch+json", []byte(patch), metav1.PatchOptions{})
		select {
		case <-ctx.Done():
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// backdate lets a lifecycle have waited for a while.
func (w *world) backdate(name string, long time.Duration) {
	w.t.Helper()
	w.prometheus.eventually(time.Minute, name+" waits", func() error {
		l, err := w.Dynamic.Resource(lifecycles).Get(w.t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		conditions, _, _ := unstructured.NestedSlice(l.Object, "status", "conditions")
		found := false
		for _, item := range conditions {
			if condition, ok := item.(map[string]any); ok && condition["type"] == "Created" {
				condition["lastTransitionTime"], found = time.Now().Add(-long).UTC().Format(time.RFC3339), true
			}
		}
		if !found {
			return fmt.Errorf("its conditions are %v", conditions)
		}
		if err := unstructured.SetNestedSlice(l.Object, conditions, "status", "conditions"); err != nil {
			return err
		}
		_, err = w.Dynamic.Resource(lifecycles).UpdateStatus(w.t.Context(), l, metav1.UpdateOptions{})
		return err
	})
}

// faultsOfWrites keep the controller from writing PediaClusters for more than half a minute.
func (w *world) faultsOfWrites(fires func(time.Duration, ...string)) {
	w.t.Helper()
	w.ApplyText(`
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: no-stuck-clusters}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [cluster.clusterpedia.io], apiVersions: ["*"], resources: [pediaclusters], operations: [CREATE]}]
  validations: [{expression: '!object.metadata.name.startsWith("stuck-")'}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: no-stuck-clusters}
spec: {policyName: no-stuck-clusters, validationActions: [Deny]}
`)
	w.prometheus.eventually(time.Minute, "the API server refuses such clusters", func() error {
		probe := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": clusters.GroupVersion().String(), "kind": "PediaCluster", "metadata": map[string]any{"name": "stuck-probe"},
			"spec": map[string]any{"syncResources": []any{}},
		}}
		_, err := w.Dynamic.Resource(clusters).Create(w.t.Context(), probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err == nil {
			return errors.New("it took one")
		}
		return nil
	})
	w.policy("stuck", isReady, "")
	w.prometheus.eventually(time.Minute, "the counters of the policy are there", func() error {
		values, err := w.prometheus.instant(`clusterimport_import_operations_total{policy="stuck", result="error"}`, "operation")
		if err == nil && len(values) == 0 {
			err = fmt.Errorf("%v", values)
		}
		return err
	})
	w.source("stuck-one", "True", time.Now().Add(90*24*time.Hour))
	since := time.Now()
	fires(time.Minute, "ClusterimportImportStuck")
	w.prometheus.eventually(time.Minute, "the import is late", func() error {
		if late := time.Since(since); late < 35*time.Second {
			return fmt.Errorf("by %s", late)
		}
		return nil
	})
	binding := configurations.GroupVersion().WithResource("validatingadmissionpolicybindings")
	if err := w.Dynamic.Resource(binding).Delete(w.t.Context(), "no-stuck-clusters", metav1.DeleteOptions{}); err != nil {
		w.t.Fatal(err)
	}
	// The next try may be a minute away; a change is one too.
	w.prometheus.eventually(2*time.Minute, "the cluster is imported", func() error {
		w.Patch(w.Dynamic.Resource(sources), "stuck-one", fmt.Sprintf(`{"spec":{"apiEndpoint":"https://%d.example.com"}}`, time.Now().UnixNano()))
		_, err := w.Dynamic.Resource(clusters).Get(w.t.Context(), "stuck-one", metav1.GetOptions{})
		return err
	})
	fires(time.Minute, "ClusterimportImportLatencyHigh")
}

// faultsOfTheProcess need another process: one that is slow, on CRDs that are too old, with a certificate that ends.
func (w *world) faultsOfTheProcess(fires func(time.Duration, ...string)) {
	w.t.Helper()
	w.controller.End(syscall.SIGTERM)
	dir := w.t.TempDir()
	w.certificate(dir, time.Hour)
	w.olderDefinition()
	w.start("--webhook-cert-mode=Files", "--webhook-cert-dir", dir, "--workers=1", "--kube-api-qps=1", "--kube-api-burst=1")
	for i := range 300 {
		w.source(fmt.Sprintf("healthy-many-%d", i), "True", time.Now().Add(90*24*time.Hour))
	}
	fires(3*time.Minute, "ClusterimportCRDSchemaMismatch", "ClusterimportWebhookUntrusted", "ClusterimportWebhookCertificateExpiring",
		"ClusterimportQueueGrowing", "ClusterimportAPIThrottled")
	w.slowAnswer()
	fires(time.Minute, "ClusterimportWebhookSlow")
}

// certificate writes one that nobody signed and that ends soon.
func (w *world) certificate(dir string, long time.Duration) {
	w.t.Helper()
	crt, key, err := cert.GenerateSelfSignedCertKeyWithOptions(cert.SelfSignedCertKeyOptions{Host: "127.0.0.1", MaxAge: long})
	if err != nil {
		w.t.Fatal(err)
	}
	for name, text := range map[string][]byte{"tls.crt": crt, "tls.key": key} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
}

// olderDefinition takes a field away from a CRD.
func (w *world) olderDefinition() {
	w.t.Helper()
	crd, err := w.Dynamic.Resource(definitions).Get(w.t.Context(), "pediaclusterlifecycles.policy.clusterpedia.io", metav1.GetOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
	version, _ := versions[0].(map[string]any)
	unstructured.RemoveNestedField(version, "schema", "openAPIV3Schema", "properties", "status", "properties", "expires")
	if err := unstructured.SetNestedSlice(crd.Object, versions, "spec", "versions"); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.Dynamic.Resource(definitions).Update(w.t.Context(), crd, metav1.UpdateOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

// slowAnswer asks the webhook about a policy while the API server, which it asks in turn, stands still.
func (w *world) slowAnswer() {
	w.t.Helper()
	question, err := json.Marshal(map[string]any{
		"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
		"request": map[string]any{
			"uid": "slow", "operation": "CREATE", "name": "slow",
			"kind":     map[string]any{"group": policies.Group, "version": policies.Version, "kind": "ClusterImportPolicy"},
			"resource": map[string]any{"group": policies.Group, "version": policies.Version, "resource": policies.Resource},
			"object": map[string]any{
				"apiVersion": policies.GroupVersion().String(), "kind": "ClusterImportPolicy", "metadata": map[string]any{"name": "slow"},
				"spec": map[string]any{
					"source":       map[string]any{"group": sources.Group, "resource": sources.Resource},
					"nameTemplate": "${source.metadata.name}", "template": "spec: {syncResources: []}", "creationCondition": "true",
				},
			},
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.plane.Pause(); err != nil {
		w.t.Fatal(err)
	}
	resume := time.AfterFunc(4*time.Second, func() { _ = w.plane.Resume() })
	defer resume.Stop()
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	response, err := client.Post("https://"+w.hook+"/validate?timeout=10s", "application/json", bytes.NewReader(question))
	if err != nil {
		w.t.Fatal(err)
	}
	_ = response.Body.Close()
}

// checkMetrics lets promtool look at what is served.
func (w *world) checkMetrics() {
	w.t.Helper()
	text, err := fetch("http://" + w.address + "/metrics")
	if err != nil {
		w.t.Fatal(err)
	}
	tool := os.Getenv("PROMTOOL_BIN")
	if tool == "" {
		w.t.Fatal("PROMTOOL_BIN is not set: make prometheus builds the binary")
	}
	check := exec.Command(tool, "check", "metrics")
	check.Stdin = strings.NewReader(text)
	if out, err := check.CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
		w.t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// checkDashboards asks every query of every panel: all must have data, and numbers that are numbers.
func (w *world) checkDashboards(from, to time.Time) {
	w.t.Helper()
	values := strings.NewReplacer("$__rate_interval", "10s", "$job", ".*", "$namespace", ".*", "$policy", ".*")
	var recorded recording
	for file, panels := range installed(w.t) {
		for _, p := range panels {
			for _, target := range p.Targets {
				found, err := w.prometheus.over(values.Replace(target.Expr), from, to, time.Second)
				if err != nil {
					w.t.Errorf("%s, %s: %v", file, p.Title, err)
				}
				if !slices.ContainsFunc(found, hasNumber) {
					w.t.Errorf("%s, %s: %s gives no data", file, p.Title, target.Expr)
				}
				recorded.add(file, p.ID, target, found)
			}
		}
	}
	recorded.write(w.t, from, to)
}

// panel is what this test reads of a dashboard's panel.
type panel struct {
	ID      int      `json:"id"`
	Title   string   `json:"title"`
	Targets []target `json:"targets"`
}

type target struct {
	Expr         string `json:"expr"`
	LegendFormat string `json:"legendFormat"`
}

// installed are the panels of the chart's dashboards, by file.
func installed(t *testing.T) map[string][]panel {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "charts/clusterimport/dashboards/*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no dashboards: %v", err)
	}
	all := map[string][]panel{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var dashboard struct {
			Panels []panel `json:"panels"`
		}
		if err := json.Unmarshal(text, &dashboard); err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(file)] = dashboard.Panels
	}
	return all
}

func hasNumber(s series) bool {
	return slices.ContainsFunc(s.Values, func(pair [2]any) bool {
		value := number(pair)
		return !math.IsNaN(value) && !math.IsInf(value, 0)
	})
}

// alertNames are those of the chart's rules.
func alertNames(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "charts/clusterimport/alerts/clusterimport.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct{ Alert string }
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			names[r.Alert] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
