//go:build race

package hostile_test

// pools says that sync.Pool keeps what it is given: with the race detector it drops some of it at random, and what is
// allocated again says nothing of the template.
const pools = false
