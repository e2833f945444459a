package kube

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// lister lists and watches one kind.
type lister[L runtime.Object] interface {
	List(ctx context.Context, options metav1.ListOptions) (L, error)
	Watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error)
}

// object is what an informer can hold.
type object interface {
	cache.Object
	runtime.Object
}

// NewInformer watches one of the controller's own kinds.
func NewInformer[T object, L runtime.Object](client lister[L], example T, indexers cache.Indexers) cache.TypedSharedIndexInformer[T] {
	return cache.NewTypedSharedIndexInformer[T](newInformer(client, client, example, indexers, nil))
}

// newInformer makes an informer. connection is what client-go asks whether its server can stream lists; answered,
// if set, is told of every answer to a list or watch, nil for success.
func newInformer[L runtime.Object](
	client lister[L], connection any, example runtime.Object, indexers cache.Indexers, answered func(error),
) cache.SharedIndexInformer {
	tell := func(err error) {
		if answered != nil {
			answered(err)
		}
	}
	source := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			list, err := client.List(ctx, options)
			tell(err)
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			w, err := client.Watch(ctx, options)
			tell(err)
			return w, err
		},
	}
	return cache.NewSharedIndexInformerWithOptions(
		cache.ToListWatcherWithWatchListSemantics(source, connection), example,
		cache.SharedIndexInformerOptions{Indexers: indexers},
	)
}
