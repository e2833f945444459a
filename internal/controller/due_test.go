package controller

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
)

// recordedQueue records what is added.
type recordedQueue struct {
	Queue[string]

	added []string
}

func (q *recordedQueue) Add(key string) { q.added = append(q.added, key+" now") }

func (q *recordedQueue) AddAfter(key string, _ time.Duration) { q.added = append(q.added, key+" soon") }

func TestCountDue(t *testing.T) {
	removal := func(name string) []v1alpha1.Removal { return []v1alpha1.Removal{{Name: name, UID: "u"}} }
	// plan is a pass of a lifecycle that belongs to a policy, or to none when it is gone.
	type plan struct {
		lifecycle, policy string
		due               []v1alpha1.Removal
	}
	cases := map[string]struct {
		reason string
		plans  []plan
		want   map[string][]v1alpha1.Removal
		told   []string
	}{
		"None": {
			reason: "a lifecycle with nothing to remove tells nobody, while it is there or when it goes",
			plans:  []plan{{"l", "a", nil}, {"l", "", nil}},
		},
		"First": {
			reason: "the policy admits its first removal at once, and gathers the others",
			plans:  []plan{{"l", "a", removal("l")}, {"l", "a", removal("l")}, {"m", "a", removal("m")}},
			want:   map[string][]v1alpha1.Removal{"a": append(removal("l"), removal("m")...)},
			told:   []string{"a now", "a soon"},
		},
		"Gone": {
			reason: "what a lifecycle that is gone had to remove is forgotten, once, by the policy that counted it and no other",
			plans:  []plan{{"l", "a", removal("l")}, {"m", "b", removal("m")}, {"l", "", nil}, {"l", "", nil}},
			want:   map[string][]v1alpha1.Removal{"b": removal("m")},
			told:   []string{"a now", "b now", "a soon"},
		},
		"Done": {
			reason: "a lifecycle whose removal is done has nothing to be forgotten when it goes",
			plans:  []plan{{"l", "a", removal("l")}, {"l", "a", nil}, {"l", "", nil}},
			told:   []string{"a now", "a soon"},
		},
		"Another": {
			reason: "a lifecycle that came back as another policy's, before anybody saw that it was gone, is counted there only",
			plans:  []plan{{"l", "a", removal("l")}, {"l", "b", removal("l")}},
			want:   map[string][]v1alpha1.Removal{"b": removal("l")},
			told:   []string{"a now", "a soon", "b now"},
		},
		"AnotherGone": {
			reason: "and is forgotten there when it goes",
			plans:  []plan{{"l", "a", removal("l")}, {"l", "b", removal("l")}, {"l", "", nil}},
			told:   []string{"a now", "a soon", "b now", "b soon"},
		},
	}
	byName := cmp.Transformer("byName", func(due []v1alpha1.Removal) map[string]v1alpha1.Removal {
		of := map[string]v1alpha1.Removal{}
		for _, removal := range due {
			of[removal.Name] = removal
		}
		return of
	})
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			queue := &recordedQueue{}
			r := &Reconcilers{Dependencies: Dependencies{Queues: Queues{Policies: queue}}, tally: newTally()}
			for _, p := range tc.plans {
				r.countDue(p.lifecycle, p.policy, p.due)
			}
			for _, policy := range []string{"a", "b"} {
				if diff := cmp.Diff(tc.want[policy], r.tally.dueFor(policy), byName); diff != "" {
					t.Errorf("%s: due for %s (-want +got)\n%s", tc.reason, policy, diff)
				}
			}
			if diff := cmp.Diff(tc.told, queue.added); diff != "" {
				t.Errorf("%s: told (-want +got)\n%s", tc.reason, diff)
			}
			r.tally.forget("a")
			r.tally.forget("b")
			if len(r.tally.dueOf) > 0 {
				t.Errorf("%s: of policies that are gone there is left %v", tc.reason, r.tally.dueOf)
			}
		})
	}
}
