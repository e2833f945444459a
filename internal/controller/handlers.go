package controller

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	clusterv1alpha2 "github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/kube"
)

// The reconcilers are told of every change of a cached object, after the cache has it. They only enqueue.

// PolicyChanged plans a policy, and the removals that its status admits.
func (r *Reconcilers) PolicyChanged(p *v1alpha1.ClusterImportPolicy) {
	r.Queues.Policies.Add(p.Name)
	r.enqueueRemovals(p.Name, p.Status.Deletions)
}

// ClusterChanged plans the lifecycle of a PediaCluster.
func (r *Reconcilers) ClusterChanged(p *clusterv1alpha2.PediaCluster) { r.planLifecycle(p.Name) }

// planSource and planLifecycle plan what an event may change.
func (r *Reconcilers) planSource(key SourceKey) {
	r.sourceEvents.see(key, r.Now())
	r.Queues.Sources.Add(key)
}

func (r *Reconcilers) planLifecycle(name string) {
	r.lifecycleEvents.see(name, r.Now())
	r.Queues.Lifecycles.Add(name)
}

// DefinitionChanged plans every policy anew: a kind came, changed or went. When a kind comes again, its sources are
// planned too: what was not decided while it was being removed is decided now.
func (r *Reconcilers) DefinitionChanged(crd *metav1.PartialObjectMetadata) {
	if before, known := r.defined.Swap(crd.Name, crd.UID); known && before != crd.UID {
		for _, policy := range r.registry.following(schema.ParseGroupResource(crd.Name)) {
			r.enqueueFleet(policy)
		}
	}
	r.Kinds.Invalidate()
	r.Schemas.Invalidate()
	for _, name := range r.Caches.Policies.ListKeys() {
		r.Queues.Policies.Add(name)
	}
}

// LifecycleChanged plans the lifecycle, its source, and those who wait for its name: it may be free, or taken.
func (r *Reconcilers) LifecycleChanged(l *v1alpha1.PediaClusterLifecycle, deleted bool) {
	r.Queues.Lifecycles.Add(l.Name)
	comesOrGoes := deleted
	if owner := metav1.GetControllerOf(l); owner != nil && owner.Kind == v1alpha1.ClusterImportPolicyKind.Kind {
		counted := l
		if deleted {
			counted = nil
		}
		if r.tally.lifecycleChanged(owner.Name, l.Name, counted) {
			comesOrGoes = true
			r.Queues.Policies.AddAfter(owner.Name, statusDelay)
		}
		r.Queues.Sources.Add(sourceOf(owner.Name, l))
	}
	if comesOrGoes {
		for _, key := range r.tally.waitersFor(l.Name) {
			r.planSource(key)
		}
	}
}

func sourceOf(policy string, l *v1alpha1.PediaClusterLifecycle) SourceKey {
	return SourceKey{policy, types.NamespacedName{Namespace: l.Spec.Source.Namespace, Name: l.Spec.Source.Name}}
}

// ObjectChanged plans what depends on an object of a kind that a policy named. An update that changes nothing that is
// read costs no more than that is found.
func (r *Reconcilers) ObjectChanged(change kube.Change) {
	for _, policy := range r.registry.importing(change.Kind) {
		if r.registry.concerns(policy, change) {
			r.planSource(SourceKey{policy, change.Name})
		}
	}
	for _, name := range r.references.dependents(objectKey{change.Kind.GroupResource(), change.Name}) {
		if r.concernsLifecycle(name, change) {
			r.planLifecycle(name)
		}
	}
}

func (r *Reconcilers) concernsLifecycle(name string, change kube.Change) bool {
	l := r.Caches.lifecycle(name)
	if l == nil {
		return true
	}
	owner := metav1.GetControllerOf(l)
	return owner == nil || r.registry.concerns(owner.Name, change)
}

// WatchChanged plans the policies that watch a kind whose watch has synced, failed or recovered, and all that
// could not be decided before.
func (r *Reconcilers) WatchChanged(gvr schema.GroupVersionResource) {
	for _, name := range r.registry.watching(gvr) {
		r.Queues.Policies.Add(name)
		r.enqueueFleet(name)
	}
}

// enqueueFleet plans every source and lifecycle of a policy.
func (r *Reconcilers) enqueueFleet(name string) {
	active := r.registry.get(name)
	if active == nil {
		return
	}
	kind := gvrOf(active.Source)
	// Whether all are listed is asked before they are: none is then missed.
	listed, err := r.Watches.Status(kind)
	sources := map[SourceKey]bool{}
	for _, source := range r.Watches.Names(kind) {
		sources[SourceKey{name, source}] = true
	}
	// A source that failed and is gone since may be in no list.
	for _, source := range r.tally.failing(name) {
		sources[SourceKey{name, source}] = true
	}
	for _, l := range r.Caches.lifecyclesOf(active.Policy.UID) {
		sources[sourceOf(name, l)] = true
		r.planLifecycle(l.Name)
	}
	if listed && err == nil && r.tally.await(name, kind, sources) {
		r.Queues.Policies.Add(name)
	}
	for key := range sources {
		r.planSource(key)
	}
}
