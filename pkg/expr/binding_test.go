package expr

import (
	"testing"

	"github.com/google/cel-go/cel"

	"github.com/clusterimport/clusterimport/pkg/diag"
)

// TestShareLimit shows that evaluations which share a limit are stopped when they cost too much together.
func TestShareLimit(t *testing.T) {
	p, list := newTestEnv(t).Compile(Whole("f", "lists.range(50000).size() > 0"), cel.BoolType)
	if p == nil {
		t.Fatal(list)
	}
	cases := map[string]struct {
		reason string
		before func(b *Binding) (shares bool)
		times  int
		stops  diag.Code
		spent  int
	}{
		"Alone": {
			reason: "each evaluation has a limit of its own", times: 6, spent: 1_200_000,
			before: func(*Binding) bool { return false },
		},
		"Together": {
			reason: "the sixth would exceed the limit of all, and costs nothing", times: 6, stops: CodeTooExpensive, spent: 1_000_000,
			before: (*Binding).ShareLimit,
		},
		"Within": {
			reason: "a part of a whole gets no limit of its own", times: 6, stops: CodeTooExpensive, spent: 1_000_000,
			before: func(b *Binding) bool {
				shares := b.ShareLimit()
				b.EndShare(b.ShareLimit())
				return shares
			},
		},
		"Spent": {
			reason: "other work counts too", times: 5, stops: CodeTooExpensive, spent: 900_000,
			before: func(b *Binding) bool {
				shares := b.ShareLimit()
				if b.Spend(costLimit+1) || !b.Spend(100_000) {
					t.Error("what is too much is spent, or what is not is refused")
				}
				return shares
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			b := NewBinding(nil, nil)
			shares := tc.before(b)
			var err error
			for range tc.times {
				if _, err = p.Bool(t.Context(), b); err != nil {
					break
				}
			}
			b.EndShare(shares)
			if got := stoppedBy(nil, err); got != tc.stops || b.Spent() != tc.spent {
				t.Errorf("%s: stopped by %q, not %q, after %d units, not %d", tc.reason, got, tc.stops, b.Spent(), tc.spent)
			}
			if _, err := p.Bool(t.Context(), b); err != nil {
				t.Errorf("%s: the limit lasts beyond its end: %v", tc.reason, err)
			}
		})
	}
}
