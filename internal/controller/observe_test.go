package controller

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/lifecycle"
)

func TestArrivals(t *testing.T) {
	first := time.Unix(100, 0)
	a := newArrivals[string]()
	a.see("key", first.Add(time.Second))
	a.see("key", first)
	a.see("key", first.Add(time.Minute))
	a.see("never", time.Time{})
	a.see("", first)
	if got := a.take("key"); !got.Equal(first) {
		t.Errorf("the first event was at %v", got)
	}
	if got := a.take("key"); !got.IsZero() {
		t.Errorf("an event that was taken is there again: %v", got)
	}
	if len(a.first) != 0 {
		t.Errorf("something is left: %v", a.first)
	}
}

// operations keeps what an Observer is told of writes.
type operations struct {
	unobserved

	told []string
}

func (o *operations) Operated(policy string, operation Operation, err error) {
	text := policy + " " + string(operation)
	if err != nil {
		text += ": " + err.Error()
	}
	o.told = append(o.told, text)
}

func TestOperations(t *testing.T) {
	p := &v1alpha1.ClusterImportPolicy{ObjectMeta: metav1.ObjectMeta{Name: "p"}}
	l := &v1alpha1.PediaClusterLifecycle{ObjectMeta: metav1.ObjectMeta{Name: "l", OwnerReferences: []metav1.OwnerReference{
		*metav1.NewControllerRef(p, v1alpha1.ClusterImportPolicyKind),
	}}}
	status := func(reason string) v1alpha1.PediaClusterLifecycleStatus {
		return v1alpha1.PediaClusterLifecycleStatus{Conditions: []metav1.Condition{{Type: v1alpha1.ConditionCreated, Reason: reason}}}
	}
	known := l.DeepCopy()
	known.Status = status(v1alpha1.ReasonPediaClusterExisted)
	refused := errors.New("refused")
	cases := map[string]struct {
		reason string
		about  runtime.Object
		action lifecycle.Action
		err    error
		want   []string
	}{
		"Create": {reason: "a created PediaCluster counts", about: l, action: lifecycle.CreateCluster{}, want: []string{"p create"}},
		"Failed": {reason: "so does one that could not be created", about: l, action: lifecycle.CreateCluster{}, err: refused, want: []string{"p create: refused"}},
		"Race": {
			reason: "a lagging cache is no failure", about: l, action: lifecycle.CreateCluster{},
			err: apierrors.NewAlreadyExists(schema.GroupResource{Resource: "pediaclusters"}, "l"),
		},
		"Update":  {reason: "a patch is an update", about: l, action: lifecycle.PatchCluster{}, want: []string{"p update"}},
		"Delete":  {reason: "a lifecycle takes its PediaCluster with it", about: p, action: lifecycle.DeleteLifecycle{}, want: []string{"p delete"}},
		"Claim":   {reason: "a lifecycle is no PediaCluster yet", about: p, action: lifecycle.CreateLifecycle{Lifecycle: l}},
		"Status":  {reason: "a status writes none", about: l, action: lifecycle.SetLifecycleStatus{Lifecycle: l, Status: status("WaitCreationCondition")}},
		"Taken":   {reason: "a PediaCluster of somebody else is a conflict", about: l, action: lifecycle.SetLifecycleStatus{Lifecycle: l, Status: known.Status}, want: []string{"p create: the name is taken"}},
		"Still":   {reason: "which counts once", about: known, action: lifecycle.SetLifecycleStatus{Lifecycle: known, Status: known.Status}},
		"Unowned": {reason: "a lifecycle without a policy counts for nobody", about: &v1alpha1.PediaClusterLifecycle{}, action: lifecycle.PatchCluster{}, want: []string{" update"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			told := &operations{}
			r := &Reconcilers{Dependencies: Dependencies{Observer: told}}
			r.acted(tc.about, tc.action, tc.err)
			if diff := cmp.Diff(tc.want, told.told); diff != "" {
				t.Errorf("%s (-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}

func TestWrote(t *testing.T) {
	create, emit, status := lifecycle.CreateCluster{}, lifecycle.Emit{}, lifecycle.SetLifecycleStatus{}
	plan := lifecycle.Plan{Actions: []lifecycle.Action{create, emit, status}}
	failed := errors.New("refused")
	cases := map[string]struct {
		reason string
		plan   lifecycle.Plan
		err    error
		want   bool
	}{
		"All":       {"the PediaCluster was written", plan, nil, true},
		"Status":    {"a status that fails later does not undo it", plan, &actionError{status, failed}, true},
		"Joined":    {"nor does it among other errors", plan, errors.Join(&actionError{status, failed}, failed), true},
		"Failed":    {"the write itself failed", plan, &actionError{create, failed}, false},
		"NoCluster": {"nothing was to be written", lifecycle.Plan{Actions: []lifecycle.Action{status}}, nil, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := wrote(tc.plan, tc.err); got != tc.want {
				t.Errorf("%s: %v", tc.reason, got)
			}
		})
	}
}

func TestState(t *testing.T) {
	at := func(minutes int) metav1.Time { return metav1.Unix(int64(minutes)*60, 0) }
	with := func(created, ready metav1.ConditionStatus, reason string, since int) *v1alpha1.PediaClusterLifecycle {
		l := &v1alpha1.PediaClusterLifecycle{}
		l.Status.Conditions = []metav1.Condition{
			{Type: v1alpha1.ConditionCreated, Status: created, Reason: reason, LastTransitionTime: at(since)},
			{Type: v1alpha1.ConditionReady, Status: ready},
		}
		return l
	}
	tl := newTally()
	imported := with("True", "True", v1alpha1.ReasonPediaClusterCreated, 1)
	token, certificate := at(70), at(60)
	imported.Status.Expires = &v1alpha1.CredentialExpiry{Token: &token, ClientCertificate: &certificate}
	tl.lifecycleChanged("p", "imported", imported)
	tl.lifecycleChanged("p", "held", with("True", "False", v1alpha1.ReasonPediaClusterCreated, 1))
	tl.lifecycleChanged("p", "waiting", with("False", "False", v1alpha1.ReasonWaitCreationCondition, 5))
	tl.lifecycleChanged("p", "newer", with("False", "False", v1alpha1.ReasonWaitCreationCondition, 9))
	fresh := &v1alpha1.PediaClusterLifecycle{}
	fresh.CreationTimestamp = at(8)
	tl.lifecycleChanged("p", "fresh", fresh)
	got := PolicyState{Name: "p"}
	tl.describe(&got, at(10).Time)
	want := PolicyState{
		Name: "p", Sources: v1alpha1.SourceCounts{Selected: 5, Imported: 2, Waiting: 3},
		Ready: 1, NotReady: 3, Unknown: 1, LongestWait: 5 * time.Minute, Expires: at(60).Time,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := (&Controller{}).State(); len(got.Policies)+len(got.Kinds)+got.Compiled != 0 {
		t.Errorf("a controller that does not run knows %v", got)
	}
}

func TestLogLevels(t *testing.T) {
	ready := func(reason string) []metav1.Condition {
		return []metav1.Condition{{Type: v1alpha1.ConditionReady, Reason: reason}}
	}
	p := &v1alpha1.ClusterImportPolicy{Status: v1alpha1.ClusterImportPolicyStatus{Conditions: ready(v1alpha1.ReasonActive)}}
	l := &v1alpha1.PediaClusterLifecycle{Status: v1alpha1.PediaClusterLifecycleStatus{Conditions: ready(v1alpha1.ReasonImported)}}
	invalid, waits := p.Status, l.Status
	invalid.Conditions, waits.Conditions = ready(v1alpha1.ReasonInvalid), ready(v1alpha1.ReasonWaitCreationCondition)
	cases := map[string]struct {
		reason string
		action lifecycle.Action
		want   int
	}{
		"Cluster":  {"a PediaCluster that comes is always logged", lifecycle.CreateCluster{}, 0},
		"Removal":  {"so is one that goes", lifecycle.DeleteLifecycle{}, 0},
		"Policy":   {"and what becomes of a policy", lifecycle.SetPolicyStatus{Policy: p, Status: invalid}, 0},
		"Counts":   {"not the counts of its sources", lifecycle.SetPolicyStatus{Policy: p, Status: p.Status}, 3},
		"Decision": {"a decision about one cluster is one line with -v=2", lifecycle.SetLifecycleStatus{Lifecycle: l, Status: waits}, 2},
		"Same":     {"the same decision is none", lifecycle.SetLifecycleStatus{Lifecycle: l, Status: l.Status}, 3},
		"Event":    {"events are in the cluster", lifecycle.Emit{}, 3},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := levelOf(tc.action); got != tc.want {
				t.Errorf("%s: %d, want %d", tc.reason, got, tc.want)
			}
		})
	}
}
