// Package controller is the shell around the pure decisions of pkg/lifecycle. Three loops, each the same:
// gather what the caches know, plan, act.
//
//	policy     key: policy            compile, watch its kinds, publish it; writes the policy's status
//	source     key: policy × object   creates, updates and removes one lifecycle
//	lifecycle  key: lifecycle         creates and patches one PediaCluster; writes the lifecycle's status
//
// Handlers of informers only enqueue, loops only read caches, only act.go writes. One event costs the work of
// one object, whatever the size of the fleet.
package controller

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/openapi"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/events"

	clusterv1alpha2 "github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/kube"
)

// Options are what a Controller is made of.
type Options struct {
	Clients  *kube.Clients
	Recorder events.EventRecorder
	// Workers is how many sources and how many lifecycles are handled at a time.
	Workers int
	// Observe is told of every pass of a loop.
	Observe func(controller string, took time.Duration, err error)
	// Now is the clock.
	Now func() time.Time
}

// Controller imports clusters. It runs once.
type Controller struct {
	Options

	policies   cache.TypedSharedIndexInformer[*v1alpha1.ClusterImportPolicy]
	lifecycles cache.TypedSharedIndexInformer[*v1alpha1.PediaClusterLifecycle]
	clusters   cache.TypedSharedIndexInformer[*clusterv1alpha2.PediaCluster]
	crds       cache.TypedSharedIndexInformer[*metav1.PartialObjectMetadata]

	resources  *kube.Resources
	schemas    *kube.Schemas
	watches    *kube.WatchSet
	registry   *registry
	references *references
	tally      *tally
	compiled   *compiledPolicies
	// defined are the names of all CRDs that were ever seen: a kind that had one and has none is withdrawn.
	defined sync.Map

	policyLoop    *loop[string]
	sourceLoop    *loop[sourceKey]
	lifecycleLoop *loop[string]

	ready chan struct{}
}

// statusDelay gathers the changes of many sources into one write of their policy's status.
const statusDelay = 500 * time.Millisecond

var crdResource = schema.GroupVersionResource{
	Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions",
}

// New makes a controller.
func New(o Options) *Controller {
	resources := kube.NewResources(o.Clients.Kubernetes.Discovery())
	c := &Controller{
		Options:    o,
		resources:  resources,
		schemas:    kube.NewSchemas(openapi.ToClientWithContext(o.Clients.Kubernetes.Discovery().OpenAPIV3()), resources),
		registry:   newRegistry(),
		references: newReferences(),
		tally:      newTally(),
		compiled:   newCompiledPolicies(),
		ready:      make(chan struct{}),
		policies:   kube.NewInformer(o.Clients.Policies, &v1alpha1.ClusterImportPolicy{}, nil),
		lifecycles: kube.NewInformer(o.Clients.Lifecycles, &v1alpha1.PediaClusterLifecycle{}, lifecycleIndexers()),
		clusters:   kube.NewInformer(o.Clients.Clusters, &clusterv1alpha2.PediaCluster{}, nil),
		crds:       kube.NewInformer(o.Clients.Metadata.Resource(crdResource), &metav1.PartialObjectMetadata{}, nil),
	}
	c.policyLoop = newLoop("policy", 2, o.Observe, c.reconcilePolicy)
	c.sourceLoop = newLoop("source", o.Workers, o.Observe, c.reconcileSource)
	c.lifecycleLoop = newLoop("lifecycle", o.Workers, o.Observe, c.reconcileLifecycle)
	return c
}

// Ready is closed when the controller's own caches are synced and the loops run.
func (c *Controller) Ready() <-chan struct{} { return c.ready }

// Run imports clusters until the context ends.
func (c *Controller) Run(ctx context.Context) error {
	c.watches = kube.NewWatchSet(ctx, c.Clients.Dynamic, c.objectChanged, c.watchChanged)
	if err := c.handle(); err != nil {
		return err
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	informers := []cache.SharedIndexInformer{c.policies, c.lifecycles, c.clusters, c.crds}
	var synced []cache.DoneChecker
	for _, informer := range informers {
		wg.Go(func() { informer.RunWithContext(ctx) })
		synced = append(synced, informer.HasSyncedChecker())
	}
	if !cache.WaitFor(ctx, "the controller's own kinds", synced...) {
		return errors.New("stopped before the caches were synced")
	}
	wg.Go(func() { c.policyLoop.run(ctx) })
	wg.Go(func() { c.sourceLoop.run(ctx) })
	wg.Go(func() { c.lifecycleLoop.run(ctx) })
	close(c.ready)
	<-ctx.Done()
	c.watches.Wait()
	return nil
}

// lifecycleIndexers find the lifecycles of a policy, and of a source of a policy.
func lifecycleIndexers() cache.Indexers {
	return cache.Indexers{
		byPolicy: func(obj any) ([]string, error) {
			l, err := asLifecycle(obj)
			if err != nil {
				return nil, err
			}
			if owner := metav1.GetControllerOf(l); owner != nil {
				return []string{string(owner.UID)}, nil
			}
			return nil, nil
		},
		bySource: func(obj any) ([]string, error) {
			l, err := asLifecycle(obj)
			if err != nil {
				return nil, err
			}
			if owner := metav1.GetControllerOf(l); owner != nil {
				return []string{sourceIndex(owner.UID, l.Spec.Source.Group, l.Spec.Source.Resource,
					types.NamespacedName{Namespace: l.Spec.Source.Namespace, Name: l.Spec.Source.Name})}, nil
			}
			return nil, nil
		},
	}
}

func asLifecycle(obj any) (*v1alpha1.PediaClusterLifecycle, error) {
	l, ok := obj.(*v1alpha1.PediaClusterLifecycle)
	if !ok {
		return nil, fmt.Errorf("a %T among the lifecycles", obj)
	}
	return l, nil
}

// cached returns the object of that name from an informer's cache, or nil.
func cached[T any](store cache.Store, name string) *T {
	item, exists, err := store.GetByKey(name)
	if err != nil || !exists {
		return nil
	}
	object, _ := item.(*T)
	return object
}

const (
	byPolicy = "policy"
	bySource = "source"
)

func sourceIndex(policy types.UID, group, resource string, source types.NamespacedName) string {
	return string(policy) + "|" + group + "|" + resource + "|" + source.String()
}
