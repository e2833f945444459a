package e2e_test

import (
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// legacyFleet is one imported cluster as Clusterpedia's controllers leave it: NAME is its name and the policy's.
const legacyFleet = `
apiVersion: policy.clusterpedia.io/v1alpha1
kind: PediaClusterLifecycle
metadata:
  name: NAME-NAME-a
  finalizers: [clusterpedia.io/pediacluster-lifecycle-controller]
  ownerReferences:
    - {apiVersion: policy.clusterpedia.io/v1alpha1, kind: ClusterImportPolicy, name: NAME, uid: OWNER, controller: true, blockOwnerDeletion: true}
spec:
  source: {group: cluster.mcp.io, version: v1, resource: clusters, name: NAME-a}
  references:
    - {key: authSecret, group: "", version: v1, resource: secrets, namespaceTemplate: "{{ .source.spec.authSecretRef.namespace }}", nameTemplate: "{{ .source.spec.authSecretRef.name }}"}
  template: "spec: {}"
  creationCondition: "true"
status:
  references: [{group: "", version: v1, resource: secrets, namespace: default, name: NAME-a}]
  conditions:
    - {type: Created, status: "True", reason: PediaClusterCreated, message: "", lastTransitionTime: "2024-01-01T00:00:00Z"}
    - {type: Updating, status: "True", reason: PediaClusterUpdated, message: "", lastTransitionTime: "2024-01-01T00:00:00Z"}
`

const legacyCluster = `
apiVersion: cluster.clusterpedia.io/v1alpha2
kind: PediaCluster
metadata:
  name: NAME-NAME-a
  ownerReferences: [{apiVersion: policy.clusterpedia.io/v1alpha1, kind: PediaClusterLifecycle, name: NAME-NAME-a, uid: OWNER}]
spec:
  apiserver: https://NAME-a:6443
  caData: Y2E=
  tokenData: dG9rZW4=
  syncResources: [{group: "", resources: [pods]}]
`

// TestTakeOver: a fleet that Clusterpedia's controllers built is followed without a write to its PediaClusters, and goes in
// spite of the finalizers that they left.
func TestTakeOver(t *testing.T) {
	f := newFixture(t)
	f.ApplyFile("examples/mcp/crd.yaml")
	f.mcpCluster("legacy-a", "token", "True")
	f.mcpPolicy("legacy")
	f.Patch(f.Dynamic.Resource(policies), "legacy", `{"metadata":{"finalizers":["clusterpedia.io/cluster-import-policy-controller"]}}`)
	named := strings.ReplaceAll(legacyFleet, "NAME", "legacy")
	f.ApplyText(strings.ReplaceAll(named, "OWNER", string(f.object(f.Dynamic.Resource(policies).Get(t.Context(), "legacy", metav1.GetOptions{})).GetUID())))
	named = strings.ReplaceAll(legacyCluster, "NAME", "legacy")
	f.ApplyText(strings.ReplaceAll(named, "OWNER", string(f.object(f.Dynamic.Resource(lifecycles).Get(t.Context(), "legacy-legacy-a", metav1.GetOptions{})).GetUID())))
	before := f.owners("legacy-legacy-a", 1)

	startController(t)
	f.condition(f.Dynamic.Resource(lifecycles), "legacy-legacy-a", "Ready", "True", "Imported")
	if diff := cmp.Diff(before, f.owners("legacy-legacy-a", 1)); diff != "" {
		t.Errorf("the PediaCluster was written (-before +after)\n%s", diff)
	}
	f.Patch(f.Dynamic.Resource(secrets).Namespace("default"), "legacy-a", `{"stringData":{"token":"rotated"}}`)
	f.token("legacy-legacy-a", "rotated", soon)
	f.remove(f.Dynamic.Resource(mcps), "legacy-a")
	f.gone(f.Dynamic.Resource(lifecycles), "legacy-legacy-a")
	f.gone(f.Dynamic.Resource(clusters), "legacy-legacy-a")
	f.remove(f.Dynamic.Resource(policies), "legacy")
	f.gone(f.Dynamic.Resource(policies), "legacy")
}

// TestGivingBack: what is left when the controller is gone is what Clusterpedia's own controllers work with: documented
// fields in the specs, their owners, and no finalizer that would wait for us.
func TestGivingBack(t *testing.T) {
	f := newFixture(t)
	f.ApplyFile("examples/mcp/crd.yaml")
	c := startController(t)
	f.mcpPolicy("back")
	f.mcpCluster("back-a", "token", "True")
	f.token("back-back-a", "token", soon)
	f.condition(f.Dynamic.Resource(lifecycles), "back-back-a", "Created", "True", "PediaClusterCreated")
	c.End(syscall.SIGTERM)

	policy := f.object(f.Dynamic.Resource(policies).Get(t.Context(), "back", metav1.GetOptions{}))
	lifecycle := f.object(f.Dynamic.Resource(lifecycles).Get(t.Context(), "back-back-a", metav1.GetOptions{}))
	imported := f.owners("back-back-a", 1)
	for _, object := range []*unstructured.Unstructured{policy, lifecycle, imported} {
		if len(object.GetFinalizers()) > 0 {
			t.Errorf("%s %s has the finalizers %v", object.GetKind(), object.GetName(), object.GetFinalizers())
		}
	}
	if owner := metav1.GetControllerOf(lifecycle); owner == nil || owner.UID != policy.GetUID() {
		t.Errorf("the policy does not control its lifecycle: %v", lifecycle.GetOwnerReferences())
	}
	if owner := imported.GetOwnerReferences()[0]; owner.UID != lifecycle.GetUID() || owner.Controller != nil && *owner.Controller {
		t.Errorf("the owner of the PediaCluster is %v", owner)
	}
	spec, _, err := unstructured.NestedMap(lifecycle.Object, "spec")
	if err != nil {
		t.Fatal(err)
	}
	documented := []string{"creationCondition", "references", "source", "template"}
	if diff := cmp.Diff(documented, slices.Sorted(maps.Keys(spec))); diff != "" {
		t.Errorf("the fields of a lifecycle's spec (-documented +got)\n%s", diff)
	}
	if want, got := policy.Object["spec"].(map[string]any)["template"], spec["template"]; want != got {
		t.Errorf("the template of the lifecycle is not that of the policy: %v", got)
	}
	// Nobody of ours runs: the garbage collector alone takes all of it away.
	f.remove(f.Dynamic.Resource(policies), "back")
	f.gone(f.Dynamic.Resource(policies), "back")
	f.gone(f.Dynamic.Resource(lifecycles), "back-back-a")
	f.gone(f.Dynamic.Resource(clusters), "back-back-a")
}

// object is one that exists.
func (f *fixture) object(object *unstructured.Unstructured, err error) *unstructured.Unstructured {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
	return object
}
