package controller

import (
	"slices"
	"sync"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
)

// references knows which lifecycles have to be planned anew when an object changes.
type references struct {
	mu sync.Mutex
	// of are the objects of each lifecycle, to are the lifecycles of each object.
	of map[string][]objectKey
	to map[objectKey][]string
}

func newReferences() *references {
	return &references{of: map[string][]objectKey{}, to: map[objectKey][]string{}}
}

// set declares the objects that a lifecycle depends on, all of them; none forgets the lifecycle.
func (r *references) set(lifecycle string, objects []v1alpha1.DependentResource) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range r.of[lifecycle] {
		r.to[key] = slices.DeleteFunc(r.to[key], func(l string) bool { return l == lifecycle })
		if len(r.to[key]) == 0 {
			delete(r.to, key)
		}
	}
	delete(r.of, lifecycle)
	for _, object := range objects {
		key := keyOf(object)
		r.of[lifecycle] = append(r.of[lifecycle], key)
		r.to[key] = append(r.to[key], lifecycle)
	}
}

// dependents returns the lifecycles that depend on an object.
func (r *references) dependents(key objectKey) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.to[key])
}
