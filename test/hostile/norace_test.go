//go:build !race

package hostile_test

const pools = true
