package controller

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	clusterv1alpha2 "github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
)

// handle connects the informers of the controller's own kinds to the queues.
func (c *Controller) handle() error {
	if err := on(c.policies, func(p *v1alpha1.ClusterImportPolicy, _ bool) { c.policyLoop.queue.Add(p.Name) }); err != nil {
		return err
	}
	if err := on(c.lifecycles, c.lifecycleChanged); err != nil {
		return err
	}
	if err := on(c.clusters, func(p *clusterv1alpha2.PediaCluster, _ bool) { c.lifecycleLoop.queue.Add(p.Name) }); err != nil {
		return err
	}
	return on(c.crds, func(crd *metav1.PartialObjectMetadata, _ bool) {
		c.defined.Store(crd.Name, true)
		c.kindsChanged()
	})
}

// on calls changed for every change of an object, with its last known state when it is deleted.
func on[T cache.Object](informer cache.TypedSharedIndexInformer[T], changed func(obj T, deleted bool)) error {
	_, err := informer.AddTypedEventHandler(cache.TypedResourceEventHandlerFuncs[T]{
		AddFunc:    func(obj T) { changed(obj, false) },
		UpdateFunc: func(_, obj T) { changed(obj, false) },
		DeleteFunc: func(obj cache.DeletedObject[T]) {
			if any(obj.OptionalObj) != nil {
				changed(obj.OptionalObj, true)
			}
		},
	})
	return err
}

// lifecycleChanged plans the lifecycle, its source, and those who wait for its name.
func (c *Controller) lifecycleChanged(l *v1alpha1.PediaClusterLifecycle, deleted bool) {
	c.lifecycleLoop.queue.Add(l.Name)
	if deleted {
		for _, key := range c.tally.waitersFor(l.Name) {
			c.sourceLoop.queue.Add(key)
		}
	}
	owner := metav1.GetControllerOf(l)
	if owner == nil || owner.Kind != v1alpha1.ClusterImportPolicyKind.Kind {
		return
	}
	counted := l
	if deleted {
		counted = nil
	}
	if c.tally.lifecycleChanged(owner.Name, l.Name, counted) {
		c.policyLoop.queue.AddAfter(owner.Name, statusDelay)
	}
	c.sourceLoop.queue.Add(sourceOf(owner.Name, l))
}

func sourceOf(policy string, l *v1alpha1.PediaClusterLifecycle) sourceKey {
	return sourceKey{policy, types.NamespacedName{Namespace: l.Spec.Source.Namespace, Name: l.Spec.Source.Name}}
}

// kindsChanged plans every policy anew: a kind came, changed or went.
func (c *Controller) kindsChanged() {
	c.resources.Invalidate()
	c.schemas.Invalidate()
	for _, name := range c.policies.GetStore().ListKeys() {
		c.policyLoop.queue.Add(name)
	}
}

// objectChanged plans what depends on an object of a kind that a policy named.
func (c *Controller) objectChanged(gvr schema.GroupVersionResource, name types.NamespacedName) {
	for _, policy := range c.registry.importing(gvr) {
		c.sourceLoop.queue.Add(sourceKey{policy, name})
	}
	for _, lifecycle := range c.references.dependents(objectKey{gvr.GroupResource(), name}) {
		c.lifecycleLoop.queue.Add(lifecycle)
	}
}

// watchChanged plans the policies that watch a kind whose watch has synced, failed or recovered, and all that
// could not be decided before.
func (c *Controller) watchChanged(gvr schema.GroupVersionResource) {
	for _, name := range c.registry.watching(gvr) {
		c.policyLoop.queue.Add(name)
		c.enqueueFleet(name)
	}
}

// enqueueFleet plans every source and lifecycle of a policy.
func (c *Controller) enqueueFleet(name string) {
	active := c.registry.get(name)
	if active == nil {
		return
	}
	for _, source := range c.watches.Names(gvrOf(active.Source)) {
		c.sourceLoop.queue.Add(sourceKey{name, source})
	}
	for _, l := range c.lifecyclesOf(active.Policy.UID) {
		c.sourceLoop.queue.Add(sourceOf(name, l))
		c.lifecycleLoop.queue.Add(l.Name)
	}
}

func (c *Controller) lifecyclesOf(policy types.UID) []*v1alpha1.PediaClusterLifecycle {
	list, err := c.lifecycles.GetTypedIndexer().ByTypedIndex(byPolicy, string(policy))
	if err != nil {
		return nil // the index exists
	}
	return list
}
