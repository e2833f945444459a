package controlplane

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/controller-manager/pkg/informerfactory"
	"k8s.io/kubernetes/pkg/controller/clusterroleaggregation"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/namespace"
)

// discoverEvery is how often the garbage collector looks for new kinds: tests install CRDs and delete owners
// of their objects at once.
const discoverEvery = 2 * time.Second

// startControllers starts the garbage collector, the namespace controller and the one that aggregates ClusterRoles.
func startControllers(ctx context.Context, config *rest.Config) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	metadataClient, err := metadata.NewForConfig(config)
	if err != nil {
		return err
	}
	kinds, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return err
	}
	shared := informers.NewSharedInformerFactory(client, 0)
	factory := informerfactory.NewInformerFactory(shared, metadatainformer.NewSharedInformerFactory(metadataClient, 0))
	started := make(chan struct{})
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(kinds))
	collector, err := garbagecollector.NewGarbageCollector(
		ctx, client, metadataClient, mapper, garbagecollector.DefaultIgnoredResources(), factory, started,
	)
	if err != nil {
		return err
	}
	preferred := func() ([]*metav1.APIResourceList, error) { return kinds.ServerPreferredNamespacedResources() }
	namespaces := namespace.NewNamespaceController(
		ctx, client, metadataClient, preferred, shared.Core().V1().Namespaces(), 5*time.Minute, corev1.FinalizerKubernetes,
	)
	roles := clusterroleaggregation.NewClusterRoleAggregation(shared.Rbac().V1().ClusterRoles(), client.RbacV1())
	factory.Start(ctx.Done())
	close(started)
	go collector.Run(ctx, 5, 30*time.Second)
	go collector.Sync(ctx, kinds, discoverEvery)
	go namespaces.Run(ctx, 2)
	go roles.Run(ctx, 1)
	return nil
}
