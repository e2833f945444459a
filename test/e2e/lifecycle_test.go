package e2e_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterimport/clusterimport/test/e2e/testbed"
)

// owners waits until a PediaCluster has so many owners, and returns it.
func (f *fixture) owners(name string, count int) *unstructuredObject {
	f.t.Helper()
	var object *unstructuredObject
	f.eventually(soon, func(ctx context.Context) (err error) {
		object, err = f.Dynamic.Resource(clusters).Get(ctx, name, metav1.GetOptions{})
		if err == nil && len(object.GetOwnerReferences()) != count {
			err = fmt.Errorf("%s has the owners %v", name, object.GetOwnerReferences())
		}
		return err
	})
	return object
}

// TestOrphan: with deletionPolicy: Orphan a PediaCluster outlives its lifecycle and its policy, on a server whose garbage
// collector runs; conflictPolicy: Adopt takes it up again.
func TestOrphan(t *testing.T) {
	f := newFixture(t)
	f.ApplyFile("examples/mcp/crd.yaml")
	startController(t)
	f.mcpPolicy("orphan")
	f.mcpCluster("orphan-a", "one", "True")
	f.mcpCluster("orphan-b", "two", "True")
	f.token("orphan-orphan-a", "one", soon)
	f.token("orphan-orphan-b", "two", soon)
	f.owners("orphan-orphan-a", 1)
	f.Patch(f.Dynamic.Resource(policies), "orphan", `{"spec":{"deletionPolicy":"Orphan"}}`)
	f.owners("orphan-orphan-a", 0)
	f.owners("orphan-orphan-b", 0)
	f.remove(f.Dynamic.Resource(mcps), "orphan-a")
	f.gone(f.Dynamic.Resource(lifecycles), "orphan-orphan-a")
	f.remove(f.Dynamic.Resource(policies), "orphan")
	f.gone(f.Dynamic.Resource(lifecycles), "orphan-orphan-b")
	f.exists(f.Dynamic.Resource(clusters), "orphan-orphan-a")
	f.exists(f.Dynamic.Resource(clusters), "orphan-orphan-b")

	f.mcpPolicy("orphan")
	f.condition(f.Dynamic.Resource(lifecycles), "orphan-orphan-b", "Ready", "False", "PediaClusterExisted")
	f.Patch(f.Dynamic.Resource(secrets).Namespace("default"), "orphan-b", `{"stringData":{"token":"three"}}`)
	f.Patch(f.Dynamic.Resource(policies), "orphan", `{"spec":{"conflictPolicy":"Adopt"}}`)
	f.token("orphan-orphan-b", "three", soon)
	f.condition(f.Dynamic.Resource(lifecycles), "orphan-orphan-b", "Ready", "True", "Imported")
	f.owners("orphan-orphan-b", 1)
	f.remove(f.Dynamic.Resource(policies), "orphan")
	f.gone(f.Dynamic.Resource(clusters), "orphan-orphan-b")
	f.exists(f.Dynamic.Resource(clusters), "orphan-orphan-a")
	f.remove(f.Dynamic.Resource(clusters), "orphan-orphan-a")
}

// TestDryRun: a dry run says what it would write; paused, a policy does not even that.
func TestDryRun(t *testing.T) {
	f := newFixture(t)
	f.ApplyFile("examples/mcp/crd.yaml")
	startController(t)
	f.mcpPolicy("dry")
	f.Patch(f.Dynamic.Resource(policies), "dry", `{"spec":{"mode":"DryRun"}}`)
	f.mcpCluster("dry-a", "one", "True")
	f.condition(f.Dynamic.Resource(lifecycles), "dry-dry-a", "Created", "False", "DryRun")
	f.gone(f.Dynamic.Resource(clusters), "dry-dry-a")
	f.Patch(f.Dynamic.Resource(policies), "dry", `{"spec":{"mode":"Apply"}}`)
	f.token("dry-dry-a", "one", soon)

	f.Patch(f.Dynamic.Resource(policies), "dry", `{"metadata":{"annotations":{"policy.clusterpedia.io/paused":"true"}}}`)
	f.condition(f.Dynamic.Resource(lifecycles), "dry-dry-a", "Ready", "Unknown", "Paused")
	f.Patch(f.Dynamic.Resource(secrets).Namespace("default"), "dry-a", `{"stringData":{"token":"two"}}`)
	f.mcpCluster("dry-b", "other", "True")
	f.remove(f.Dynamic.Resource(mcps), "dry-a")
	f.condition(f.Dynamic.Resource(policies), "dry", "Ready", "True", "Paused")
	f.token("dry-dry-a", "one", time.Second)
	f.Patch(f.Dynamic.Resource(policies), "dry", `{"metadata":{"annotations":{"policy.clusterpedia.io/paused":null}}}`)
	f.token("dry-dry-b", "other", soon)
	f.gone(f.Dynamic.Resource(clusters), "dry-dry-a")
	f.remove(f.Dynamic.Resource(policies), "dry")
}

