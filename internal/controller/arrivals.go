package controller

import (
	"sync"
	"time"
)

// arrivals remembers of keys that wait in a queue when the first event came that they wait because of.
type arrivals[K comparable] struct {
	mu    sync.Mutex
	first map[K]time.Time
}

func newArrivals[K comparable]() *arrivals[K] { return &arrivals[K]{first: map[K]time.Time{}} }

// see notes an event, unless an earlier one is noted. The zero key and the zero time are no event.
func (a *arrivals[K]) see(key K, at time.Time) {
	if key == *new(K) || at.IsZero() {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if before, ok := a.first[key]; !ok || at.Before(before) {
		a.first[key] = at
	}
}

// take returns the time of the first event and forgets it; it is zero when none is noted.
func (a *arrivals[K]) take(key K) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	at := a.first[key]
	delete(a.first, key)
	return at
}
