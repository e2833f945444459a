package controller

import (
	"context"
	"errors"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"

	"github.com/clusterimport/clusterimport/pkg/lifecycle"
)

// Loop is a work queue and the workers that empty it. A key that fails is tried again, ever more slowly but
// for ever; a key is never handled by two workers at a time.
type Loop[K comparable] struct {
	name      string
	queue     Queue[K]
	reconcile func(ctx context.Context, key K) (again time.Duration, err error)
	observe   func(controller string, took time.Duration, err error)
}

// Queue holds the keys that wait to be handled.
type Queue[K comparable] = workqueue.TypedRateLimitingInterface[K]

// Queues are those of the three loops.
type Queues struct {
	Policies   Queue[string]
	Sources    Queue[SourceKey]
	Lifecycles Queue[string]
}

// recheck is when a pass that wrote is repeated, now that the caches have what it wrote. Its events come first and do
// the same, but for an object that was created and is gone again before a watch has told of it.
const recheck = 2 * time.Second

func again(plan lifecycle.Plan) time.Duration {
	if len(plan.Actions) > 0 {
		return recheck
	}
	return 0
}

// Retries back off from a few milliseconds, so that a conflict costs nothing, to a minute.
const (
	firstRetry = 10 * time.Millisecond
	lastRetry  = time.Minute
)

func newQueue[K comparable](name string) Queue[K] {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[K](firstRetry, lastRetry)
	return workqueue.NewTypedRateLimitingQueueWithConfig(limiter, workqueue.TypedRateLimitingQueueConfig[K]{Name: name})
}

func newLoop[K comparable](
	name string, queue Queue[K], observe func(string, time.Duration, error),
	reconcile func(context.Context, K) (time.Duration, error),
) *Loop[K] {
	return &Loop[K]{name: name, queue: queue, reconcile: reconcile, observe: observe}
}

// run works until the context ends.
func (l *Loop[K]) run(ctx context.Context, workers int) {
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for l.Next(ctx) {
			}
		})
	}
	<-ctx.Done()
	l.queue.ShutDown()
	wg.Wait()
}

// Next waits for a key and handles it. It returns false when the queue is shut down.
func (l *Loop[K]) Next(ctx context.Context) bool {
	key, shutdown := l.queue.Get()
	if shutdown {
		return false
	}
	defer l.queue.Done(key)
	started := time.Now()
	again, err := l.reconcile(ctx, key)
	l.observe(l.name, time.Since(started), err)
	switch {
	case err != nil:
		l.failed(ctx, key, err)
	case again > 0:
		l.queue.Forget(key)
		l.queue.AddAfter(key, again)
	default:
		l.queue.Forget(key)
	}
	return true
}

func (l *Loop[K]) failed(ctx context.Context, key K, err error) {
	if ctx.Err() == nil {
		logger := klog.FromContext(ctx).WithValues("controller", l.name, "key", key)
		if isRace(err) {
			logger.V(4).Info("Trying again with a newer cache", "err", err)
		} else {
			logger.Error(err, "Trying again")
		}
	}
	l.queue.AddRateLimited(key)
}

// isRace reports errors that only say that a cache lagged behind.
func isRace(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status) &&
		(apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err))
}
