//go:build race

package simulation

// raceEnabled is whether the race detector slows everything down.
const raceEnabled = true
