package chart_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterimport/clusterimport/test/e2e/cluster"
)

// TestInstallOverOlder: an upgrade from a release whose definitions lack a field adds it, and no policy loses it.
func TestInstallOverOlder(t *testing.T) {
	s := newStage(t, "HELM4_BIN")
	s.must(installArgs...)
	// The release before this one did not know allowInsecure: as if it had written the definition.
	name := definitionNames[0]
	older := s.get(definitions, name)
	delete(specFields(t, older), "allowInsecure")
	if _, err := s.Dynamic.Resource(definitions).Update(t.Context(), older, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	s.must(upgradeArgs...)
	if specFields(t, s.get(definitions, name))["allowInsecure"] == nil {
		t.Error("the upgrade has not added the field")
	}
	if nested(t, s.get(policies, "karmada"), "spec", "allowInsecure") != true {
		t.Error("the field is pruned")
	}
}

// TestInstallOwnKinds: a role with the label adds to what the controller may read, and stands in no upgrade's way.
func TestInstallOwnKinds(t *testing.T) {
	s := newStage(t, "HELM4_BIN")
	s.must(installArgs...)
	s.ApplyText(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: mcp, labels: {rbac.policy.clusterpedia.io/aggregate-to-controller: "true"}}
rules:
  - {apiGroups: [cluster.mcp.io], resources: [clusters], verbs: [get, list, watch]}
`)
	s.ApplyFile("examples/mcp/crd.yaml")
	s.ApplyFile("examples/mcp/policy.yaml")
	s.ApplyFile("examples/mcp/objects.yaml")
	imported := func(name string) {
		s.eventually(func(ctx context.Context) error {
			_, err := s.Dynamic.Resource(clusters).Get(ctx, name, metav1.GetOptions{})
			return err
		})
	}
	imported("mcp-cluster-1")
	s.must(append(upgradeArgs, "--set", "replicas=1")...)
	s.ApplyText(`
apiVersion: cluster.mcp.io/v1
kind: Cluster
metadata: {name: cluster-2}
spec: {apiEndpoint: "https://172.10.10.11:6443", authSecretRef: {namespace: default, name: cluster-1}}
status: {conditions: [{type: Ready, status: "True"}]}
`)
	imported("mcp-cluster-2")
	s.must(uninstallArgs...)
	s.eventually(func(context.Context) error {
		if left := s.leftovers(); len(left) > 0 {
			return fmt.Errorf("the release leaves %q", left)
		}
		return nil
	})
}

// TestInstallForeignPolicies: what somebody else made stays as it is until it is to be adopted; what is switched off
// stays until it is to be pruned; and an uninstall that is told to takes what was imported along.
func TestInstallForeignPolicies(t *testing.T) {
	s := newStage(t, "HELM4_BIN")
	s.foreignDefinitions("kubectl", nil)
	s.ApplyFile("examples/cluster-api/gotemplate.yaml")
	s.must(installArgs...)
	if s.isBundled("cluster-api") || !s.isBundled("karmada") {
		t.Error("cluster-api must be left to whom made it, and karmada must not")
	}
	s.must(append(upgradeArgs, "--set", "bundledPolicies.adopt=true,policies.karmada.enabled=false")...)
	if !s.isBundled("cluster-api") || !s.isBundled("karmada") {
		t.Error("cluster-api must be adopted, and karmada must stay")
	}
	s.must(append(upgradeArgs, "--set", "bundledPolicies.prune=true,policies.karmada.enabled=false,bundledPolicies.deleteOnUninstall=true")...)
	if diff := cmp.Diff([]string{"cluster-api", "vcluster"}, s.names(policies)); diff != "" {
		t.Errorf("after pruning (-want +got)\n%s", diff)
	}
	s.ApplyFile("examples/vcluster/objects.yaml")
	s.eventually(func(ctx context.Context) error {
		_, err := s.Dynamic.Resource(clusters).Get(ctx, "vc-default-vcluster-1", metav1.GetOptions{})
		return err
	})
	s.must(uninstallArgs...)
	s.eventually(func(context.Context) error {
		if left := append(append(s.names(policies), s.names(lifecycles)...), s.names(clusters)...); len(left) > 0 {
			return fmt.Errorf("an uninstall that was to remove everything leaves %q", left)
		}
		return nil
	})
}

func (s *stage) isBundled(policy string) bool {
	s.t.Helper()
	return s.get(policies, policy).GetLabels()["policy.clusterpedia.io/bundled"] == "true"
}

// TestInstallAuthors: nobody has the controller read for them what they may not read themselves.
func TestInstallAuthors(t *testing.T) {
	s := newStage(t, "HELM4_BIN")
	s.must(installArgs...)
	s.ApplyText(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: alice}
rules:
  - {apiGroups: [policy.clusterpedia.io], resources: [clusterimportpolicies, pediaclusterlifecycles], verbs: ["*"]}
  - {apiGroups: [cluster.x-k8s.io], resources: [clusters], verbs: [list]}
  - {apiGroups: [""], resources: [configmaps], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: alice}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: alice}
subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: alice}]
`)
	alice := s.as("alice")
	cases := map[string]struct{ reason, source, reference, want string }{
		"Both":      {"she may list the source and get the reference", "cluster.x-k8s.io/clusters", "/configmaps", ""},
		"Source":    {"she may get ConfigMaps, but not list them", "/configmaps", "", "you may not list the source, configmaps"},
		"Secrets":   {"she may not read Secrets, so nobody does it for her", "/secrets", "", "you may not list the source, secrets"},
		"Reference": {"nor by a reference", "cluster.x-k8s.io/clusters", "/secrets", "you may not get all references, secrets"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for resource, object := range authored(strings.ToLower("alice-"+name), tc.source, tc.reference) {
				_, err := alice.Resource(resource).Create(t.Context(), object, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
				if tc.want == "" && err != nil || tc.want != "" && (!apierrors.IsForbidden(err) || !strings.Contains(err.Error(), tc.want)) {
					t.Errorf("%s: %s: want %q, got %v", tc.reason, resource.Resource, tc.want, err)
				}
			}
		})
	}
	// What is there may be relabelled by somebody who may not read what it reads, but not be led elsewhere.
	label := []byte(`{"metadata":{"labels":{"a":"b"}}}`)
	if _, err := alice.Resource(policies).Patch(t.Context(), "vcluster", types.MergePatchType, label, metav1.PatchOptions{}); err != nil {
		t.Error(err)
	}
	spec := []byte(`{"spec":{"nameTemplate":"mine-${source.metadata.name}"}}`)
	if _, err := alice.Resource(policies).Patch(t.Context(), "vcluster", types.MergePatchType, spec, metav1.PatchOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("the spec is changed: %v", err)
	}
}

