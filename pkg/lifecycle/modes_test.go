package lifecycle_test

import (
	"context"
	"encoding/base64"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/lifecycle"
)

// with is a copy of an object with an annotation.
func with(object map[string]any, annotation, value string) map[string]any {
	copied := maps.Clone(object)
	metadata, _ := object["metadata"].(map[string]any)
	metadata = maps.Clone(metadata)
	metadata["annotations"] = map[string]any{annotation: value}
	copied["metadata"] = metadata
	return copied
}

// annotated is a lifecycle of the source "one" with an annotation that is true.
func annotated(annotation string) *v1alpha1.PediaClusterLifecycle {
	l := held("c-x", "source-uid")
	metav1.SetMetaDataAnnotation(&l.ObjectMeta, annotation, "true")
	return l
}

// clusterOf is the PediaCluster "c-x" in step with its source, with an owner and a mark.
func clusterOf(owner, mark string) *v1alpha2.PediaCluster {
	c := &v1alpha2.PediaCluster{ObjectMeta: metav1.ObjectMeta{Name: "c-x"}}
	c.Spec = v1alpha2.ClusterSpec{APIServer: "https://x", TokenData: []byte(canary), CAData: []byte("ca")}
	if owner != "" {
		apiVersion, kind := v1alpha1.PediaClusterLifecycleKind.ToAPIVersionAndKind()
		c.OwnerReferences = []metav1.OwnerReference{{APIVersion: apiVersion, Kind: kind, Name: "c-x", UID: types.UID(owner)}}
	}
	if mark != "" {
		c.Annotations = map[string]string{v1alpha1.AnnotationLifecycleUID: mark}
	}
	return c
}

const mine = "uid-of-c-x"

