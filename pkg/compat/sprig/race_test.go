//go:build race

package sprig_test

// underRace says that the race detector runs: it empties pools at random, so that what is allocated says nothing.
const underRace = true
