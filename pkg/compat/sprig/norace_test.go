//go:build !race

package sprig_test

// underRace says that the race detector does not run.
const underRace = false
