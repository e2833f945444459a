package controller

import (
	"context"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"

	clusterv1alpha2 "github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/kube"
	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// Dependencies are all that the reconcilers know of the world. The process fills them with informers, clients and
// work queues; the simulation, which drives the same reconcilers one step at a time, with its own.
type Dependencies struct {
	Caches  Caches
	Queues  Queues
	Watches Watches
	Kinds   *kube.Resources
	Schemas Schemas

	Policies   Writer[*v1alpha1.ClusterImportPolicy]
	Lifecycles Writer[*v1alpha1.PediaClusterLifecycle]
	Clusters   Writer[*clusterv1alpha2.PediaCluster]
	Recorder   events.EventRecorder

	// Definition asks the API server, and not the cache, for a CRD.
	Definition func(ctx context.Context, name string) (*metav1.PartialObjectMetadata, error)
	// Compile is policy.Compile, or something that remembers what it gave.
	Compile func(*v1alpha1.ClusterImportPolicySpec, policy.Types) (*policy.Policy, diag.List)
	// Observer is told what happens; nil is nobody.
	Observer Observer
	// Now is the clock.
	Now func() time.Time
}

// Watches are the caches of the kinds that policies name; see kube.WatchSet.
type Watches interface {
	// Set declares the kinds that owner needs, all of them, and what it reads of their objects.
	Set(owner string, kinds map[schema.GroupVersionResource]*expr.Reads)
	// Get returns what is read of an object, or nil; unknown says why it is not known whether there is one.
	Get(kind schema.GroupVersionResource, name types.NamespacedName) (object map[string]any, unknown string)
	// Status reports whether the first list of a kind has been handled, and the last error of its watch.
	Status(kind schema.GroupVersionResource) (synced bool, err error)
	// Names returns the names of all cached objects of a kind.
	Names(kind schema.GroupVersionResource) []types.NamespacedName
	// Fetch asks the API server for an object, and not the cache. It returns nil when the server says that there is
	// none, and an error when it does not say.
	Fetch(ctx context.Context, kind schema.GroupVersionResource, name types.NamespacedName) (map[string]any, error)
}

// Schemas are the shapes of objects, which may change; see kube.Schemas.
type Schemas interface {
	policy.Schemas

	// Invalidate says that a schema may have changed, Settles when to ask again because of that; 0 is not at all.
	Invalidate()
	Settles() time.Duration
}

// Writer is the part of a typed client that writes, and reads what is about to be removed or may have been written.
type Writer[T any] interface {
	Get(ctx context.Context, name string, options metav1.GetOptions) (T, error)
	Create(ctx context.Context, object T, options metav1.CreateOptions) (T, error)
	Update(ctx context.Context, object T, options metav1.UpdateOptions) (T, error)
	Delete(ctx context.Context, name string, options metav1.DeleteOptions) error
	Patch(
		ctx context.Context, name string, how types.PatchType, patch []byte, options metav1.PatchOptions, subresources ...string,
	) (T, error)
}

// Reconcilers are the three loops and what they remember. All of it follows from the caches: a process that starts
// anew comes to know it again.
type Reconcilers struct {
	Dependencies

	PolicyLoop    *Loop[string]
	SourceLoop    *Loop[SourceKey]
	LifecycleLoop *Loop[string]

	registry   *registry
	references *references
	tally      *tally
	claims     *claims
	compiled   *compiledPolicies
	// sourceEvents and lifecycleEvents are those that keys in the queues wait because of.
	sourceEvents    *arrivals[SourceKey]
	lifecycleEvents *arrivals[string]
	pruned          *prunedDeletions
	// defined are the names of all CRDs that were ever seen, with their last UID: a kind that had one and has none is
	// withdrawn.
	defined sync.Map
}

// statusDelay gathers the changes of many sources into one write of their policy's status.
const statusDelay = 500 * time.Millisecond

// NewReconcilers makes reconcilers that know nothing yet.
func NewReconcilers(d Dependencies) *Reconcilers {
	if d.Observer == nil {
		d.Observer = unobserved{}
	}
	r := &Reconcilers{
		Dependencies:    d,
		registry:        newRegistry(),
		references:      newReferences(),
		tally:           newTally(),
		claims:          newClaims(),
		compiled:        newCompiledPolicies(d.Compile, d.Observer),
		pruned:          newPrunedDeletions(),
		sourceEvents:    newArrivals[SourceKey](),
		lifecycleEvents: newArrivals[string](),
	}
	r.PolicyLoop = newLoop("policy", d.Queues.Policies, d.Observer.Passed, r.reconcilePolicy)
	r.SourceLoop = newLoop("source", d.Queues.Sources, d.Observer.Passed, r.reconcileSource)
	r.LifecycleLoop = newLoop("lifecycle", d.Queues.Lifecycles, d.Observer.Passed, r.reconcileLifecycle)
	return r
}
