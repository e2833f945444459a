package controller

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/lifecycle"
)

// reconcileSource decides about the lifecycle of one source of one policy.
func (c *Controller) reconcileSource(ctx context.Context, key sourceKey) (time.Duration, error) {
	active := c.registry.get(key.policy)
	if active == nil {
		return 0, nil
	}
	state, err := c.gatherSource(active, key)
	if err != nil {
		return 0, err
	}
	plan, outcome := lifecycle.PlanSource(ctx, state)
	if c.tally.sourceChanged(key, outcome) {
		c.policyLoop.queue.AddAfter(key.policy, statusDelay)
	}
	return 0, c.act(ctx, active.Policy, plan)
}

func (c *Controller) gatherSource(active *lifecycle.ActivePolicy, key sourceKey) (lifecycle.SourceState, error) {
	state := lifecycle.SourceState{
		Policy: active, Namespace: key.source.Namespace, Name: key.source.Name, ByName: c.lifecycle,
	}
	object, unknown := c.watches.Get(gvrOf(active.Source), key.source)
	if object == nil && unknown == "" {
		unknown = c.withdrawn(active.Source)
	}
	state.Source = lifecycle.Lookup{Object: object, Unknown: unknown}
	var err error
	state.Owned, err = c.lifecycles.GetTypedIndexer().ByTypedIndex(bySource,
		sourceIndex(active.Policy.UID, active.Source.Group, active.Source.Resource, key.source))
	return state, err
}

// withdrawn says, of an object that is not in its cache, why that is no proof: its kind is being removed, and
// all of its objects with it, which says nothing about the clusters that they described.
func (c *Controller) withdrawn(source v1alpha1.ResolvedResource) string {
	if _, err := c.watches.Status(gvrOf(source)); err != nil {
		return "its kind cannot be watched"
	}
	name := gvrOf(source).GroupResource().String()
	crd := cached[metav1.PartialObjectMetadata](c.crds.GetStore(), name)
	if _, defined := c.defined.Load(name); defined && (crd == nil || crd.DeletionTimestamp != nil) {
		return "its kind is being removed"
	}
	return ""
}

func (c *Controller) lifecycle(name string) *v1alpha1.PediaClusterLifecycle {
	return cached[v1alpha1.PediaClusterLifecycle](c.lifecycles.GetStore(), name)
}
