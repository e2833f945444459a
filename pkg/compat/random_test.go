package compat_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

// The size of the random test: each template is evaluated as a text and as a condition on each of its data.
const (
	randomData        = 20
	randomEvaluations = 200_000
)

// TestRandom compares random templates on random data with the template engine, from a fixed seed and a fresh one.
func TestRandom(t *testing.T) {
	fresh := uint64(time.Now().UnixNano())
	for _, seed := range []uint64{1, fresh} {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			c := &comparison{generator: newGenerator(seed, 1), open: languageEnv(t), typed: typedEnv(t)}
			for c.evaluations < randomEvaluations/2/slower {
				c.template(t)
			}
			t.Logf("%d evaluations of %d templates: %d fail, %d lazy", c.evaluations, c.templates, c.failing, c.lazy)
			// One in a hundred; of few templates a single lazy one makes much of a difference.
			if allowed := c.evaluations / 100 * min(slower, 4); c.lazy > allowed {
				t.Errorf("%d of %d evaluations are lazy, more than %d", c.lazy, c.evaluations, allowed)
			}
			if c.different > 0 {
				t.Errorf("%d evaluations differ", c.different)
			}
		})
	}
}

// typedEnv is the environment of a source whose schema is known; half of the templates are translated in it.
func typedEnv(t *testing.T) *expr.Env {
	t.Helper()
	env, err := expr.NewEnv(expr.Scope{Source: sourceSchema(), References: []expr.Reference{{Key: "secret"}}})
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// comparison counts.
type comparison struct {
	*generator

	open, typed                                      *expr.Env
	templates, evaluations, failing, lazy, different int
}

// template compares one template on some data.
func (c *comparison) template(t *testing.T) {
	t.Helper()
	env := c.open
	if c.conforming = c.one(2); c.conforming {
		env = c.typed
	}
	src := c.generator.template()
	want, err := parseOriginal(src)
	if err != nil {
		t.Fatalf("the test made no template: %s\n%v", src, err)
	}
	c.templates++
	got, err := translate(env, src)
	if err != nil {
		c.reportf(t, "%s\nis refused: %v", src, err)
		c.evaluations += 2 * randomData
		return
	}
	for range randomData {
		data := c.data()
		expected := want.execute(data)
		if expected.err != nil {
			c.failing++
		}
		c.judge(t, want, data, expected, got.printed(t, data), func(o outcome) outcome { return o })
		c.judge(t, want, data, expected, got.truth(t, data), outcome.truth)
	}
}

func (c *comparison) judge(t *testing.T, o original, data map[string]any, want, got outcome, as func(outcome) outcome) {
	t.Helper()
	c.evaluations++
	switch {
	case got.same(as(want)):
	case want.err != nil && got.err == nil && o.lazy(data, func(other outcome) bool { return got.same(as(other)) }):
		c.lazy++
	default:
		c.reportf(t, "%s\nwith %v\nwant %v\ngot  %v", o.Root, data, as(want), got)
	}
}

// reportf says the first few differences.
func (c *comparison) reportf(t *testing.T, format string, args ...any) {
	t.Helper()
	if c.different++; c.different <= 5 {
		t.Errorf(format, args...)
	}
}
