package hostile_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/test/hostile"
)

// What an evaluation may allocate for each unit of what it costs, and beside that: a function that works for free is
// found by what it makes.
const (
	bytesPerUnit = 64
	freeBytes    = 2 << 20
)

// TestTemplates shows that every hostile template is refused or stopped in each of its forms, and that what it allocates
// and costs is bounded.
func TestTemplates(t *testing.T) {
	env := warm(t)
	source := hostile.Source()
	for name, tc := range hostile.Templates() {
		for form, stops := range tc.Stops {
			t.Run(name+"/"+string(form), func(t *testing.T) {
				b := expr.NewBinding(source, nil)
				var evaluate hostile.Evaluation
				var list diag.List
				translating := allocated(func() { evaluate, list = form.Translate(env, tc.Text) })
				var failed error
				evaluating := 0
				if evaluate != nil {
					evaluating = allocated(func() { failed = evaluate(t.Context(), b) })
				}
				t.Logf("%d KiB to translate, %d KiB and %d units to evaluate", translating>>10, evaluating>>10, b.Spent())
				if pools && (translating > hostile.Bytes || evaluating > hostile.Bytes) {
					t.Errorf("translating takes %d KiB, evaluating %d KiB", translating>>10, evaluating>>10)
				}
				if pools && evaluating > freeBytes+bytesPerUnit*b.Spent() {
					t.Errorf("it makes %d KiB for %d units", evaluating>>10, b.Spent())
				}
				if spent := b.Spent(); spent > hostile.Cost || stops == "" && spent < tc.Costs {
					t.Errorf("it costs %d, not %d to %d", spent, tc.Costs, hostile.Cost)
				}
				if got := stopped(list, failed); got != stops {
					t.Errorf("it is stopped by %q, not %q: %.300v %v", got, stops, list, failed)
				}
				if len(list) > 3*diag.Most {
					t.Errorf("%d diagnostics", len(list))
				}
			})
		}
	}
}

// warm makes what is made once, and not by the first template.
func warm(t *testing.T) *expr.Env {
	t.Helper()
	env, err := expr.NewEnv(expr.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []hostile.Form{hostile.Text, hostile.Condition, hostile.Scalar} {
		evaluate, list := form.Translate(env, "{{ .source.a }}")
		if evaluate == nil {
			t.Fatal(list)
		}
		if err := evaluate(context.Background(), expr.NewBinding(hostile.Source(), nil)); err != nil {
			t.Fatal(err)
		}
	}
	return env
}

// stopped is the code of what stops a template.
func stopped(list diag.List, err error) diag.Code {
	if errs := list.Errors(); len(errs) > 0 {
		return errs[0].Code
	}
	if failed, ok := errors.AsType[*expr.Error](err); ok {
		return failed.Code()
	}
	return ""
}

// allocated is how many bytes f allocates in all, stacks included.
func allocated(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc-before.TotalAlloc) + max(0, int(after.StackSys)-int(before.StackSys))
}
