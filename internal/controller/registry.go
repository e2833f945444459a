package controller

import (
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterimport/clusterimport/internal/kube"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/lifecycle"
)

// registry publishes the policies that are at work. A published policy is never changed, only replaced.
type registry struct {
	mu       sync.RWMutex
	byName   map[string]*lifecycle.ActivePolicy
	bySource map[schema.GroupVersionResource][]string
	// reads are by policy and kind what is read of the kind's objects. A policy watches these kinds.
	reads map[string]map[schema.GroupVersionResource]*expr.Reads
}

func newRegistry() *registry {
	return &registry{
		byName: map[string]*lifecycle.ActivePolicy{}, bySource: map[schema.GroupVersionResource][]string{},
		reads: map[string]map[schema.GroupVersionResource]*expr.Reads{},
	}
}

// publish puts a policy to work, which reads that much of its kinds; nil takes it off.
func (r *registry) publish(name string, active *lifecycle.ActivePolicy, reads map[schema.GroupVersionResource]*expr.Reads) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if before := r.byName[name]; before != nil {
		gvr := gvrOf(before.Source)
		r.bySource[gvr] = slices.DeleteFunc(r.bySource[gvr], func(n string) bool { return n == name })
		delete(r.byName, name)
		delete(r.reads, name)
	}
	if active != nil {
		gvr := gvrOf(active.Source)
		r.byName[name], r.reads[name] = active, reads
		r.bySource[gvr] = append(r.bySource[gvr], name)
	}
}

// get returns the policy of that name, or nil when it is not at work.
func (r *registry) get(name string) *lifecycle.ActivePolicy {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.byName[name]
}

// byUID returns the policy of that name if it is the same object.
func (r *registry) byUID(name string, uid types.UID) *lifecycle.ActivePolicy {
	if p := r.get(name); p != nil && p.Policy.UID == uid {
		return p
	}
	return nil
}

// importing returns the policies whose source is of that kind.
func (r *registry) importing(gvr schema.GroupVersionResource) []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.bySource[gvr])
}

// following returns the policies whose source is of that kind, in any version.
func (r *registry) following(kind schema.GroupResource) []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var names []string
	for gvr, policies := range r.bySource {
		if gvr.GroupResource() == kind {
			names = append(names, policies...)
		}
	}
	return names
}

// watching returns the policies that watch a kind, as source or reference.
func (r *registry) watching(gvr schema.GroupVersionResource) []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var names []string
	for name, reads := range r.reads {
		if reads[gvr] != nil {
			names = append(names, name)
		}
	}
	return names
}

// concerns reports whether a change of an object may change a decision about a policy's clusters: whether it changes
// what is read of such objects. A policy that is not at work may read anything.
func (r *registry) concerns(policy string, change kube.Change) bool {
	if change.Before == nil || change.After == nil {
		return true
	}
	r.mu.RLock()
	reads := r.reads[policy][change.Kind]
	r.mu.RUnlock()
	return reads == nil || !reads.Same(change.Before, change.After)
}
