package kube

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
)

// Resources knows what the API server serves. It asks again after Invalidate, but not more often than once a
// second.
type Resources struct {
	client discovery.DiscoveryInterfaceWithContext
	now    func() time.Time

	mu      sync.Mutex
	stale   bool
	fetched time.Time
	groups  map[string]metav1.APIGroup
	// served holds the kinds of each group and version by their resources.
	served map[string]map[string]string
}

const minRefresh = time.Second

// NewResources asks through client when it first has to. now is the clock.
func NewResources(client discovery.DiscoveryInterfaceWithContext, now func() time.Time) *Resources {
	return &Resources{client: client, now: now, stale: true}
}

// Invalidate says that what is served may have changed.
func (r *Resources) Invalidate() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stale = true
}

// NotServedError says that no acceptable version of a resource is served.
type NotServedError struct{ Message string }

// Error implements error.
func (e *NotServedError) Error() string { return e.Message }

// Negotiate chooses the version of a resource. With versions, the first of them that is served; without, the
// current choice while it is served, else the group's preferred version that has the resource. The error is a
// *NotServedError when there is none.
func (r *Resources) Negotiate(
	ctx context.Context, group, resource string, versions []string, current *v1alpha1.ResolvedResource,
) (v1alpha1.ResolvedResource, error) {
	chosen, err := r.choose(ctx, group, resource, versions, current)
	if err != nil {
		return v1alpha1.ResolvedResource{}, err
	}
	return v1alpha1.ResolvedResource{Group: group, Version: chosen, Resource: resource}, nil
}

func (r *Resources) choose(
	ctx context.Context, group, resource string, versions []string, current *v1alpha1.ResolvedResource,
) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refresh(ctx); err != nil {
		return "", fmt.Errorf("cannot ask the API server what it serves: %w", err)
	}
	serves := func(version string) bool {
		_, ok := r.served[metav1.GroupVersion{Group: group, Version: version}.String()][resource]
		return ok
	}
	candidates := versions
	if len(versions) == 0 {
		if current != nil && current.Group == group && current.Resource == resource && serves(current.Version) {
			return current.Version, nil
		}
		candidates = preference(r.groups[group])
	}
	if i := slices.IndexFunc(candidates, serves); i >= 0 {
		return candidates[i], nil
	}
	return "", &NotServedError{notServed(group, resource, versions)}
}

// Kind returns the kind of a resource that Negotiate chose; ok is false when it is not served any more.
func (r *Resources) Kind(resource schema.GroupVersionResource) (kind schema.GroupVersionKind, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name, ok := r.served[resource.GroupVersion().String()][resource.Resource]
	return resource.GroupVersion().WithKind(name), ok
}

func notServed(group, resource string, versions []string) string {
	name := metav1.GroupResource{Group: group, Resource: resource}
	if len(versions) > 0 {
		return fmt.Sprintf("the API server does not serve %s in any of the versions %q", name.String(), versions)
	}
	return "the API server does not serve " + name.String()
}

// preference is the order in which a group offers its versions.
func preference(group metav1.APIGroup) []string {
	versions := []string{group.PreferredVersion.Version}
	for _, v := range group.Versions {
		versions = append(versions, v.Version)
	}
	return versions
}

func (r *Resources) refresh(ctx context.Context) error {
	if !r.stale || r.now().Sub(r.fetched) < minRefresh {
		return nil
	}
	groups, lists, err := r.client.ServerGroupsAndResourcesWithContext(ctx)
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		return err
	}
	// A group whose server does not answer keeps what was known of it.
	if r.groups == nil {
		r.groups, r.served = map[string]metav1.APIGroup{}, map[string]map[string]string{}
	}
	if err == nil {
		clear(r.groups)
		clear(r.served)
	}
	for _, g := range groups {
		r.groups[g.Name] = *g
	}
	for _, list := range lists {
		kinds := make(map[string]string, len(list.APIResources))
		for _, resource := range list.APIResources {
			kinds[resource.Name] = resource.Kind
		}
		r.served[list.GroupVersion] = kinds
	}
	r.fetched, r.stale = r.now(), err != nil
	return nil
}
