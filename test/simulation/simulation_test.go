package simulation

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
)

var (
	seeds = flag.Int("seeds", 1000, "how many simulations TestSeeds runs")
	first = flag.Int("first", 0, "the seed of the first of them")
	steps = flag.Int("steps", 1000, "how many steps each of them has")
)

// TestSeeds runs random scripts. `make soak` runs more of them, and longer ones.
func TestSeeds(t *testing.T) {
	if raceEnabled || testing.Short() {
		*seeds = min(*seeds, 50)
	}
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		t.Run("worker", func(t *testing.T) {
			t.Parallel()
			for i := next.Add(1) - 1; i < int64(*seeds) && !t.Failed(); i = next.Add(1) - 1 {
				seed := uint64(*first) + uint64(i)
				if got := run(random(seed, *steps), plant{}); got.err != nil {
					t.Logf("seed %d: %v; this is made shorter now", seed, got.err)
					short, last := shrink(random(seed, *steps), plant{})
					t.Errorf("seed %d: %v\nshorter: %v\n%s", seed, got.err, last.err, short)
				}
			}
		})
	}
}

// TestScripts replays what was a bug once. A script is what a failing simulation has printed; add it with a comment
// that says what went wrong.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.script")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d scripts: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, err := parseScript(string(text))
			if err != nil {
				t.Fatal(err)
			}
			if got := run(s, plant{}); got.err != nil {
				t.Error(got.err)
			}
		})
	}
}