// TestBudgetOfRemovals: when every source goes at once, no more PediaClusters go than the budget has, over a restart
// too, until a user releases the others.
func TestBudgetOfRemovals(t *testing.T) {
	f := newFixture(t)
	f.ApplyFile("examples/mcp/crd.yaml")
	first := startController(t)
	f.mcpPolicy("budget")
	f.Patch(f.Dynamic.Resource(policies), "budget", `{"spec":{"maxDeletions":"40%"}}`)
	const count = 5
	for i := range count {
		f.mcpCluster(fmt.Sprintf("budget-%d", i), "token", "True")
	}
	f.awaitFleet("budget", count)
	for i := range count {
		f.remove(f.Dynamic.Resource(mcps), fmt.Sprintf("budget-%d", i))
	}
	f.condition(f.Dynamic.Resource(policies), "budget", "DeletionsHeld", "True", "BudgetExceeded")
	f.remaining("budget", 3)
	first.End(syscall.SIGTERM)
	startController(t)
	f.mcpCluster("budget-9", "token", "True")
	f.awaitFleet("budget", 4)
	f.remaining("budget", 4)
	f.Patch(f.Dynamic.Resource(policies), "budget", `{"metadata":{"annotations":{"policy.clusterpedia.io/release-deletions":"seen"}}}`)
	f.remaining("budget", 1)
	f.condition(f.Dynamic.Resource(policies), "budget", "DeletionsHeld", "False", "WithinBudget")
	f.remove(f.Dynamic.Resource(policies), "budget")
}

// remaining waits until so many PediaClusters of a fleet are left and the policy says that it holds as many as it
// should.
func (f *fixture) remaining(prefix string, count int) {
	f.t.Helper()
	f.eventually(soon, func(ctx context.Context) error {
		left, err := f.imported(ctx, prefix)
		if err == nil && left != count {
			err = fmt.Errorf("%d are left, not %d", left, count)
		}
		return err
	})
}

// TestKindDefinedAnew: objects that went with their kind are not proven gone by a kind of the same name without them, and
// those that come back take up what was imported.
func TestKindDefinedAnew(t *testing.T) {
	f := newFixture(t)
	startController(t)
	renamed := []string{"cluster.mcp.io", "anew.example.com", "name: mcp\n", "name: anew\n", "mcp-${", "anew-${"}
	f.ApplyFile("examples/mcp/rbac.yaml", "cluster.mcp.io", "anew.example.com", "clusterimport-mcp", "clusterimport-anew")
	f.ApplyFile("examples/mcp/crd.yaml", renamed...)
	f.ApplyFile("examples/mcp/policy.yaml", append(renamed, "creationCondition", "maxDeletions: 100%\n  creationCondition")...)
	f.ApplyFile("examples/mcp/objects.yaml", renamed...)
	f.spec("anew-cluster-1", soon)
	before := f.owners("anew-cluster-1", 1).GetUID()
	f.remove(f.Dynamic.Resource(testbed.Definitions), "clusters.anew.example.com")
	f.gone(f.Dynamic.Resource(testbed.Definitions), "clusters.anew.example.com")
	f.condition(f.Dynamic.Resource(policies), "anew", "SourceAvailable", "False", "FailedNegotiateSourceResource")
	f.ApplyFile("examples/mcp/crd.yaml", renamed...)
	f.condition(f.Dynamic.Resource(policies), "anew", "SourceAvailable", "True", "Watched")
	f.condition(f.Dynamic.Resource(lifecycles), "anew-cluster-1", "Ready", "Unknown", "SourceResourceNotFound")
	f.ApplyFile("examples/mcp/objects.yaml", renamed...)
	f.condition(f.Dynamic.Resource(lifecycles), "anew-cluster-1", "Ready", "True", "Imported")
	if after := f.owners("anew-cluster-1", 1).GetUID(); after != before {
		t.Error("the PediaCluster is another one")
	}
	source := f.Dynamic.Resource(schema.GroupVersionResource{Group: "anew.example.com", Version: "v1", Resource: "clusters"})
	f.remove(source, "cluster-1")
	f.gone(f.Dynamic.Resource(clusters), "anew-cluster-1")
	f.remove(f.Dynamic.Resource(policies), "anew")
}