func TestOptOutsOfSources(t *testing.T) {
	picked := source(map[string]any{"pick": true, "alias": "x", "ready": true})
	renamed := source(map[string]any{"pick": true, "alias": "y", "ready": true})
	cases := map[string]struct {
		reason  string
		policy  func(*v1alpha1.ClusterImportPolicy)
		source  lifecycle.Lookup
		owned   *v1alpha1.PediaClusterLifecycle
		other   string
		cluster *v1alpha2.PediaCluster
		want    string
	}{
		"PausedSource": {
			reason: "nothing comes of a paused source",
			source: lifecycle.Found(with(picked, v1alpha1.AnnotationPaused, "true")),
		},
		"PausedSourceNotSelected": {
			reason: "nor does anything go",
			source: lifecycle.Found(with(source(map[string]any{"pick": false}), v1alpha1.AnnotationPaused, "true")), owned: held("c-x", "source-uid"),
		},
		"PausedPolicy": {
			reason: "a paused policy removes nothing, whatever became of its sources",
			policy: func(p *v1alpha1.ClusterImportPolicy) {
				p.Annotations = map[string]string{v1alpha1.AnnotationPaused: "true"}
			},
			source: lifecycle.NotFound(), owned: held("c-x", "source-uid"),
		},
		"PausedLifecycle": {
			reason: "a paused lifecycle stays, though its source is gone",
			source: lifecycle.NotFound(), owned: annotated(v1alpha1.AnnotationPaused),
		},
		"PausedLifecycleStep": {
			reason: "nor does it follow an edit of the policy",
			source: lifecycle.Found(picked), owned: annotated(v1alpha1.AnnotationPaused),
		},
		"NotPaused": {
			reason: "only the word true pauses",
			source: lifecycle.Found(with(picked, v1alpha1.AnnotationPaused, "false")), want: "create lifecycle c-x for clusters.example.com ns/one",
		},
		"Skip": {
			reason: "a source that a user wants to keep out is not imported",
			source: lifecycle.Found(with(picked, v1alpha1.AnnotationSkip, "true")),
		},
		"SkipImported": {
			reason: "the annotation is a proven no",
			source: lifecycle.Found(with(picked, v1alpha1.AnnotationSkip, "true")), owned: held("c-x", "source-uid"),
			want: "delete lifecycle c-x: its source has the annotation policy.clusterpedia.io/skip|" +
				"event LifecycleDeleted: deleted c-x: its source has the annotation policy.clusterpedia.io/skip",
		},
		"SkipWithoutSelector": {
			reason: "the annotation decides where the selector cannot",
			source: lifecycle.Found(with(source(map[string]any{}), v1alpha1.AnnotationSkip, "true")), owned: held("c-x", "source-uid"),
			want: "delete lifecycle c-x: its source has the annotation policy.clusterpedia.io/skip|" +
				"event LifecycleDeleted: deleted c-x: its source has the annotation policy.clusterpedia.io/skip",
		},
		"Rename": {
			reason: "a user may ask for the new name",
			source: lifecycle.Found(renamed), owned: annotated(v1alpha1.AnnotationRename),
			want: `delete lifecycle c-x: a user asked for its new name, "c-y"|` +
				`event LifecycleDeleted: deleted c-x: a user asked for its new name, "c-y"`,
		},
		"RenameTaken": {
			reason: "not while another has that name: the cluster would be lost",
			source: lifecycle.Found(renamed), owned: annotated(v1alpha1.AnnotationRename), other: "c-y", want: "update lifecycle c-x",
		},
		"RenameSame": {
			reason: "the annotation does nothing when the name is the same",
			source: lifecycle.Found(picked), owned: annotated(v1alpha1.AnnotationRename), want: "update lifecycle c-x",
		},
		"DryRun": {
			reason: "a dry run makes lifecycles, to say in their status what it would do",
			policy: func(p *v1alpha1.ClusterImportPolicy) { p.Spec.Mode = v1alpha1.ModeDryRun },
			source: lifecycle.Found(picked), want: "create lifecycle c-x for clusters.example.com ns/one",
		},
		"DryRunKeeps": {
			reason: "a dry run removes no lifecycle that has a PediaCluster, which would go with it",
			policy: func(p *v1alpha1.ClusterImportPolicy) { p.Spec.Mode = v1alpha1.ModeDryRun },
			source: lifecycle.NotFound(), owned: held("c-x", "source-uid"), cluster: clusterOf(mine, ""),
		},
		"DryRunRemoves": {
			reason: "one without a PediaCluster may go",
			policy: func(p *v1alpha1.ClusterImportPolicy) { p.Spec.Mode = v1alpha1.ModeDryRun },
			source: lifecycle.NotFound(), owned: held("c-x", "source-uid"), cluster: clusterOf("", ""),
			want: "delete lifecycle c-x: its source is gone|event LifecycleDeleted: deleted c-x: its source is gone",
		},
		"Orphan": {
			reason: "the PediaCluster is made to stay before its lifecycle goes",
			policy: func(p *v1alpha1.ClusterImportPolicy) { p.Spec.DeletionPolicy = v1alpha1.DeletionOrphan },
			source: lifecycle.NotFound(), owned: held("c-x", "source-uid"), cluster: clusterOf(mine, ""),
			want: `mark cluster c-x: it stays without its lifecycle|event PediaClusterReleased: PediaCluster "c-x" stays without its lifecycle|` +
				"delete lifecycle c-x: its source is gone|event LifecycleDeleted: deleted c-x: its source is gone",
		},
		"OrphanMarked": {
			reason: "one that would stay anyway is not written",
			policy: func(p *v1alpha1.ClusterImportPolicy) { p.Spec.DeletionPolicy = v1alpha1.DeletionOrphan },
			source: lifecycle.NotFound(), owned: held("c-x", "source-uid"), cluster: clusterOf("", mine),
			want: `event PediaClusterReleased: PediaCluster "c-x" stays without its lifecycle|` +
				"delete lifecycle c-x: its source is gone|event LifecycleDeleted: deleted c-x: its source is gone",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			state := lifecycle.SourceState{
				Policy: active(t, nil), Owner: &v1alpha1.ClusterImportPolicy{}, Namespace: "ns", Name: "one", Source: tc.source,
				Cluster: func(string) *v1alpha2.PediaCluster { return tc.cluster },
				ByName: func(name string) *v1alpha1.PediaClusterLifecycle {
					if name == tc.other {
						return held(name, "another")
					}
					return nil
				},
			}
			if tc.owned != nil {
				state.Owned = []*v1alpha1.PediaClusterLifecycle{tc.owned}
			}
			if tc.policy != nil {
				tc.policy(state.Owner)
			}
			plan, outcome := lifecycle.PlanSource(context.Background(), state)
			if diff := cmp.Diff(tc.want, strings.ReplaceAll(plan.String(), "\n", "|")); diff != "" || outcome.Reason != "" {
				t.Errorf("%s: outcome %v, plan (-want +got)\n%s", tc.reason, outcome, diff)
			}
		})
	}
}

