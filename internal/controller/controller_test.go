package controller

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/lifecycle"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLoopRetriesUntilItWorks(t *testing.T) {
	done := make(chan struct{})
	var tries, observed atomic.Int32
	l := newLoop("test", newQueue[string]("test"), func(_ string, _ time.Duration, err error) {
		if err != nil {
			observed.Add(1)
		}
	}, func(context.Context, string) (time.Duration, error) {
		if tries.Add(1) < 4 {
			return 0, errors.New("not yet")
		}
		close(done)
		return 0, nil
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		l.run(ctx, 2)
		close(ended)
	}()
	l.queue.Add("key")
	for _, c := range []<-chan struct{}{done} {
		select {
		case <-c:
		case <-time.After(10 * time.Second):
			t.Fatal("the key was given up")
		}
	}
	cancel()
	<-ended
	if observed.Load() != 3 {
		t.Errorf("observed %d failures, not 3", observed.Load())
	}
}

func TestReferences(t *testing.T) {
	object := func(name string) v1alpha1.DependentResource {
		return v1alpha1.DependentResource{Version: "v1", Resource: "secrets", Namespace: "ns", Name: name}
	}
	r := newReferences()
	r.set("one", []v1alpha1.DependentResource{object("a"), object("b")})
	r.set("two", []v1alpha1.DependentResource{object("b")})
	r.set("one", []v1alpha1.DependentResource{object("b"), object("c")})
	got := map[string][]string{}
	for _, name := range []string{"a", "b", "c"} {
		got[name] = r.dependents(keyOf(object(name)))
		slices.Sort(got[name])
	}
	if diff := cmp.Diff(map[string][]string{"a": nil, "b": {"one", "two"}, "c": {"one"}}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	r.set("one", nil)
	r.set("two", nil)
	if len(r.of) != 0 || len(r.to) != 0 {
		t.Errorf("something is left: %v, %v", r.of, r.to)
	}
}

func TestTally(t *testing.T) {
	with := func(status metav1.ConditionStatus, reason string) *v1alpha1.PediaClusterLifecycle {
		l := &v1alpha1.PediaClusterLifecycle{}
		l.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionCreated, Status: status, Reason: reason}}
		return l
	}
	tl := newTally()
	tl.lifecycleChanged("p", "a", with(metav1.ConditionFalse, v1alpha1.ReasonWaitCreationCondition))
	tl.lifecycleChanged("p", "a", with(metav1.ConditionTrue, v1alpha1.ReasonPediaClusterCreated))
	tl.lifecycleChanged("p", "b", with(metav1.ConditionFalse, v1alpha1.ReasonWaitCreationCondition))
	tl.lifecycleChanged("p", "c", with(metav1.ConditionFalse, v1alpha1.ReasonCreationFailure))
	tl.lifecycleChanged("p", "d", with(metav1.ConditionTrue, v1alpha1.ReasonPediaClusterCreated))
	tl.lifecycleChanged("p", "d", nil)
	loser := SourceKey{"p", types.NamespacedName{Namespace: "ns", Name: "loser"}}
	if !tl.sourceChanged(loser, lifecycle.SourceOutcome{Reason: v1alpha1.ReasonNameConflict, Message: "taken", Claims: "a"}) {
		t.Error("a new outcome is a change")
	}
	counts, failures := tl.outcomes("p")
	if diff := cmp.Diff(v1alpha1.SourceCounts{Selected: 4, Imported: 1, Waiting: 1, Failed: 2}, counts); diff != "" {
		t.Errorf("counts (-want +got)\n%s", diff)
	}
	want := []v1alpha1.SourceFailure{{Namespace: "ns", Name: "loser", Reason: v1alpha1.ReasonNameConflict, Message: "taken"}}
	if diff := cmp.Diff(want, failures); diff != "" {
		t.Errorf("failures (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]SourceKey{loser}, tl.waitersFor("a"), cmp.AllowUnexported(SourceKey{})); diff != "" {
		t.Errorf("waiters (-want +got)\n%s", diff)
	}
	tl.sourceChanged(loser, lifecycle.SourceOutcome{})
	tl.forget("p")
	if len(tl.policies) != 0 || len(tl.waiters) != 0 {
		t.Errorf("something is left: %v, %v", tl.policies, tl.waiters)
	}
}
