//go:build !race

package compat_test

// slower is by how much less the random test does.
const slower = 1
