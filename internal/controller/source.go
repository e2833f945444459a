package controller

import (
	"context"
	"time"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/lifecycle"
)

// reconcileSource decides about the lifecycle of one source of one policy.
func (r *Reconcilers) reconcileSource(ctx context.Context, key SourceKey) (time.Duration, error) {
	active := r.registry.get(key.Policy)
	if active == nil {
		r.sourceEvents.take(key)
		return 0, nil
	}
	seen := r.sourceEvents.take(key)
	plan, outcome := lifecycle.PlanSource(ctx, r.gatherSource(active, key))
	if r.tally.sourceChanged(key, outcome) {
		r.Queues.Policies.AddAfter(key.Policy, statusDelay)
		if outcome.Reason == v1alpha1.ReasonNameConflict {
			r.Observer.Operated(key.Policy, OperationCreate, ErrConflict)
		}
	}
	// What the event leads to is done by the lifecycle, which may be planned before its creation has returned.
	name := brought(plan)
	r.lifecycleEvents.see(name, seen)
	err := r.act(ctx, active.Policy, plan)
	if err != nil {
		r.sourceEvents.see(key, seen)
		r.lifecycleEvents.take(name)
	}
	return 0, err
}

// brought is the name of the lifecycle that a plan creates or brings in step, if it does.
func brought(plan lifecycle.Plan) string {
	for _, action := range plan.Actions {
		switch a := action.(type) {
		case lifecycle.CreateLifecycle:
			return a.Lifecycle.Name
		case lifecycle.UpdateLifecycle:
			return a.Lifecycle.Name
		}
	}
	return ""
}

func (r *Reconcilers) gatherSource(active *lifecycle.ActivePolicy, key SourceKey) lifecycle.SourceState {
	object, unknown := r.Watches.Get(gvrOf(active.Source), key.Source)
	if object == nil && unknown == "" {
		unknown = r.withdrawn(active.Source)
	}
	return lifecycle.SourceState{
		Policy: active, Namespace: key.Source.Namespace, Name: key.Source.Name,
		Source: lifecycle.Lookup{Object: object, Unknown: unknown},
		Owned:  r.Caches.lifecyclesFor(active.Policy.UID, active.Source, key.Source),
		ByName: r.Caches.lifecycle, Cluster: r.Caches.cluster,
	}
}

// withdrawn says, of an object that is not in its cache, why that is no proof: its kind is being removed, and
// all of its objects with it, which says nothing about the clusters that they described.
func (r *Reconcilers) withdrawn(source v1alpha1.ResolvedResource) string {
	if _, err := r.Watches.Status(gvrOf(source)); err != nil {
		return "its kind cannot be watched"
	}
	name := gvrOf(source).GroupResource().String()
	crd := r.Caches.definition(name)
	if _, defined := r.defined.Load(name); defined && (crd == nil || crd.DeletionTimestamp != nil) {
		return "its kind is being removed"
	}
	return ""
}
