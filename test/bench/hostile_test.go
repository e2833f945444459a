package bench

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/test/hostile"
)

const (
	// maxStopTime is what it may take to refuse a hostile template, or to translate it and to stop its evaluation.
	maxStopTime = 100 * time.Millisecond
	// soonStopped is what takes so little that it is not measured again.
	soonStopped = maxStopTime / 10
	// slowest is how many templates the report names.
	slowest = 15
)

// stopping is what stopping a template takes of the process's CPU time, with garbage collection and all.
type stopping struct {
	name                    string
	form                    hostile.Form
	translating, evaluating time.Duration
}

func (s stopping) total() time.Duration { return s.translating + s.evaluating }

// processTime is the CPU time that the process has taken: other processes do not count.
func processTime(tb testing.TB) time.Duration {
	tb.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// stop translates a template and evaluates it, until it is stopped.
func stop(tb testing.TB, env *expr.Env, source map[string]any, name string, form hostile.Form, template string) stopping {
	tb.Helper()
	began := processTime(tb)
	evaluate, _ := form.Translate(env, template)
	translated := processTime(tb)
	if evaluate != nil {
		_ = evaluate(context.Background(), expr.NewBinding(source, nil)) // how it ends is tested by package hostile
	}
	return stopping{name, form, translated - began, processTime(tb) - translated}
}

// stopped measures all hostile templates in all their forms, the slowest first. Of several rounds the fastest counts.
func stopped(tb testing.TB, rounds int) []stopping {
	tb.Helper()
	env, err := expr.NewEnv(expr.Scope{})
	if err != nil {
		tb.Fatal(err)
	}
	source, templates := hostile.Source(), hostile.Templates()
	stop(tb, env, source, "", hostile.Scalar, "{{ .source.a }}") // makes what is made once
	var all []stopping
	for _, name := range slices.Sorted(maps.Keys(templates)) {
		for _, form := range slices.Sorted(maps.Keys(templates[name].Stops)) {
			best := stop(tb, env, source, name, form, templates[name].Text)
			for range rounds - 1 {
				if best.total() < soonStopped {
					break
				}
				if again := stop(tb, env, source, name, form, templates[name].Text); again.total() < best.total() {
					best = again
				}
			}
			all = append(all, best)
		}
	}
	slices.SortFunc(all, func(a, b stopping) int { return cmp.Compare(b.total(), a.total()) })
	return all
}

// checkHostile is the report's section about hostile templates.
func checkHostile(t *testing.T) string {
	t.Helper()
	all := stopped(t, *rounds)
	var b strings.Builder
	fmt.Fprintf(&b, "\n## Hostile templates\n\nWhat it takes to refuse Go templates that try to take time or memory, or to translate them and to stop their\n"+
		"evaluation: CPU time of the process, garbage collection included. These are the slowest of %d templates (test/hostile), each in\n"+
		"the slowest of its forms: a name, a condition, a scalar of a document, or a document.\n\n"+
		"| template | as | translated or refused | evaluated or stopped | together |\n|---|---|--:|--:|--:|\n",
		len(hostile.Templates()))
	named := map[string]bool{}
	for _, s := range all {
		if s.total() > maxStopTime {
			t.Errorf("the hostile template %s takes %v as %s, the target is %v", s.name, s.total(), s.form, maxStopTime)
		}
		if !named[s.name] && len(named) < slowest {
			named[s.name] = true
			fmt.Fprintf(&b, "| %s | %s | %v | %v | %v |\n", s.name, s.form,
				s.translating.Round(100*time.Microsecond), s.evaluating.Round(100*time.Microsecond), s.total().Round(100*time.Microsecond))
		}
	}
	fmt.Fprintf(&b, "\nTarget: at most %v.\n", maxStopTime)
	return b.String()
}

// BenchmarkHostile stops each hostile template.
func BenchmarkHostile(b *testing.B) {
	for b.Loop() {
		stopped(b, 1)
	}
}