// TestQuietRestart: a controller that starts on a settled fleet writes nothing.
func TestQuietRestart(t *testing.T) {
	f := newFixture(t)
	f.ApplyFile("examples/mcp/crd.yaml")
	first := startController(t)
	f.mcpPolicy("quiet")
	f.mcpCluster("quiet-a", "one", "True")
	f.mcpCluster("quiet-b", "two", "False")
	f.condition(f.Dynamic.Resource(lifecycles), "quiet-quiet-a", "Ready", "True", "Imported")
	f.condition(f.Dynamic.Resource(lifecycles), "quiet-quiet-b", "Ready", "False", "WaitCreationCondition")
	f.counts("quiet", "1", "1")
	first.End(syscall.SIGTERM)
	before := f.versions("quiet", "quiet-quiet-a", "quiet-quiet-b")
	startController(t)
	// The new controller has planned everything when it has done something new.
	f.mcpCluster("quiet-c", "three", "True")
	f.token("quiet-quiet-c", "three", soon)
	after := f.versions("", "quiet-quiet-a", "quiet-quiet-b")
	for name, version := range after {
		if before[name] != version {
			t.Errorf("%s was written", name)
		}
	}
	f.remove(f.Dynamic.Resource(policies), "quiet")
}

// counts waits until a policy counts its sources so.
func (f *fixture) counts(policy, imported, waiting string) {
	f.t.Helper()
	f.eventually(soon, func(ctx context.Context) error {
		object, err := f.Dynamic.Resource(policies).Get(ctx, policy, metav1.GetOptions{})
		if err != nil {
			return err
		}
		sources, _, err := unstructured.NestedMap(object.Object, "status", "sources")
		if err == nil && (fmt.Sprint(sources["imported"]) != imported || fmt.Sprint(sources["waiting"]) != waiting) {
			err = fmt.Errorf("sources are %v", sources)
		}
		return err
	})
}

// versions are the resourceVersions of a policy, unless it has no name, of lifecycles and of their PediaClusters.
func (f *fixture) versions(policy string, names ...string) map[string]string {
	f.t.Helper()
	versions := map[string]string{}
	get := func(kind schema.GroupVersionResource, name string) {
		object, err := f.Dynamic.Resource(kind).Get(f.t.Context(), name, metav1.GetOptions{})
		if err == nil {
			versions[kind.Resource+"/"+name] = object.GetResourceVersion()
		}
	}
	if policy != "" {
		get(policies, policy)
	}
	for _, name := range names {
		get(lifecycles, name)
		get(clusters, name)
	}
	return versions
}

// TestDeletionCondition: a condition removes the PediaCluster of a source that is there, with the rights that the
// controller has, and gives it back when it is false again.
func TestDeletionCondition(t *testing.T) {
	f := newFixture(t)
	f.ApplyFile("examples/mcp/crd.yaml")
	startController(t)
	f.mcpPolicy("retire")
	f.Patch(f.Dynamic.Resource(policies), "retire",
		`{"spec":{"deletionCondition":"source.metadata.?labels[?\"retired\"].orValue(\"\") == \"yes\""}}`)
	f.mcpCluster("retire-a", "token", "True")
	f.token("retire-retire-a", "token", soon)
	f.Patch(f.Dynamic.Resource(mcps), "retire-a", `{"metadata":{"labels":{"retired":"yes"}}}`)
	f.condition(f.Dynamic.Resource(lifecycles), "retire-retire-a", "Created", "False", "DeletionCondition")
	f.gone(f.Dynamic.Resource(clusters), "retire-retire-a")
	f.Patch(f.Dynamic.Resource(mcps), "retire-a", `{"metadata":{"labels":{"retired":"no"}}}`)
	f.token("retire-retire-a", "token", soon)
	f.remove(f.Dynamic.Resource(policies), "retire")
}
