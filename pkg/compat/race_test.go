//go:build race

package compat_test

// slower is by how much less the random test does: the race detector makes everything about ten times slower.
const slower = 10
