package controller

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	clusterv1alpha2 "github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
)

// Caches are the copies of the controller's own kinds. Policies hold *v1alpha1.ClusterImportPolicy, Lifecycles
// *v1alpha1.PediaClusterLifecycle with LifecycleIndexers, Clusters *v1alpha2.PediaCluster and Definitions, which
// are CRDs, *metav1.PartialObjectMetadata. The reconcilers only read them.
type Caches struct {
	Policies, Lifecycles, Clusters, Definitions cache.Indexer
}

// The indexes of lifecycles.
const (
	byPolicy = "policy"
	bySource = "source"
)

// LifecycleIndexers find the lifecycles of a policy, and of a source of a policy.
func LifecycleIndexers() cache.Indexers {
	return cache.Indexers{
		byPolicy: func(obj any) ([]string, error) {
			l, owner, err := controlled(obj)
			if l == nil || owner == nil {
				return nil, err
			}
			return []string{string(owner.UID)}, nil
		},
		bySource: func(obj any) ([]string, error) {
			l, owner, err := controlled(obj)
			if l == nil || owner == nil {
				return nil, err
			}
			return []string{sourceIndex(owner.UID, l.Spec.Source.Group, l.Spec.Source.Resource,
				types.NamespacedName{Namespace: l.Spec.Source.Namespace, Name: l.Spec.Source.Name})}, nil
		},
	}
}

// controlled returns a lifecycle and its controller, if it has one.
func controlled(obj any) (*v1alpha1.PediaClusterLifecycle, *metav1.OwnerReference, error) {
	l, ok := obj.(*v1alpha1.PediaClusterLifecycle)
	if !ok {
		return nil, nil, fmt.Errorf("a %T among the lifecycles", obj)
	}
	return l, metav1.GetControllerOf(l), nil
}

func sourceIndex(policy types.UID, group, resource string, source types.NamespacedName) string {
	return string(policy) + "|" + group + "|" + resource + "|" + source.String()
}

// cached returns the object of that name from a cache, or nil.
func cached[T any](store cache.Store, name string) *T {
	item, exists, err := store.GetByKey(name)
	if err != nil || !exists {
		return nil
	}
	object, _ := item.(*T)
	return object
}

func (c Caches) policy(name string) *v1alpha1.ClusterImportPolicy {
	return cached[v1alpha1.ClusterImportPolicy](c.Policies, name)
}

func (c Caches) lifecycle(name string) *v1alpha1.PediaClusterLifecycle {
	return cached[v1alpha1.PediaClusterLifecycle](c.Lifecycles, name)
}

func (c Caches) cluster(name string) *clusterv1alpha2.PediaCluster {
	return cached[clusterv1alpha2.PediaCluster](c.Clusters, name)
}

func (c Caches) definition(name string) *metav1.PartialObjectMetadata {
	return cached[metav1.PartialObjectMetadata](c.Definitions, name)
}

// lifecyclesOf returns the lifecycles that a policy controls.
func (c Caches) lifecyclesOf(policy types.UID) []*v1alpha1.PediaClusterLifecycle {
	return c.indexed(byPolicy, string(policy))
}

// lifecyclesFor returns those of one source.
func (c Caches) lifecyclesFor(
	policy types.UID, kind v1alpha1.ResolvedResource, source types.NamespacedName,
) []*v1alpha1.PediaClusterLifecycle {
	return c.indexed(bySource, sourceIndex(policy, kind.Group, kind.Resource, source))
}

func (c Caches) indexed(index, key string) []*v1alpha1.PediaClusterLifecycle {
	items, err := c.Lifecycles.ByIndex(index, key)
	if err != nil {
		return nil // the index exists
	}
	list := make([]*v1alpha1.PediaClusterLifecycle, 0, len(items))
	for _, item := range items {
		if l, ok := item.(*v1alpha1.PediaClusterLifecycle); ok {
			list = append(list, l)
		}
	}
	return list
}
