package simulation

import (
	"context"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	clusterv1alpha2 "github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/controller"
	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// plant puts a bug into the controller, through what it is given. The zero plant puts none.
type plant struct {
	name string
	// within is how many steps it may take until the bug is caught.
	within int
	into   func(d *controller.Dependencies)
}

// plants are bugs that a controller of this kind had once, or might have. The simulation must catch each.
var plants = []plant{
	{"DropTheUIDCheck", 10_000, func(d *controller.Dependencies) {
		d.Caches.Clusters = anybodys{d.Caches.Clusters, d.Caches.Lifecycles}
	}},
	{"DeleteOnError", 10_000, func(d *controller.Dependencies) {
		d.Compile = func(spec *v1alpha1.ClusterImportPolicySpec, types policy.Types) (*policy.Policy, diag.List) {
			changed := spec.DeepCopy()
			if changed.Source.SelectorTemplate == selectors[2].text {
				changed.Source.SelectorTemplate = selectors[1].text // says no where the other fails
			}
			return compile(changed, types)
		}
	}},
	{"ForgetARetry", 10_000, func(d *controller.Dependencies) {
		d.Queues.Policies = forgetful[string]{d.Queues.Policies}
		d.Queues.Lifecycles = forgetful[string]{d.Queues.Lifecycles}
		d.Queues.Sources = forgetful[controller.SourceKey]{d.Queues.Sources}
	}},
	{"BlankOnEmptyKey", 10_000, func(d *controller.Dependencies) {
		d.Lifecycles = blanking{d.Lifecycles, d.Clusters}
	}},
	{"ClaimTwice", rare, func(d *controller.Dependencies) { d.Lifecycles = hasty{d.Lifecycles} }},
	{"PatchByName", rare, func(d *controller.Dependencies) { d.Clusters = careless{d.Clusters} }},
}

// rare is for bugs that only a race of several events shows: about one run in 75.
const rare = 300_000

// TestPlantedBugs is the test of the tests: each planted bug is caught in time, and what is printed of it is short and
// still shows it.
func TestPlantedBugs(t *testing.T) {
	const length = 1000
	for _, p := range plants {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			if p.within == rare && (raceEnabled || testing.Short()) {
				t.Skip("takes long")
			}
			for seed := range uint64(p.within / length) {
				found := random(seed, length)
				if run(found, p).err == nil {
					continue
				}
				short, want := shrink(found, p)
				printed, err := parseScript(short.String())
				if err != nil {
					t.Fatal(err)
				}
				if got := run(printed, p); got.sort != want.sort || len(printed) > length/10 {
					t.Errorf("what was printed has %d steps and ends with %v:\n%s", len(printed), got.err, short)
				}
				t.Logf("seed %d: %v\n%s", seed, want.err, short)
				return
			}
			t.Errorf("not caught within %d steps", p.within)
		})
	}
}

// anybodys shows every PediaCluster as if the lifecycle of its name owned it.
type anybodys struct {
	cache.Indexer

	lifecycles cache.Indexer
}

// GetByKey implements cache.Store.
func (a anybodys) GetByKey(key string) (any, bool, error) {
	item, exists, err := a.Indexer.GetByKey(key)
	l, _, _ := a.lifecycles.GetByKey(key)
	cluster, ok := item.(*clusterv1alpha2.PediaCluster)
	owner, found := l.(*v1alpha1.PediaClusterLifecycle)
	if !ok || !found {
		return item, exists, err
	}
	cluster = cluster.DeepCopy()
	cluster.OwnerReferences = []metav1.OwnerReference{{Kind: v1alpha1.PediaClusterLifecycleKind.Kind, Name: owner.Name, UID: owner.UID}}
	return cluster, exists, err
}

// forgetful does not try again.
type forgetful[K comparable] struct{ controller.Queue[K] }

// AddRateLimited implements controller.Queue.
func (forgetful[K]) AddRateLimited(K) {}

// lifecycleWriter is what some plants change.
type lifecycleWriter = controller.Writer[*v1alpha1.PediaClusterLifecycle]

// blanking writes what is not known as blank, when a status says that it is not known.
type blanking struct {
	lifecycleWriter

	clusters controller.Writer[*clusterv1alpha2.PediaCluster]
}

// Patch implements controller.Writer.
func (b blanking) Patch(
	ctx context.Context, name string, how types.PatchType, document []byte, options metav1.PatchOptions, subresources ...string,
) (*v1alpha1.PediaClusterLifecycle, error) {
	if strings.Contains(string(document), v1alpha1.ReasonUpdateHeld) {
		_, _ = b.clusters.Patch(ctx, name, types.MergePatchType, []byte(`{"spec": {"tokenData": null}}`), metav1.PatchOptions{})
	}
	return b.lifecycleWriter.Patch(ctx, name, how, document, options, subresources...)
}

// hasty makes what was created look old, so that nobody waits until the cache has it.
type hasty struct{ lifecycleWriter }

// Create implements controller.Writer.
func (h hasty) Create(ctx context.Context, l *v1alpha1.PediaClusterLifecycle, options metav1.CreateOptions) (*v1alpha1.PediaClusterLifecycle, error) {
	created, err := h.lifecycleWriter.Create(ctx, l, options)
	if err == nil {
		created = created.DeepCopy()
		created.ResourceVersion = "1"
	}
	return created, err
}

// careless patches whatever has the name.
type careless struct {
	controller.Writer[*clusterv1alpha2.PediaCluster]
}

// Patch implements controller.Writer.
func (c careless) Patch(
	ctx context.Context, name string, how types.PatchType, document []byte, options metav1.PatchOptions, subresources ...string,
) (*clusterv1alpha2.PediaCluster, error) {
	_, spec, _ := strings.Cut(string(document), `"spec":`)
	return c.Writer.Patch(ctx, name, how, []byte(`{"spec":`+spec), options, subresources...)
}
