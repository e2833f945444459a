package simulation

import (
	"cmp"
	"slices"
	"time"

	"github.com/clusterimport/clusterimport/internal/controller"
)

// queue is a work queue whose timers are the clock of the world. Keys are handled one at a time, in the order that
// the script asks for.
type queue[K comparable] struct {
	clock    *clock
	compare  func(a, b K) int
	ready    []K // sorted: the order in which keys were added must not matter
	later    []timer[K]
	failures map[K]int
	// next is the place of the key that Get returns.
	next int
}

type timer[K comparable] struct {
	key K
	at  time.Duration
}

var _ controller.Queue[string] = (*queue[string])(nil)

func newQueue[K comparable](c *clock, compare func(a, b K) int) *queue[K] {
	return &queue[K]{clock: c, compare: compare, failures: map[K]int{}}
}

func compareSources(a, b controller.SourceKey) int {
	return cmp.Or(cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.Source.Namespace, b.Source.Namespace), cmp.Compare(a.Source.Name, b.Source.Name))
}

// Add makes a key ready.
func (q *queue[K]) Add(key K) {
	if i, found := slices.BinarySearchFunc(q.ready, key, q.compare); !found {
		q.ready = slices.Insert(q.ready, i, key)
	}
}

// AddAfter makes a key ready later; of two times the earlier counts.
func (q *queue[K]) AddAfter(key K, wait time.Duration) {
	at := q.clock.since + wait
	i := slices.IndexFunc(q.later, func(t timer[K]) bool { return t.key == key })
	switch {
	case wait <= 0:
		q.Add(key)
	case i < 0:
		q.later = append(q.later, timer[K]{key, at})
	default:
		q.later[i].at = min(q.later[i].at, at)
	}
}

// AddRateLimited makes a key ready after ten milliseconds, and after twice as long each time, up to a minute.
func (q *queue[K]) AddRateLimited(key K) {
	wait := min(10*time.Millisecond<<min(q.failures[key], 20), time.Minute)
	q.failures[key]++
	q.AddAfter(key, wait)
}

// Forget ends the back-off of a key.
func (q *queue[K]) Forget(key K) { delete(q.failures, key) }

// NumRequeues is how often a key has failed.
func (q *queue[K]) NumRequeues(key K) int { return q.failures[key] }

// Len is how many keys are ready.
func (q *queue[K]) Len() int { return len(q.ready) }

// Get returns the key that the script asked for.
func (q *queue[K]) Get() (key K, shutdown bool) {
	if len(q.ready) == 0 {
		return key, true
	}
	i := q.next % len(q.ready)
	key = q.ready[i]
	q.ready = slices.Delete(q.ready, i, i+1)
	return key, false
}

// Done has nothing to do: no two keys are handled at a time.
func (q *queue[K]) Done(K) {}

// ShutDown has nothing to do: the queue dies with its controller.
func (q *queue[K]) ShutDown() {}

// ShutDownWithDrain has nothing to do.
func (q *queue[K]) ShutDownWithDrain() {}

// ShuttingDown is never true.
func (q *queue[K]) ShuttingDown() bool { return false }

// tick makes ready what is due.
func (q *queue[K]) tick() {
	q.later = slices.DeleteFunc(q.later, func(t timer[K]) bool {
		due := t.at <= q.clock.since
		if due {
			q.Add(t.key)
		}
		return due
	})
}

// due is when the first timer is.
func (q *queue[K]) due() (at time.Duration, ok bool) {
	for _, t := range q.later {
		if !ok || t.at < at {
			at, ok = t.at, true
		}
	}
	return at, ok
}
