package controller

import (
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterimport/clusterimport/pkg/lifecycle"
)

// registry publishes the policies that are at work. A published policy is never changed, only replaced.
type registry struct {
	mu       sync.RWMutex
	byName   map[string]*lifecycle.ActivePolicy
	bySource map[schema.GroupVersionResource][]string
	watched  map[string][]schema.GroupVersionResource
}

func newRegistry() *registry {
	return &registry{
		byName: map[string]*lifecycle.ActivePolicy{}, bySource: map[schema.GroupVersionResource][]string{},
		watched: map[string][]schema.GroupVersionResource{},
	}
}

// publish puts a policy to work; nil takes it off. kinds are what it watches.
func (r *registry) publish(name string, active *lifecycle.ActivePolicy, kinds []schema.GroupVersionResource) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if before := r.byName[name]; before != nil {
		gvr := gvrOf(before.Source)
		r.bySource[gvr] = slices.DeleteFunc(r.bySource[gvr], func(n string) bool { return n == name })
		delete(r.byName, name)
		delete(r.watched, name)
	}
	if active != nil {
		gvr := gvrOf(active.Source)
		r.byName[name], r.watched[name] = active, kinds
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

// watching returns the policies that watch a kind, as source or reference.
func (r *registry) watching(gvr schema.GroupVersionResource) []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var names []string
	for name, kinds := range r.watched {
		if slices.Contains(kinds, gvr) {
			names = append(names, name)
		}
	}
	return names
}
