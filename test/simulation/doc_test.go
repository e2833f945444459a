// Package simulation drives the real reconcilers of internal/controller, and with them the planners of pkg/lifecycle,
// against a simulated API server: one goroutine, one seed, no clock of its own. It owns
//
//   - the server: objects with versions, UIDs, generations, conflicts, preconditions, finalizers, garbage collection;
//   - the watches: each kind on its own stream, which lags, breaks, expires and is listed anew;
//   - the world: users, platforms and Secrets that change, a controller that dies at any step;
//   - the invariants, checked after every write and whenever everything has settled.
//
// What happens is a script, one step on each line. A seed makes a script; a script that ends in a violation is made
// shorter while it still does, and is printed. testdata/*.script holds such scripts: each was a bug once.
//
// It does not model what etcd, the network or client-go do inside; test/e2e does, on the real ones.
package simulation
