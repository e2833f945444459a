package controller

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	clusterv1alpha2 "github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
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
	if ok, err := r.claimed(ctx, key); !ok {
		return recheck, err
	}
	seen := r.sourceEvents.take(key)
	state := r.gatherSource(active, key)
	plan, outcome := lifecycle.PlanSource(ctx, state)
	if plan.Removes() {
		if err := r.confirmSource(ctx, &state, key); err != nil {
			r.sourceEvents.see(key, seen)
			return 0, err
		}
		plan, outcome = lifecycle.PlanSource(ctx, state)
	}
	r.tally.freeze(state.Owner)
	changed := r.tally.sourceChanged(key, outcome)
	if changed && outcome.Reason == v1alpha1.ReasonNameConflict {
		r.Observer.Operated(key.Policy, OperationCreate, ErrConflict)
	}
	r.tell(key.Policy, changed, r.tally.sourceDue(key, plan.Due), r.tally.planned(key))
	// What the event leads to is done by the lifecycle, which may be planned before its creation has returned.
	name := brought(plan)
	r.lifecycleEvents.see(name, seen)
	err := r.act(ctx, active.Policy, plan)
	if err != nil {
		r.sourceEvents.see(key, seen)
		r.lifecycleEvents.take(name)
	}
	return again(plan), err
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

// tell plans a policy whose numbers have changed. The first removal that is due does not wait for others.
func (r *Reconcilers) tell(policy string, changed bool, due dueChange, settled bool) {
	switch {
	case due == firstDue || settled:
		r.Queues.Policies.Add(policy)
	case changed || due == someDue:
		r.Queues.Policies.AddAfter(policy, statusDelay)
	}
}

func (r *Reconcilers) gatherSource(active *lifecycle.ActivePolicy, key SourceKey) lifecycle.SourceState {
	object, unknown := r.Watches.Get(gvrOf(active.Source), key.Source)
	switch {
	case r.undefined(active.Source): // and what a cache still has is no proof either
		object, unknown = nil, beingRemoved
	case object == nil && unknown == "":
		unknown = r.withdrawn(active.Source)
	}
	return lifecycle.SourceState{
		Policy: active, Owner: sameObject(r.Caches.policy(active.Policy.Name), active.Policy.UID), Namespace: key.Source.Namespace, Name: key.Source.Name,
		Source:     lifecycle.Lookup{Object: object, Unknown: unknown},
		Definition: r.definitionOf(gvrOf(active.Source).GroupResource()),
		Deletions:  r.deletions(active.Policy.Name, active.Policy.UID),
		Owned:      r.Caches.lifecyclesFor(active.Policy.UID, active.Source, key.Source),
		ByName:     r.Caches.lifecycle,
		Cluster:    r.Caches.cluster,
	}
}

// confirmSource replaces what caches know of a source, of its policy and of the PediaClusters that would go, by what the
// API server says: a cache may be behind, and a removal cannot be taken back.
func (r *Reconcilers) confirmSource(ctx context.Context, state *lifecycle.SourceState, key SourceKey) error {
	object, err := r.Watches.Fetch(ctx, gvrOf(state.Policy.Source), key.Source)
	if err != nil {
		return err
	}
	state.Source = lifecycle.Lookup{Object: object}
	if state.Owner, err = r.fetchPolicy(ctx, key.Policy, state.Policy.Policy.UID); err != nil {
		return err
	}
	if object == nil {
		if err := r.confirmKind(ctx, state); err != nil {
			return err
		}
	}
	clusters := map[string]*clusterv1alpha2.PediaCluster{}
	for _, l := range state.Owned {
		if clusters[l.Name], err = r.fetchCluster(ctx, l.Name); err != nil {
			return err
		}
	}
	state.Cluster = func(name string) *clusterv1alpha2.PediaCluster { return clusters[name] }
	return nil
}

// confirmKind adds to a source that is gone whether its kind is going too, and which definition it has now. Each kind
// has a watch of its own: of the object's end the cache may have heard before of the end of its kind.
func (r *Reconcilers) confirmKind(ctx context.Context, state *lifecycle.SourceState) error {
	name := gvrOf(state.Policy.Source).GroupResource().String()
	_, defined := r.defined.Load(name)
	switch crd, err := r.Definition(ctx, name); {
	case apierrors.IsNotFound(err) && !defined: // no CRD ever defined it
	case err != nil && !apierrors.IsNotFound(err):
		return fmt.Errorf("cannot ask whether %s is being removed: %w", name, err)
	case err != nil || crd.DeletionTimestamp != nil:
		state.Source.Unknown = beingRemoved
	default:
		state.Definition = lifecycle.Definition{UID: crd.UID, Created: crd.CreationTimestamp}
	}
	return nil
}

// beingRemoved is why an object that does not exist is no proof: all objects of its kind go with the kind, which says
// nothing about the clusters that they described.
const beingRemoved = "its kind is being removed"

// fetchCluster asks the API server for a PediaCluster; nil when there is none.
func (r *Reconcilers) fetchCluster(ctx context.Context, name string) (*clusterv1alpha2.PediaCluster, error) {
	cluster, err := r.Clusters.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // there is none, and that is the answer
	}
	return cluster, err
}

// fetchPolicy asks the API server for a policy; nil when there is none, or another of that name.
func (r *Reconcilers) fetchPolicy(ctx context.Context, name string, uid types.UID) (*v1alpha1.ClusterImportPolicy, error) {
	p, err := r.Policies.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // there is none, and that is the answer
	}
	return sameObject(p, uid), err
}

// sameObject is a policy if it has that UID, else nil.
func sameObject(p *v1alpha1.ClusterImportPolicy, uid types.UID) *v1alpha1.ClusterImportPolicy {
	if p == nil || p.UID != uid {
		return nil
	}
	return p
}

// definitionOf is the definition of a kind as the cache has it.
func (r *Reconcilers) definitionOf(kind schema.GroupResource) lifecycle.Definition {
	crd := r.Caches.definition(kind.String())
	if crd == nil {
		return lifecycle.Definition{}
	}
	return lifecycle.Definition{UID: crd.UID, Created: crd.CreationTimestamp}
}

// undefined reports whether the definition of a kind is gone.
func (r *Reconcilers) undefined(source v1alpha1.ResolvedResource) bool {
	name := gvrOf(source).GroupResource().String()
	_, defined := r.defined.Load(name)
	return defined && r.Caches.definition(name) == nil
}

// withdrawn says, of an object that is not in its cache, why that is no proof.
func (r *Reconcilers) withdrawn(source v1alpha1.ResolvedResource) string {
	if _, err := r.Watches.Status(gvrOf(source)); err != nil {
		return "its kind cannot be watched"
	}
	if crd := r.Caches.definition(gvrOf(source).GroupResource().String()); crd != nil && crd.DeletionTimestamp != nil {
		return beingRemoved
	}
	return ""
}
