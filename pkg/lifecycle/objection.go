package lifecycle

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// objection is why a source should have no PediaCluster, or why that is not known. A PediaCluster that exists is
// removed only when it is obsolete; that of a source that is not selected goes with its lifecycle.
type objection struct {
	reason, message string
	obsolete        bool
}

func (p *clusterPlanner) object(ctx context.Context, compiled *policy.Policy, r Resolution, source map[string]any) objection {
	switch excluded, err := excludes(ctx, compiled, r.Binding, source); {
	case err != nil:
		return objection{reason: v1alpha1.ReasonSelectorFailed, message: err.Error()}
	case excluded != "":
		return objection{reason: v1alpha1.ReasonNotSelected, message: excluded + "; the lifecycle goes as the policy's maxDeletions allows"}
	}
	switch obsolete, err := compiled.Obsolete(ctx, r.Binding); {
	case err != nil:
		reason, message := Explain(err, r, v1alpha1.ReasonDeletionConditionFailed)
		return objection{reason: reason, message: message}
	case obsolete:
		return objection{v1alpha1.ReasonDeletionCondition, "the deletion condition is true", true}
	default:
		return objection{}
	}
}

// remove plans the end of a PediaCluster whose lifecycle stays, as soon as the policy has admitted it.
func (p *clusterPlanner) remove() {
	p.created()
	cluster := p.state.Cluster
	if p.dryRun() {
		p.conditions.set(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonDryRun, fmt.Sprintf("would delete PediaCluster %q", cluster.Name))
		return
	}
	p.plan.Due = []v1alpha1.Removal{{Name: cluster.Name, UID: cluster.UID}}
	if admitted(p.state.Deletions, cluster.UID) {
		p.plan.add(DeleteCluster{cluster.Name, cluster.UID, cluster.ResourceVersion})
		p.plan.add(Emit{Reason: v1alpha1.EventPediaClusterDeleted,
			Message: fmt.Sprintf("deleted PediaCluster %q: the deletion condition is true", cluster.Name)})
	}
	p.conditions.set(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonDeletionCondition,
		"the deletion condition is true; the PediaCluster goes as the policy's maxDeletions allows")
}

// excludes says why a source is not to be imported; empty when it is.
func excludes(ctx context.Context, compiled *policy.Policy, b *expr.Binding, source map[string]any) (string, error) {
	if annotationsOf(source)[v1alpha1.AnnotationSkip] == "true" {
		return "its source has the annotation " + v1alpha1.AnnotationSkip, nil
	}
	if selected, err := compiled.Select(ctx, b); err != nil || selected {
		return "", err
	}
	return "the selector does not keep its source", nil
}
