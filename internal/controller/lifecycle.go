package controller

import (
	"context"
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	clusterv1alpha2 "github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/kube"
	"github.com/clusterimport/clusterimport/pkg/lifecycle"
)

// reconcileLifecycle decides about the PediaCluster of one lifecycle.
func (c *Controller) reconcileLifecycle(ctx context.Context, name string) (time.Duration, error) {
	l := c.lifecycle(name)
	if l == nil {
		c.references.set(name, nil)
		return 0, nil
	}
	state := c.gatherLifecycle(l)
	// The source is watched before it is read: a change in between is then an event.
	c.references.set(name, append([]v1alpha1.DependentResource{l.Spec.Source}, l.Status.References...))
	plan := lifecycle.PlanCluster(ctx, state)
	c.references.set(name, plan.Watch)
	return 0, c.actOnCluster(ctx, state, plan.Plan)
}

func (c *Controller) gatherLifecycle(l *v1alpha1.PediaClusterLifecycle) lifecycle.ClusterState {
	state := lifecycle.ClusterState{Now: c.Now(), Lifecycle: l, Read: c.read, Cluster: c.cluster(l.Name)}
	if owner := metav1.GetControllerOf(l); owner != nil {
		p := c.policy(owner.Name)
		state.PolicyExists = p != nil && p.UID == owner.UID
		state.Policy = c.registry.byUID(owner.Name, owner.UID)
	}
	return state
}

// read answers from the cache of a watched kind.
func (c *Controller) read(r v1alpha1.DependentResource) lifecycle.Lookup {
	object, unknown := c.watches.Get(r.GroupVersionResource(), types.NamespacedName{Namespace: r.Namespace, Name: r.Name})
	return lifecycle.Lookup{Object: object, Unknown: unknown}
}

func (c *Controller) cluster(name string) *clusterv1alpha2.PediaCluster {
	return cached[clusterv1alpha2.PediaCluster](c.clusters.GetStore(), name)
}

// actOnCluster carries out a plan; when the PediaCluster cannot be written, the status says so before the next
// try.
func (c *Controller) actOnCluster(ctx context.Context, state lifecycle.ClusterState, plan lifecycle.Plan) error {
	err := c.act(ctx, state.Lifecycle, plan)
	failed, ok := errors.AsType[*actionError](err)
	if !ok || isRace(err) || ctx.Err() != nil {
		return err
	}
	var status lifecycle.SetLifecycleStatus
	switch failed.action.(type) {
	case lifecycle.CreateCluster:
		status = lifecycle.CreationFailed(state, kube.Explain(failed.err))
	case lifecycle.PatchCluster:
		status = lifecycle.PatchFailed(state, kube.Explain(failed.err))
	default:
		return err
	}
	return errors.Join(err, c.setLifecycleStatus(ctx, status))
}