// authored are a policy and a lifecycle of this source and reference, given as group/resource.
func authored(name, source, reference string) map[schema.GroupVersionResource]*unstructured.Unstructured {
	object := func(kind, text string) *unstructured.Unstructured {
		o := &unstructured.Unstructured{}
		if err := json.Unmarshal([]byte(text), &o.Object); err != nil {
			panic(err)
		}
		o.SetAPIVersion("policy.clusterpedia.io/v1alpha1")
		o.SetKind(kind)
		o.SetName(name)
		return o
	}
	group, resource, _ := strings.Cut(source, "/")
	references := ""
	if g, r, found := strings.Cut(reference, "/"); found {
		references = fmt.Sprintf(`{"key": "r", "group": %q, "resource": %q, "nameTemplate": "a", "namespaceTemplate": "b", "version": "v1"}`, g, r)
	}
	policy := fmt.Sprintf(`{"spec": {"source": {"group": %q, "resource": %q}, "references": [%s], "nameTemplate": "a",
		"template": "spec: {syncResources: []}", "creationCondition": "true"}}`, group, resource, strings.ReplaceAll(references, `, "version": "v1"`, ""))
	lifecycle := fmt.Sprintf(`{"spec": {"source": {"group": %q, "version": "v1", "resource": %q, "name": "a"}, "references": [%s],
		"template": "spec: {syncResources: []}", "creationCondition": "true"}}`, group, resource, references)
	return map[schema.GroupVersionResource]*unstructured.Unstructured{
		policies: object("ClusterImportPolicy", policy), lifecycles: object("PediaClusterLifecycle", lifecycle),
	}
}

