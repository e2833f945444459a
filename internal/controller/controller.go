// Package controller is the shell around the pure decisions of pkg/lifecycle. Three loops, each the same:
// gather what the caches know, plan, act.
//
//	policy     key: policy            compile, watch its kinds, publish it; writes the policy's status
//	source     key: policy × object   creates, updates and removes one lifecycle
//	lifecycle  key: lifecycle         creates and patches one PediaCluster; writes the lifecycle's status
//
// Handlers of informers only enqueue, loops only read caches, only act.go writes. One event costs the work of
// one object, whatever the size of the fleet.
//
// Reconcilers are the loops on whatever Dependencies they are given; a Controller runs them on an API server.
package controller

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/openapi"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/events"

	clusterv1alpha2 "github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/kube"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// Options are what a Controller is made of.
type Options struct {
	Clients  *kube.Clients
	Recorder events.EventRecorder
	// SecretNamespaces are where Secrets are read; empty is everywhere.
	SecretNamespaces []string
	// Workers is how many sources and how many lifecycles are handled at a time.
	Workers int
	// Observer is told what happens; nil is nobody.
	Observer Observer
	// Now is the clock.
	Now func() time.Time
}

// Controller imports clusters. It runs once.
type Controller struct {
	Options

	policies    cache.TypedSharedIndexInformer[*v1alpha1.ClusterImportPolicy]
	lifecycles  cache.TypedSharedIndexInformer[*v1alpha1.PediaClusterLifecycle]
	clusters    cache.TypedSharedIndexInformer[*clusterv1alpha2.PediaCluster]
	definitions cache.TypedSharedIndexInformer[*metav1.PartialObjectMetadata]

	ready   chan struct{}
	running atomic.Pointer[running]
}

// running is what there is of a controller while it runs.
type running struct {
	reconcilers *Reconcilers
	watches     *kube.WatchSet
}

// policyWorkers is how many policies are handled at a time.
const policyWorkers = 2

var crdResource = schema.GroupVersionResource{
	Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions",
}

// New makes a controller.
func New(o Options) *Controller {
	return &Controller{
		Options:     o,
		ready:       make(chan struct{}),
		policies:    kube.NewInformer(o.Clients.Policies, &v1alpha1.ClusterImportPolicy{}, nil),
		lifecycles:  kube.NewInformer(o.Clients.Lifecycles, &v1alpha1.PediaClusterLifecycle{}, LifecycleIndexers()),
		clusters:    kube.NewInformer(o.Clients.Clusters, &clusterv1alpha2.PediaCluster{}, nil),
		definitions: kube.NewInformer(o.Clients.Metadata.Resource(crdResource), &metav1.PartialObjectMetadata{}, nil),
	}
}

// Ready is closed when the controller's own caches are synced and the loops run.
func (c *Controller) Ready() <-chan struct{} { return c.ready }

// Run imports clusters until the context ends.
func (c *Controller) Run(ctx context.Context) error {
	var r *Reconcilers
	watches := kube.NewWatchSet(ctx, c.Clients.Dynamic,
		func(change kube.Change) { r.ObjectChanged(change) },
		func(kind schema.GroupVersionResource) { r.WatchChanged(kind) })
	watches.Restrict(schema.GroupResource{Resource: "secrets"}, c.SecretNamespaces)
	r = NewReconcilers(c.dependencies(watches))
	// The loops start when the handlers have seen everything: what the process then decides, it decides with the whole
	// fleet in view.
	synced, err := c.handle(r)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, informer := range []cache.SharedIndexInformer{c.policies, c.lifecycles, c.clusters, c.definitions} {
		wg.Go(func() { informer.RunWithContext(ctx) })
	}
	if !cache.WaitFor(ctx, "the controller's own kinds", synced...) {
		return errors.New("stopped before the caches were synced")
	}
	wg.Go(func() { r.PolicyLoop.run(ctx, policyWorkers) })
	wg.Go(func() { r.SourceLoop.run(ctx, c.Workers) })
	wg.Go(func() { r.LifecycleLoop.run(ctx, c.Workers) })
	c.running.Store(&running{r, watches})
	close(c.ready)
	<-ctx.Done()
	watches.Wait()
	return nil
}

// dependencies are those of a process: informers, clients and work queues.
func (c *Controller) dependencies(watches Watches) Dependencies {
	discovery := c.Clients.Kubernetes.Discovery()
	kinds := kube.NewResources(discovery, c.Now)
	return Dependencies{
		Caches: Caches{
			Policies: c.policies.GetIndexer(), Lifecycles: c.lifecycles.GetIndexer(),
			Clusters: c.clusters.GetIndexer(), Definitions: c.definitions.GetIndexer(),
		},
		Queues: Queues{
			Policies: newQueue[string]("policy"), Sources: newQueue[SourceKey]("source"), Lifecycles: newQueue[string]("lifecycle"),
		},
		Watches:  watches,
		Kinds:    kinds,
		Schemas:  kube.NewSchemas(openapi.ToClientWithContext(discovery.OpenAPIV3()), kinds, c.Now),
		Policies: c.Clients.Policies, Lifecycles: c.Clients.Lifecycles, Clusters: c.Clients.Clusters,
		Recorder: c.Recorder,
		Definition: func(ctx context.Context, name string) (*metav1.PartialObjectMetadata, error) {
			return c.Clients.Metadata.Resource(crdResource).Get(ctx, name, metav1.GetOptions{})
		},
		Compile:  policy.Compile,
		Observer: c.Observer,
		Now:      c.Now,
	}
}

// handle connects the informers of the controller's own kinds to the reconcilers, and says when these have seen all
// objects.
func (c *Controller) handle(r *Reconcilers) ([]cache.DoneChecker, error) {
	policies, err1 := on(c.policies, func(p *v1alpha1.ClusterImportPolicy, _ bool) { r.PolicyChanged(p) })
	lifecycles, err2 := on(c.lifecycles, r.LifecycleChanged)
	clusters, err3 := on(c.clusters, func(p *clusterv1alpha2.PediaCluster, _ bool) { r.ClusterChanged(p) })
	definitions, err4 := on(c.definitions, func(crd *metav1.PartialObjectMetadata, _ bool) { r.DefinitionChanged(crd) })
	return []cache.DoneChecker{policies, lifecycles, clusters, definitions}, errors.Join(err1, err2, err3, err4)
}

// on calls changed for every change of an object, with its last known state when it is deleted.
func on[T cache.Object](informer cache.TypedSharedIndexInformer[T], changed func(obj T, deleted bool)) (cache.DoneChecker, error) {
	handler, err := informer.AddTypedEventHandler(cache.TypedResourceEventHandlerFuncs[T]{
		AddFunc:    func(obj T) { changed(obj, false) },
		UpdateFunc: func(_, obj T) { changed(obj, false) },
		DeleteFunc: func(obj cache.DeletedObject[T]) {
			if any(obj.OptionalObj) != nil {
				changed(obj.OptionalObj, true)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	return handler.HasSyncedChecker(), nil
}
