package simulation

import (
	"context"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	clusterv1alpha2 "github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/controller"
)

// misread shows the controller every policy with a change, in its cache and when it asks.
func misread(change func(p *v1alpha1.ClusterImportPolicy)) func(d *controller.Dependencies) {
	return func(d *controller.Dependencies) {
		d.Caches.Policies = misreadPolicies{d.Caches.Policies, change}
		d.Policies = misreadWriter{d.Policies, change}
	}
}

type misreadPolicies struct {
	cache.Indexer

	change func(p *v1alpha1.ClusterImportPolicy)
}

// GetByKey implements cache.Store.
func (m misreadPolicies) GetByKey(key string) (any, bool, error) {
	item, exists, err := m.Indexer.GetByKey(key)
	p, ok := item.(*v1alpha1.ClusterImportPolicy)
	if !ok {
		return item, exists, err
	}
	p = p.DeepCopy()
	m.change(p)
	return p, exists, err
}

type misreadWriter struct {
	controller.Writer[*v1alpha1.ClusterImportPolicy]

	change func(p *v1alpha1.ClusterImportPolicy)
}

// Get implements controller.Writer.
func (m misreadWriter) Get(ctx context.Context, name string, options metav1.GetOptions) (*v1alpha1.ClusterImportPolicy, error) {
	p, err := m.Writer.Get(ctx, name, options)
	if err != nil {
		return p, err
	}
	p = p.DeepCopy()
	m.change(p)
	return p, nil
}

// unannotated shows sources without their annotations.
type unannotated struct{ controller.Watches }

// Get implements controller.Watches.
func (u unannotated) Get(kind schema.GroupVersionResource, name types.NamespacedName) (object map[string]any, unknown string) {
	object, unknown = u.Watches.Get(kind, name)
	return withoutAnnotations(object), unknown
}

// Fetch implements controller.Watches.
func (u unannotated) Fetch(ctx context.Context, kind schema.GroupVersionResource, name types.NamespacedName) (map[string]any, error) {
	object, err := u.Watches.Fetch(ctx, kind, name)
	return withoutAnnotations(object), err
}

func withoutAnnotations(object map[string]any) map[string]any {
	if object == nil {
		return nil
	}
	copied := runtime.DeepCopyJSON(object)
	unstructured.RemoveNestedField(copied, "metadata", "annotations")
	return copied
}

// renaming shows each lifecycle as if a user asked for another name of it.
type renaming struct{ cache.Indexer }

// ByIndex implements cache.Indexer.
func (r renaming) ByIndex(index, value string) ([]any, error) {
	items, err := r.Indexer.ByIndex(index, value)
	for i, item := range items {
		if l, ok := item.(*v1alpha1.PediaClusterLifecycle); ok {
			l = l.DeepCopy()
			metav1.SetMetaDataAnnotation(&l.ObjectMeta, v1alpha1.AnnotationRename, "true")
			items[i] = l
		}
	}
	return items, err
}

// uncontrolled shows PediaClusters as if nothing controlled them.
type uncontrolled struct{ cache.Indexer }

// GetByKey implements cache.Store.
func (u uncontrolled) GetByKey(key string) (any, bool, error) {
	item, exists, err := u.Indexer.GetByKey(key)
	cluster, ok := item.(*clusterv1alpha2.PediaCluster)
	if !ok {
		return item, exists, err
	}
	cluster = cluster.DeepCopy()
	for i := range cluster.OwnerReferences {
		cluster.OwnerReferences[i].Controller = nil
	}
	return cluster, exists, err
}

// anybodys shows every PediaCluster as if the lifecycle of its name owned it.
type anybodys struct {
	cache.Indexer

	lifecycles cache.Indexer
}

// GetByKey implements cache.Store.
func (a anybodys) GetByKey(key string) (any, bool, error) {
	item, exists, err := a.Indexer.GetByKey(key)
	l, _, _ := a.lifecycles.GetByKey(key)
	cluster, ok := item.(*clusterv1alpha2.PediaCluster)
	owner, found := l.(*v1alpha1.PediaClusterLifecycle)
	if !ok || !found {
		return item, exists, err
	}
	cluster = cluster.DeepCopy()
	cluster.OwnerReferences = []metav1.OwnerReference{{Kind: v1alpha1.PediaClusterLifecycleKind.Kind, Name: owner.Name, UID: owner.UID}}
	return cluster, exists, err
}

// forgetful does not try again.
type forgetful[K comparable] struct{ controller.Queue[K] }

// AddRateLimited implements controller.Queue.
func (forgetful[K]) AddRateLimited(K) {}

// lifecycleWriter is what some plants change.
type lifecycleWriter = controller.Writer[*v1alpha1.PediaClusterLifecycle]

// blanking writes what is not known as blank, when a status says that it is not known.
type blanking struct {
	lifecycleWriter

	clusters controller.Writer[*clusterv1alpha2.PediaCluster]
}

// Patch implements controller.Writer.
func (b blanking) Patch(
	ctx context.Context, name string, how types.PatchType, document []byte, options metav1.PatchOptions, subresources ...string,
) (*v1alpha1.PediaClusterLifecycle, error) {
	if strings.Contains(string(document), v1alpha1.ReasonUpdateHeld) {
		_, _ = b.clusters.Patch(ctx, name, types.MergePatchType, []byte(`{"spec": {"tokenData": null}}`), metav1.PatchOptions{})
	}
	return b.lifecycleWriter.Patch(ctx, name, how, document, options, subresources...)
}

// hasty makes what was created look old, so that nobody waits until the cache has it.
type hasty struct{ lifecycleWriter }

// Create implements controller.Writer.
func (h hasty) Create(ctx context.Context, l *v1alpha1.PediaClusterLifecycle, options metav1.CreateOptions) (*v1alpha1.PediaClusterLifecycle, error) {
	created, err := h.lifecycleWriter.Create(ctx, l, options)
	if err == nil {
		created = created.DeepCopy()
		created.ResourceVersion = "1"
	}
	return created, err
}

// careless patches whatever has the name.
type careless struct {
	controller.Writer[*clusterv1alpha2.PediaCluster]
}

// Patch implements controller.Writer.
func (c careless) Patch(
	ctx context.Context, name string, how types.PatchType, document []byte, options metav1.PatchOptions, subresources ...string,
) (*clusterv1alpha2.PediaCluster, error) {
	if _, spec, found := strings.Cut(string(document), `"spec":`); found {
		document = []byte(`{"spec":` + spec)
	}
	return c.Writer.Patch(ctx, name, how, document, options, subresources...)
}
