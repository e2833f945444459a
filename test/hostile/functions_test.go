package hostile_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/clusterimport/clusterimport/pkg/compat/sprig"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/test/hostile"
)

// freeCallBytes is what one call may allocate beside what it pays for: an error, a pattern, a list of arguments.
const freeCallBytes = 64 << 10

// TestFunctionsPay calls every function that templates have with much in each of its arguments, and shows that what it
// makes of that costs: a function that nobody has thought of cannot work for free.
func TestFunctionsPay(t *testing.T) {
	if !pools {
		t.Skip("with the race detector, bytes say nothing")
	}
	env, source := warm(t), hostile.Source()
	some := []string{"$.source.big", "$.source.list", "$.source.map", "$.source.some", `"x"`, "1", "10000"}
	few := []string{"$.source.part", "$.source.list", `"a"`, "1000"}
	calls, paid := 0, 0
	for _, name := range sprig.Names() {
		f, _ := sprig.Lookup(name)
		if f.Refused != "" {
			continue
		}
		args := some
		count := max(f.MinArgs, min(2, f.MaxArgs))
		if f.MaxArgs < 0 {
			count = max(f.MinArgs, 2)
		}
		if count > 2 {
			args = few
		}
		for _, list := range choices(args, count) {
			call := name + " " + strings.Join(list, " ")
			evaluate, _ := hostile.Text.Translate(env, "{{ if "+call+" }}{{ end }}")
			if evaluate == nil {
				continue // the types do not fit
			}
			made, spent := leastMade(t, evaluate, source)
			if calls++; made > freeCallBytes {
				paid++
			}
			if made > freeCallBytes+bytesPerUnit*spent {
				t.Errorf("%s makes %d KiB for %d units", call, made>>10, spent)
			}
		}
	}
	if calls < 1_000 || paid < 100 {
		t.Errorf("of %d calls only %d make much", calls, paid)
	}
}

// leastMade is what an evaluation allocates and costs. Others may allocate at the same time: the least of some counts, if
// it is much.
func leastMade(t *testing.T, evaluate hostile.Evaluation, source map[string]any) (made, spent int) {
	t.Helper()
	made = math.MaxInt
	for range 3 {
		b := expr.NewBinding(source, nil)
		made = min(made, allocated(func() { _ = evaluate(t.Context(), b) }))
		if spent = b.Spent(); made <= freeCallBytes {
			break
		}
	}
	return made, spent
}

// choices are all lists of n of the values.
func choices(values []string, n int) [][]string {
	if n == 0 {
		return [][]string{nil}
	}
	var all [][]string
	for _, rest := range choices(values, n-1) {
		for _, value := range values {
			all = append(all, append(slices.Clip(rest), value))
		}
	}
	return all
}
