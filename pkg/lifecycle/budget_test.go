package lifecycle_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/lifecycle"
)

func removals(from, to int) []v1alpha1.Removal {
	var list []v1alpha1.Removal
	for i := from; i < to; i++ {
		list = append(list, v1alpha1.Removal{Name: fmt.Sprintf("c-%03d", i), UID: types.UID(fmt.Sprintf("uid-%03d", i))})
	}
	return list
}

func TestBudget(t *testing.T) {
	count := func(n int32) *intstr.IntOrString { limit := intstr.FromInt32(n); return &limit }
	percent := func(text string) *intstr.IntOrString { limit := intstr.FromString(text); return &limit }
	began := metav1.NewTime(now.Add(-10 * time.Minute))
	before := metav1.NewTime(now.Add(-2 * time.Hour))
	cases := map[string]struct {
		reason    string
		limit     *intstr.IntOrString
		imported  int32
		deletions *v1alpha1.Deletions
		due       []v1alpha1.Removal
		gone      []v1alpha1.Removal
		starting  bool
		release   string
		want      *v1alpha1.Deletions
		again     time.Duration
		events    string
	}{
		"Nothing": {reason: "a policy that never removed anything has no such status", imported: 9},
		"First": {
			reason: "a single removal is admitted at once, by the write that counts it", imported: 9, due: removals(0, 1),
			want: &v1alpha1.Deletions{WindowStart: metav1.NewTime(now), Fleet: 9, Allowed: 5, Removed: 1, Admitted: removals(0, 1)},
		},
		"SmallFleet": {
			reason: "the budget of a policy that says none is 5 at least", imported: 9, due: removals(0, 9),
			want: &v1alpha1.Deletions{
				WindowStart: metav1.NewTime(now), Fleet: 9, Allowed: 5, Removed: 5, Held: 4, Admitted: removals(0, 5),
			},
			again: time.Hour, events: "DeletionsHeld",
		},
		"LargeFleet": {
			reason: "and else a tenth", imported: 201, due: removals(0, 201),
			want: &v1alpha1.Deletions{
				WindowStart: metav1.NewTime(now), Fleet: 201, Allowed: 21, Removed: 21, Held: 180, Admitted: removals(0, 21),
			},
			again: time.Hour, events: "DeletionsHeld",
		},
		"Zero": {
			reason: "a budget of 0 holds everything", limit: count(0), imported: 9, due: removals(0, 1),
			want:  &v1alpha1.Deletions{WindowStart: metav1.NewTime(now), Fleet: 9, Held: 1},
			again: time.Hour, events: "DeletionsHeld",
		},
		"PercentRoundsUp": {
			reason: "a small fleet is removed one by one", limit: percent("10%"), imported: 3, due: removals(0, 2),
			want:  &v1alpha1.Deletions{WindowStart: metav1.NewTime(now), Fleet: 3, Allowed: 1, Removed: 1, Held: 1, Admitted: removals(0, 1)},
			again: time.Hour, events: "DeletionsHeld",
		},
		"All": {
			reason: "what Clusterpedia does, in portions that fit into a status", limit: percent("100%"), imported: 40, due: removals(0, 40),
			want: &v1alpha1.Deletions{WindowStart: metav1.NewTime(now), Fleet: 40, Allowed: 40, Removed: 32, Admitted: removals(0, 32)},
		},
		"NextPortion": {
			reason: "the rest follows when the first are gone", limit: percent("100%"), imported: 8, due: removals(32, 40), gone: removals(0, 32),
			deletions: &v1alpha1.Deletions{WindowStart: began, Fleet: 40, Allowed: 40, Removed: 32, Admitted: removals(0, 32)},
			want:      &v1alpha1.Deletions{WindowStart: began, Fleet: 40, Allowed: 40, Removed: 40, Admitted: removals(32, 40)},
		},
		"Admitted": {
			reason: "what is admitted is not counted twice, after a restart neither", imported: 9, due: removals(0, 1),
			deletions: &v1alpha1.Deletions{WindowStart: began, Fleet: 9, Allowed: 5, Removed: 1, Admitted: removals(0, 1)},
			want:      &v1alpha1.Deletions{WindowStart: began, Fleet: 9, Allowed: 5, Removed: 1, Admitted: removals(0, 1)},
		},
		"Starting": {
			reason: "a process that has not planned every source knows neither what is due nor what is not", imported: 9, due: removals(0, 1), starting: true,
			deletions: &v1alpha1.Deletions{WindowStart: began, Fleet: 9, Allowed: 5, Removed: 5, Held: 4},
			want:      &v1alpha1.Deletions{WindowStart: began, Fleet: 9, Allowed: 5, Removed: 5, Held: 4}, events: "DeletionsHeld",
		},
		"Held": {
			reason: "what is beyond the budget waits for the end of the hour", imported: 4, due: removals(5, 9), gone: removals(0, 5),
			deletions: &v1alpha1.Deletions{WindowStart: began, Fleet: 9, Allowed: 5, Removed: 5, Held: 4, Admitted: removals(0, 5)},
			want:      &v1alpha1.Deletions{WindowStart: began, Fleet: 9, Allowed: 5, Removed: 5, Held: 4},
			again:     50 * time.Minute, events: "DeletionsHeld",
		},
		"NextHour": {
			reason: "then it counts anew, and what is still under way counts again", limit: count(3), imported: 5, due: removals(4, 9),
			deletions: &v1alpha1.Deletions{WindowStart: before, Fleet: 9, Allowed: 5, Removed: 5, Held: 4, Released: 2, Admitted: removals(4, 5)},
			want: &v1alpha1.Deletions{
				WindowStart: metav1.NewTime(now), Fleet: 5, Allowed: 3, Removed: 3, Held: 2, Admitted: removals(4, 7),
			},
			again: time.Hour, events: "DeletionsHeld",
		},
		"NextHourBack": {
			reason: "what was admitted in the hour before and is not due any more is not admitted for ever", limit: count(3), imported: 4, due: removals(6, 7),
			deletions: &v1alpha1.Deletions{WindowStart: before, Fleet: 9, Allowed: 5, Removed: 5, Admitted: removals(4, 5)},
			want:      &v1alpha1.Deletions{WindowStart: metav1.NewTime(now), Fleet: 4, Allowed: 3, Removed: 1, Admitted: removals(6, 7)},
		},
		"Back": {
			reason: "sources that are back are not due any more", imported: 4,
			deletions: &v1alpha1.Deletions{WindowStart: began, Fleet: 9, Allowed: 5, Removed: 5, Held: 4},
			want:      &v1alpha1.Deletions{WindowStart: began, Fleet: 9, Allowed: 5, Removed: 5},
		},
		"Release": {
			reason: "a user releases what the status says is held, and not what has come to it since", imported: 20, due: removals(5, 12), release: "one",
			deletions: &v1alpha1.Deletions{WindowStart: began, Fleet: 20, Allowed: 5, Removed: 5, Held: 4},
			want: &v1alpha1.Deletions{
				WindowStart: began, Fleet: 20, Allowed: 9, Removed: 9, Held: 3, Released: 4, Release: "one", Admitted: removals(5, 9),
			},
			again: 50 * time.Minute, events: "DeletionsHeld",
		},
		"ReleasedBefore": {
			reason: "an annotation releases once", imported: 20, due: removals(9, 12), release: "one",
			deletions: &v1alpha1.Deletions{WindowStart: began, Fleet: 20, Allowed: 9, Removed: 9, Held: 3, Released: 4, Release: "one"},
			want:      &v1alpha1.Deletions{WindowStart: began, Fleet: 20, Allowed: 9, Removed: 9, Held: 3, Released: 4, Release: "one"},
			again:     50 * time.Minute, events: "DeletionsHeld",
		},
		"ReleaseInAdvance": {
			reason: "one that was there before anything was held releases nothing", limit: count(0), imported: 20, due: removals(0, 3), release: "early",
			want:  &v1alpha1.Deletions{WindowStart: metav1.NewTime(now), Fleet: 20, Held: 3, Release: "early"},
			again: time.Hour, events: "DeletionsHeld",
		},
		"Growing": {
			reason: "a share is one of the fleet as it is now, not as it was when the hour began", limit: percent("50%"), imported: 10, due: removals(1, 5),
			deletions: &v1alpha1.Deletions{WindowStart: began, Fleet: 2, Allowed: 1, Removed: 1},
			want:      &v1alpha1.Deletions{WindowStart: began, Fleet: 10, Allowed: 5, Removed: 5, Admitted: removals(1, 5)},
		},
		"NotCounted": {
			reason: "what is due is part of the fleet, also when it was imported a moment ago", limit: percent("100%"), due: removals(0, 1),
			want: &v1alpha1.Deletions{WindowStart: metav1.NewTime(now), Fleet: 1, Allowed: 1, Removed: 1, Admitted: removals(0, 1)},
		},
		"Raised": {
			reason: "an edit of the budget counts at once", limit: count(7), imported: 9, due: removals(5, 9),
			deletions: &v1alpha1.Deletions{WindowStart: began, Fleet: 9, Allowed: 5, Removed: 5, Held: 4},
			want:      &v1alpha1.Deletions{WindowStart: began, Fleet: 9, Allowed: 7, Removed: 7, Held: 2, Admitted: removals(5, 7)},
			again:     50 * time.Minute, events: "DeletionsHeld",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := active(t, nil).Policy
			p.Spec.MaxDeletions, p.Status.Deletions = tc.limit, tc.deletions
			if tc.release != "" {
				p.Annotations = map[string]string{v1alpha1.AnnotationRelease: tc.release}
			}
			plan := lifecycle.PlanPolicy(lifecycle.PolicyState{
				Now: now, Policy: p, Settled: !tc.starting, Counts: v1alpha1.SourceCounts{Imported: tc.imported},
				Deletions: tc.deletions, Due: tc.due,
				Present: func(r v1alpha1.Removal) bool { return !slices.Contains(tc.gone, r) },
			})
			set, ok := plan.Actions[0].(lifecycle.SetPolicyStatus)
			if !ok {
				t.Fatalf("the plan is %s", plan)
			}
			if diff := cmp.Diff(tc.want, set.Status.Deletions, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", tc.reason, diff)
			}
			var events []string
			for _, a := range plan.Actions {
				if e, ok := a.(lifecycle.Emit); ok && e.Reason != v1alpha1.ReasonActive {
					events = append(events, e.Reason)
				}
			}
			if diff := cmp.Diff([]any{tc.again, tc.events}, []any{plan.Again, strings.Join(events, ",")}); diff != "" {
				t.Errorf("%s: when to plan again, and events (-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}

// TestBudgetHolds: whatever comes and goes, whenever a process starts anew, no more goes within a window than was
// allowed.
func TestBudgetHolds(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	p := active(t, nil).Policy
	limit := intstr.FromString("10%")
	p.Spec.MaxDeletions = &limit
	there := map[v1alpha1.Removal]bool{}
	for _, r := range removals(0, 300) {
		there[r] = true
	}
	clock, window, gone := now, metav1.Time{}, 0
	for step := range 2000 {
		clock = clock.Add(time.Duration(random.IntN(240)) * time.Second)
		var due []v1alpha1.Removal
		for r := range there {
			if random.IntN(3) == 0 {
				due = append(due, r)
			}
		}
		state := lifecycle.PolicyState{
			Now: clock, Policy: p, Settled: random.IntN(4) > 0, Counts: v1alpha1.SourceCounts{Imported: int32(len(there))},
			Deletions: p.Status.Deletions, Due: due, Present: func(r v1alpha1.Removal) bool { return there[r] },
		}
		for _, a := range lifecycle.PlanPolicy(state).Actions {
			if set, ok := a.(lifecycle.SetPolicyStatus); ok && random.IntN(10) > 0 { // some writes are lost
				p = p.DeepCopy()
				p.Status = set.Status
			}
		}
		d := p.Status.Deletions
		if d == nil {
			continue
		}
		if !d.WindowStart.Equal(&window) {
			window, gone = d.WindowStart, 0
		}
		for _, r := range d.Admitted {
			if there[r] && random.IntN(2) == 0 { // some removals take long
				delete(there, r)
				gone++
			}
		}
		if most := int(d.Fleet+9) / 10; gone > most || int(d.Removed) > max(most, len(d.Admitted)) {
			t.Fatalf("step %d: %d are gone of %d allowed: %+v", step, gone, most, d)
		}
	}
	if len(there) == 300 {
		t.Error("nothing was ever removed")
	}
}

// TestRemovalWaits: a lifecycle with a PediaCluster goes when the policy has admitted it, and no sooner.
func TestRemovalWaits(t *testing.T) {
	l := held("c-x", "source-uid")
	cases := map[string]struct {
		reason    string
		cluster   *v1alpha2.PediaCluster
		deletions *v1alpha1.Deletions
		want      string
		due       int
	}{
		"Waits":        {reason: "nothing is admitted", cluster: clusterOf(mine, ""), due: 1},
		"AnotherUID":   {reason: "another of that name was", cluster: clusterOf(mine, ""), deletions: &v1alpha1.Deletions{Admitted: []v1alpha1.Removal{{Name: "c-x", UID: "former"}}}, due: 1},
		"Admitted":     {reason: "it is admitted", cluster: clusterOf(mine, ""), deletions: &v1alpha1.Deletions{Admitted: []v1alpha1.Removal{{Name: "c-x", UID: l.UID}}}, want: "delete", due: 1},
		"NotImported":  {reason: "one without a PediaCluster takes nothing along", want: "delete"},
		"NotItsOwn":    {reason: "nor does it take what is not its own", cluster: clusterOf("", ""), want: "delete"},
		"NotImported2": {reason: "nor what an earlier lifecycle left", cluster: clusterOf("", "former"), want: "delete"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			plan, _ := lifecycle.PlanSource(context.Background(), lifecycle.SourceState{
				Policy: active(t, nil), Owner: &v1alpha1.ClusterImportPolicy{}, Namespace: "ns", Name: "one", Source: lifecycle.NotFound(), Deletions: tc.deletions,
				Owned:   []*v1alpha1.PediaClusterLifecycle{l},
				Cluster: func(string) *v1alpha2.PediaCluster { return tc.cluster },
			})
			if plan.Removes() != (tc.want == "delete") || len(plan.Due) != tc.due {
				t.Errorf("%s: %d are due, and the plan is\n%s", tc.reason, len(plan.Due), plan)
			}
		})
	}
}

// TestKindDefinedAnew: what went with its kind, and did not come back with it, is not proven gone.
func TestKindDefinedAnew(t *testing.T) {
	anew := lifecycle.Definition{UID: "second", Created: metav1.NewTime(now)}
	born := func(after time.Duration) map[string]any {
		s := source(map[string]any{"pick": true, "alias": "x"})
		metadata, _ := s["metadata"].(map[string]any)
		metadata["creationTimestamp"] = now.Add(after).Format(time.RFC3339)
		return s
	}
	seen := func(under string) *v1alpha1.PediaClusterLifecycle {
		l := held("c-x", "first-object")
		l.CreationTimestamp = metav1.NewTime(now.Add(time.Hour))
		if under != "" {
			l.Annotations[v1alpha1.AnnotationDefinitionUID] = under
		}
		return l
	}
	old := seen("")
	old.CreationTimestamp = metav1.NewTime(now.Add(-time.Hour))
	cases := map[string]struct {
		reason string
		source lifecycle.Lookup
		owned  *v1alpha1.PediaClusterLifecycle
		want   string
	}{
		"Missing":      {reason: "it was seen under another definition", source: lifecycle.NotFound(), owned: seen("first")},
		"MissingOlder": {reason: "a lifecycle that is older than the definition was made under another one", source: lifecycle.NotFound(), owned: old},
		"Gone":         {reason: "it was seen under this one: it is gone", source: lifecycle.NotFound(), owned: seen("second"), want: "delete lifecycle c-x"},
		"GoneYounger":  {reason: "a lifecycle that is younger than the definition was made under it", source: lifecycle.NotFound(), owned: seen(""), want: "delete lifecycle c-x"},
		"Back":         {reason: "an object of the name that came with the kind takes the claim over", source: lifecycle.Found(born(time.Hour)), owned: seen("first"), want: "update lifecycle c-x"},
		"Recreated":    {reason: "under one definition it is a new claim", source: lifecycle.Found(born(time.Hour)), owned: seen("second"), want: "delete lifecycle c-x"},
		"Former":       {reason: "an object that is older than the definition is only in a cache", source: lifecycle.Found(born(-time.Hour)), owned: seen("first")},
		"FormerNew":    {reason: "nor is it imported", source: lifecycle.Found(born(-time.Hour))},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			state := lifecycle.SourceState{
				Policy: active(t, nil), Owner: &v1alpha1.ClusterImportPolicy{}, Namespace: "ns", Name: "one", Source: tc.source, Definition: anew,
				Cluster: func(string) *v1alpha2.PediaCluster { return nil },
				ByName:  func(string) *v1alpha1.PediaClusterLifecycle { return nil },
			}
			if tc.owned != nil {
				state.Owned = []*v1alpha1.PediaClusterLifecycle{tc.owned}
			}
			plan, _ := lifecycle.PlanSource(context.Background(), state)
			if got := plan.String(); tc.want == "" && got != "" || !strings.HasPrefix(got, tc.want) {
				t.Errorf("%s: the plan is %q, not %q", tc.reason, got, tc.want)
			}
			for _, a := range plan.Actions {
				if u, ok := a.(lifecycle.UpdateLifecycle); ok && u.Lifecycle.Annotations[v1alpha1.AnnotationDefinitionUID] != "second" {
					t.Errorf("the lifecycle does not say under which definition its source was seen")
				}
			}
		})
	}
}
