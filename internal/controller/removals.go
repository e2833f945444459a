package controller

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
)

// prunedDeletions are the budgets that the API server does not keep: with the CRDs of Clusterpedia's chart the status has
// no such field. They then hold as long as the process does.
type prunedDeletions struct {
	mu       sync.Mutex
	byPolicy map[types.UID]*v1alpha1.Deletions
}

func newPrunedDeletions() *prunedDeletions {
	return &prunedDeletions{byPolicy: map[types.UID]*v1alpha1.Deletions{}}
}

func (d *prunedDeletions) get(policy types.UID) *v1alpha1.Deletions {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.byPolicy[policy]
}

func (d *prunedDeletions) set(policy types.UID, deletions *v1alpha1.Deletions) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.byPolicy[policy] = deletions
}

// deletions is the state of a policy's budget that was written last.
func (r *Reconcilers) deletions(policy string, uid types.UID) *v1alpha1.Deletions {
	p := r.Caches.policy(policy)
	if p == nil || p.UID != uid {
		return nil
	}
	if p.Status.Deletions != nil {
		return p.Status.Deletions
	}
	return r.pruned.get(uid)
}

// enqueueRemovals plans what may go by now.
func (r *Reconcilers) enqueueRemovals(policy string, d *v1alpha1.Deletions) {
	if d == nil {
		return
	}
	for _, removal := range d.Admitted {
		r.Queues.Lifecycles.Add(removal.Name)
		if l := r.Caches.lifecycle(removal.Name); l != nil {
			r.Queues.Sources.Add(sourceOf(policy, l))
		}
	}
}

// present reports whether what is to be removed is still there.
func (r *Reconcilers) present(removal v1alpha1.Removal) bool {
	if l := r.Caches.lifecycle(removal.Name); l != nil && l.UID == removal.UID {
		return true
	}
	c := r.Caches.cluster(removal.Name)
	return c != nil && c.UID == removal.UID
}

// countDue counts what a lifecycle wants to remove for its policy, and no longer for one that it had before. One that is
// gone has neither.
func (r *Reconcilers) countDue(lifecycle, policy string, due []v1alpha1.Removal) {
	if before, change := r.tally.withdrawDue(lifecycle, policy); before != "" {
		r.tell(before, false, change, false)
	}
	if policy != "" {
		r.tell(policy, false, r.tally.lifecycleDue(policy, lifecycle, due), false)
	}
}
