package simulation

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// step is one thing that happens. What its numbers mean is up to the verb; every step can be taken in every state
// of the world, if need be without an effect, so that a script stays one when steps are left out.
type step struct {
	verb string
	a, b int
}

func (s step) String() string { return fmt.Sprintf("%s %d %d", s.verb, s.a, s.b) }

// script is all that happens to a world.
type script []step

// String prints a step on each line, with what it means.
func (s script) String() string {
	var out strings.Builder
	for _, step := range s {
		line := step.String()
		if meaning := describe(step); meaning != "" {
			line = fmt.Sprintf("%-20s # %s", line, meaning)
		}
		out.WriteString(line + "\n")
	}
	return out.String()
}

// parseScript reads what String prints. Lines that begin with # are comments.
func parseScript(text string) (script, error) {
	var out script
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if strings.TrimSpace(line) == "" {
			continue
		}
		var s step
		if _, err := fmt.Sscan(line, &s.verb, &s.a, &s.b); err != nil {
			return nil, fmt.Errorf("%q is not a step: %w", line, err)
		}
		if !slices.ContainsFunc(verbs, func(v verb) bool { return v.name == s.verb }) {
			return nil, fmt.Errorf("%q is not a verb", s.verb)
		}
		out = append(out, s)
	}
	return out, lines.Err()
}

// verb is a kind of step: how often it happens, from how many each of its numbers is chosen, and what it does.
type verb struct {
	name   string
	weight int
	a, b   int
	apply  func(w *world, a, b int)
	means  func(a, b int) string
}

func describe(s step) string {
	for _, v := range verbs {
		if v.name == s.verb && v.means != nil {
			return v.means(s.a, s.b)
		}
	}
	return ""
}

// random draws a script.
func random(seed uint64, length int) script {
	r := rand.New(rand.NewPCG(seed, 0))
	sum := 0
	for _, v := range verbs {
		sum += v.weight
	}
	out := make(script, 0, length)
	for range length {
		n := r.IntN(sum)
		for _, v := range verbs {
			if n -= v.weight; n < 0 {
				out = append(out, step{v.name, r.IntN(v.a), r.IntN(v.b)})
				break
			}
		}
	}
	return append(out, step{"settle", 0, 0})
}

// shrink makes a script that ends in a violation shorter as long as it ends in one of the same sort: it leaves out
// steps, ever smaller parts, and then makes numbers small.
func shrink(s script, p plant) (script, outcome) {
	last := run(s, p)
	if last.err == nil {
		return s, last
	}
	s = s[:last.at+1]
	try := func(candidate script) bool {
		got := run(candidate, p)
		if got.sort != last.sort {
			return false
		}
		s, last = candidate[:got.at+1], got
		return true
	}
	for before := -1; before != len(s); {
		before = len(s)
		for size := max(len(s)/2, 1); size > 0; size /= 2 {
			for from := 0; from < len(s); {
				if !try(slices.Concat(s[:from], s[min(from+size, len(s)):])) {
					from += size
				}
			}
		}
	}
	for i := 0; i < len(s); i++ { //nolint:intrange // the script gets shorter
		for _, smaller := range []step{{s[i].verb, 0, 0}, {s[i].verb, 0, s[i].b}, {s[i].verb, s[i].a, 0}} {
			candidate := slices.Clone(s)
			candidate[i] = smaller
			if smaller == s[i] || try(candidate) {
				break
			}
		}
	}
	return s, last
}
