package controller

import (
	"context"
	"errors"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/kube"
	"github.com/clusterimport/clusterimport/pkg/lifecycle"
)

// reconcileLifecycle decides about the PediaCluster of one lifecycle.
func (r *Reconcilers) reconcileLifecycle(ctx context.Context, name string) (time.Duration, error) {
	seen := r.lifecycleEvents.take(name)
	l := r.Caches.lifecycle(name)
	if l == nil {
		r.references.set(name, nil)
		return 0, nil
	}
	state := r.gatherLifecycle(l)
	// The source is watched before it is read: a change in between is then an event.
	r.references.set(name, append([]v1alpha1.DependentResource{l.Spec.Source}, l.Status.References...))
	plan := lifecycle.PlanCluster(ctx, state)
	r.references.set(name, plan.Watch)
	err := r.actOnCluster(ctx, state, plan.Plan)
	switch {
	case wrote(plan.Plan, err) && !seen.IsZero():
		r.Observer.Imported(r.Now().Sub(seen))
	case err != nil:
		r.lifecycleEvents.see(name, seen)
	}
	return 0, err
}

// wrote reports whether a plan's PediaCluster was written. It comes first in the plan: what failed after it is tried
// again without it.
func wrote(plan lifecycle.Plan, err error) bool {
	writes := func(a lifecycle.Action) bool { return operationOf(a) != "" }
	if failed, ok := errors.AsType[*actionError](err); ok && writes(failed.action) {
		return false
	}
	return slices.ContainsFunc(plan.Actions, writes)
}

func (r *Reconcilers) gatherLifecycle(l *v1alpha1.PediaClusterLifecycle) lifecycle.ClusterState {
	state := lifecycle.ClusterState{Now: r.Now(), Lifecycle: l, Read: r.read, Cluster: r.Caches.cluster(l.Name)}
	if owner := metav1.GetControllerOf(l); owner != nil {
		p := r.Caches.policy(owner.Name)
		state.PolicyExists = p != nil && p.UID == owner.UID
		state.Policy = r.registry.byUID(owner.Name, owner.UID)
	}
	return state
}

// read answers from the cache of a watched kind.
func (r *Reconcilers) read(o v1alpha1.DependentResource) lifecycle.Lookup {
	object, unknown := r.Watches.Get(o.GroupVersionResource(), types.NamespacedName{Namespace: o.Namespace, Name: o.Name})
	return lifecycle.Lookup{Object: object, Unknown: unknown}
}

// actOnCluster carries out a plan; when the PediaCluster cannot be written, the status says so before the next
// try.
func (r *Reconcilers) actOnCluster(ctx context.Context, state lifecycle.ClusterState, plan lifecycle.Plan) error {
	err := r.act(ctx, state.Lifecycle, plan)
	failed, ok := errors.AsType[*actionError](err)
	if !ok || isRace(err) || ctx.Err() != nil {
		return err
	}
	var status lifecycle.SetLifecycleStatus
	switch failed.action.(type) {
	case lifecycle.CreateCluster:
		status = lifecycle.CreationFailed(state, kube.Explain(failed.err))
	case lifecycle.PatchCluster, lifecycle.MarkCluster:
		status = lifecycle.PatchFailed(state, kube.Explain(failed.err))
	default:
		return err
	}
	return errors.Join(err, r.setLifecycleStatus(ctx, status))
}