// as is a client of a user, who may do what RBAC grants.
func (s *stage) as(user string) dynamic.Interface {
	s.t.Helper()
	config, err := s.plane.UserConfig(user)
	if err != nil {
		s.t.Fatal(err)
	}
	rest, err := clientcmd.NewDefaultClientConfig(*config, nil).ClientConfig()
	if err != nil {
		s.t.Fatal(err)
	}
	client, err := dynamic.NewForConfig(rest)
	if err != nil {
		s.t.Fatal(err)
	}
	return client
}

// TestInstallDryRun: the API server takes every object of every set of values without a warning or an unknown field, in
// a namespace for restricted Pods.
func TestInstallDryRun(t *testing.T) {
	s := newStage(t, "HELM4_BIN")
	for _, name := range []string{"team-a", "team-b", "monitoring"} {
		s.ApplyText("{apiVersion: v1, kind: Namespace, metadata: {name: " + name + "}}")
	}
	s.neighbours()
	for _, variant := range variants {
		for key, o := range objects(t, render(t, "HELM4_BIN", "--values", valuesFile(variant),
			"--set", "metrics.prometheusRule.enabled=true,dashboards.enabled=true,dashboards.namespace=monitoring")) {
			if err := s.Check(t.Context(), o); err != nil {
				t.Errorf("%s: %s: %v", variant, key, err)
			}
			if pod := podOf(o); pod != nil {
				if err := s.Check(t.Context(), pod); err != nil {
					t.Errorf("%s: a Pod of %s: %v", variant, key, err)
				}
			}
		}
	}
	// The check is one: a Pod that is not restricted is refused.
	pod := podOf(objects(t, render(t, "HELM4_BIN", "--set", "securityContext.allowPrivilegeEscalation=true"))["Deployment clusterimport"])
	if err := s.Check(t.Context(), pod); err == nil || !strings.Contains(err.Error(), "restricted") {
		t.Errorf("a Pod with privileges is taken: %v", err)
	}
}

// podOf is a Pod of a workload's template.
func podOf(o *unstructured.Unstructured) *unstructured.Unstructured {
	template, found, _ := unstructured.NestedMap(o.Object, "spec", "template")
	if !found {
		return nil
	}
	pod := &unstructured.Unstructured{Object: template}
	pod.SetAPIVersion("v1")
	pod.SetKind("Pod")
	pod.SetName(o.GetName())
	pod.SetNamespace(namespace)
	return pod
}

// neighbours installs the definitions of the Prometheus Operator and of cert-manager, as data from their Go modules.
func (s *stage) neighbours() {
	s.t.Helper()
	const operator, manager = "github.com/prometheus-operator/prometheus-operator@v0.85.0", "github.com/cert-manager/cert-manager@v1.21.2"
	for file, module := range map[string]string{
		"example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml": operator,
		"example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml":     operator,
		"example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml": operator,
		"deploy/crds/cert-manager.io_certificates.yaml":                              manager,
		"deploy/crds/cert-manager.io_issuers.yaml":                                   manager,
	} {
		definition, err := cluster.ModuleFile(s.t.Context(), module, file)
		if err != nil {
			s.t.Fatal(err)
		}
		s.ApplyText(string(definition))
	}
}