func TestModes(t *testing.T) {
	ready := source(map[string]any{"pick": true, "alias": "x", "ready": true, "url": "https://x"})
	waiting := source(map[string]any{"pick": true, "alias": "x", "ready": false, "url": "https://x"})
	moved := source(map[string]any{"pick": true, "alias": "x", "ready": true, "url": "https://moved"})
	controlled := clusterOf("", "")
	isController := true
	controlled.OwnerReferences = []metav1.OwnerReference{{Kind: "App", Name: "theirs", UID: "app", Controller: &isController}}
	deleted := clusterOf("", "")
	deleted.DeletionTimestamp = &metav1.Time{Time: now}
	adopt := func(p *v1alpha1.ClusterImportPolicy) { p.Spec.ConflictPolicy = v1alpha1.ConflictAdopt }
	orphan := func(p *v1alpha1.ClusterImportPolicy) { p.Spec.DeletionPolicy = v1alpha1.DeletionOrphan }
	dry := func(p *v1alpha1.ClusterImportPolicy) { p.Spec.Mode = v1alpha1.ModeDryRun }
	cases := map[string]struct {
		reason    string
		policy    func(*v1alpha1.ClusterImportPolicy)
		lifecycle *v1alpha1.PediaClusterLifecycle
		source    map[string]any
		cluster   *v1alpha2.PediaCluster
		// idle says that the policy is not at work.
		idle bool
		// actions are the writes and events; ready is status/reason of the Ready condition, message a part of its message.
		actions, ready, message string
	}{
		"PausedSource": {
			reason: "a paused source creates nothing and says so",
			source: with(ready, v1alpha1.AnnotationPaused, "true"), ready: "Unknown/Paused",
			message: "frozen by the annotation policy.clusterpedia.io/paused of the source",
		},
		"PausedLifecycle": {
			reason: "a paused lifecycle does not follow its source", lifecycle: annotated(v1alpha1.AnnotationPaused),
			source: moved, cluster: clusterOf(mine, ""), ready: "Unknown/Paused", message: "of the lifecycle",
		},
		"PausedPolicy": {
			reason: "a paused policy does not even change whose a PediaCluster is",
			policy: func(p *v1alpha1.ClusterImportPolicy) {
				p.Annotations, p.Spec.DeletionPolicy = map[string]string{v1alpha1.AnnotationPaused: "true"}, v1alpha1.DeletionOrphan
			},
			source: moved, cluster: clusterOf(mine, ""), ready: "Unknown/Paused", message: "of the policy p",
		},
		"DryRunCreate": {
			reason: "a dry run says which fields it would create", policy: dry, source: ready, ready: "False/DryRun",
			message: `would create PediaCluster "c-x" with spec.apiserver, spec.caData, spec.syncResources, spec.tokenData`,
		},
		"DryRunWaits": {
			reason: "a dry run waits for what an import waits for", policy: dry, source: waiting, ready: "False/WaitCreationCondition",
		},
		"DryRunUpdate": {
			reason: "a dry run says which fields it would change", policy: dry, source: moved, cluster: clusterOf(mine, ""),
			ready: "False/DryRun", message: `would update apiserver of PediaCluster "c-x"`,
		},
		"DryRunInStep": {reason: "there is nothing to say when there is nothing to do", policy: dry, source: ready, cluster: clusterOf(mine, ""), ready: "True/Imported"},
		"DryRunMark": {
			reason: "a dry run does not change whose a PediaCluster is",
			policy: func(p *v1alpha1.ClusterImportPolicy) { dry(p); orphan(p) },
			source: ready, cluster: clusterOf(mine, ""), ready: "True/Imported",
		},
		"DryRunAdopt": {
			reason: "a dry run says what it would take over",
			policy: func(p *v1alpha1.ClusterImportPolicy) { dry(p); adopt(p) },
			source: ready, cluster: clusterOf("", ""), ready: "False/DryRun", message: `would take over PediaCluster "c-x"`,
		},
		"Adopt": {
			reason: "a PediaCluster that somebody made by hand is taken over, and brought in step after that", policy: adopt,
			source: moved, cluster: clusterOf("", ""),
			actions: `mark cluster c-x: it goes with its lifecycle|event PediaClusterAdopted: took over PediaCluster "c-x"`,
		},
		"AdoptWaits": {
			reason: "not before it would have been created", policy: adopt, source: waiting, cluster: clusterOf("", ""), ready: "False/WaitCreationCondition",
		},
		"AdoptOrphaned": {
			reason: "one that an earlier lifecycle left behind is one that nobody has",
			policy: func(p *v1alpha1.ClusterImportPolicy) { adopt(p); orphan(p) },
			source: ready, cluster: clusterOf("", "gone"),
			actions: `mark cluster c-x: it stays without its lifecycle|event PediaClusterAdopted: took over PediaCluster "c-x"`,
		},
		"AdoptAnothers": {
			reason: "what belongs to another lifecycle is not taken", policy: adopt, source: ready, cluster: clusterOf("another", ""),
			ready: "False/PediaClusterExisted", message: `it belongs to the PediaClusterLifecycle "c-x"`,
		},
		"AdoptControlled": {
			reason: "what a controller has is not taken", policy: adopt, source: ready, cluster: controlled,
			ready: "False/PediaClusterExisted", message: `it belongs to the App "theirs"`,
		},
		"AdoptDeleted": {
			reason: "what is on its way out is not taken", policy: adopt, source: ready, cluster: deleted,
			ready: "False/PediaClusterExisted", message: "it is being deleted",
		},
		"Orphan": {
			reason: "Orphan takes the reference away that the garbage collector follows, before anything else", policy: orphan,
			source: moved, cluster: clusterOf(mine, ""), actions: "mark cluster c-x: it stays without its lifecycle",
		},
		"OrphanInvalid": {
			reason: "an edit that does not compile can still keep PediaClusters", policy: orphan, idle: true,
			source: moved, cluster: clusterOf(mine, ""), actions: "mark cluster c-x: it stays without its lifecycle",
		},
		"PausedInvalid": {
			reason: "and freeze them", idle: true,
			policy: func(p *v1alpha1.ClusterImportPolicy) {
				orphan(p)
				p.Annotations = map[string]string{v1alpha1.AnnotationPaused: "true"}
			},
			source: moved, cluster: clusterOf(mine, ""), ready: "Unknown/Paused",
		},
		"OrphanInStep": {reason: "the mark says whose it is", policy: orphan, source: ready, cluster: clusterOf("", mine), ready: "True/Imported"},
		"OrphanCreate": {
			reason: "a new PediaCluster gets the mark from the start", policy: orphan, source: ready,
			actions: `create cluster c-x|event PediaClusterCreated: created PediaCluster "c-x"`, ready: "True/Imported",
		},
		"OrphanNoMore": {
			reason: "the reference comes back with deletionPolicy: Delete", source: moved, cluster: clusterOf("", mine),
			actions: "mark cluster c-x: it goes with its lifecycle",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			secret := secretWith(base64.StdEncoding.EncodeToString([]byte(canary)))
			state := lifecycle.ClusterState{
				Now: now, Lifecycle: held("c-x", "source-uid"), Policy: active(t, nil), Cluster: tc.cluster,
				Read: func(r v1alpha1.DependentResource) lifecycle.Lookup {
					if r.Resource == "secrets" {
						return lifecycle.Found(secret)
					}
					return lifecycle.Found(tc.source)
				},
			}
			state.Owner = state.Policy.Policy
			if tc.lifecycle != nil {
				state.Lifecycle = tc.lifecycle
			}
			if tc.policy != nil {
				tc.policy(state.Owner)
			}
			if tc.idle {
				state.Policy = nil
			}
			plan := lifecycle.PlanCluster(context.Background(), state)
			actions, readiness, message := outcome(plan.Plan)
			if diff := cmp.Diff([]string{tc.actions, tc.ready}, []string{actions, readiness}); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", tc.reason, diff)
			}
			if !strings.Contains(message, tc.message) || strings.Contains(message, canary) {
				t.Errorf("%s: the message is %q, without %q", tc.reason, message, tc.message)
			}
			settled(t, state, plan.Plan)
		})
	}
}

// outcome is what split gives, and the message of Ready.
func outcome(plan lifecycle.Plan) (actions, ready, message string) {
	for _, a := range plan.Actions {
		if set, ok := a.(lifecycle.SetLifecycleStatus); ok {
			for _, c := range set.Status.Conditions {
				if c.Type == v1alpha1.ConditionReady {
					message = c.Message
				}
			}
		}
	}
	actions, ready = split(plan)
	return actions, ready, message
}
