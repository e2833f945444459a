package controller

import (
	"context"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
)

// claims are the lifecycles that were created and that the cache may not have yet. Until it does, nothing is planned
// for their sources: a source whose name has changed meanwhile would get a second lifecycle.
type claims struct {
	mu       sync.Mutex
	bySource map[SourceKey]claim
}

// claim is one creation. Without a version its outcome is not known: the reply was lost.
type claim struct {
	name, version string
}

func newClaims() *claims { return &claims{bySource: map[SourceKey]claim{}} }

func (c *claims) get(key SourceKey) (claim, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.bySource[key]
	return found, ok
}

func (c *claims) set(key SourceKey, made claim) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bySource[key] = made
}

func (c *claims) drop(key SourceKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.bySource, key)
}

// forget drops the claims of a policy.
func (c *claims) forget(policy string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range c.bySource {
		if key.Policy == policy {
			delete(c.bySource, key)
		}
	}
}

// claim creates a lifecycle and remembers it until the cache has it.
func (r *Reconcilers) claim(ctx context.Context, l *v1alpha1.PediaClusterLifecycle) error {
	key := sourceOf(metav1.GetControllerOf(l).Name, l)
	created, err := r.Lifecycles.Create(ctx, l, metav1.CreateOptions{FieldManager: fieldManager})
	switch {
	case err == nil:
		r.claims.set(key, claim{l.Name, created.ResourceVersion})
	case mayBeDone(err):
		r.claims.set(key, claim{name: l.Name})
	}
	return err
}

// mayBeDone reports whether a write that failed may have happened nevertheless: the server did not say that it refused.
func mayBeDone(err error) bool {
	reason := apierrors.ReasonForError(err)
	return reason == metav1.StatusReasonUnknown || reason == metav1.StatusReasonTimeout ||
		reason == metav1.StatusReasonServerTimeout || reason == metav1.StatusReasonInternalError
}

// claimed reports whether the cache has what was created for a source.
func (r *Reconcilers) claimed(ctx context.Context, key SourceKey) (bool, error) {
	made, waits := r.claims.get(key)
	if !waits {
		return true, nil
	}
	if made.version == "" {
		switch l, err := r.Lifecycles.Get(ctx, made.name, metav1.GetOptions{}); {
		case apierrors.IsNotFound(err):
			r.claims.drop(key)
			return true, nil
		case err != nil:
			return false, err
		default:
			made.version = l.ResourceVersion
			r.claims.set(key, made)
		}
	}
	seen := r.Caches.Lifecycles.LastStoreSyncResourceVersion()
	if order, err := resourceversion.CompareResourceVersion(seen, made.version); err == nil && order < 0 {
		return false, nil
	}
	r.claims.drop(key)
	return true, nil
}
