package lifecycle

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
)

// A PediaCluster belongs to the lifecycle whose UID it carries: in an ownerReference, by which the garbage collector
// removes it with its lifecycle, or in an annotation, by which it does not.

// ownedBy reports whether a PediaCluster belongs to a lifecycle. A name is no proof.
func ownedBy(cluster *v1alpha2.PediaCluster, l *v1alpha1.PediaClusterLifecycle) bool {
	return cluster != nil && (refersTo(cluster, l) || cluster.Annotations[v1alpha1.AnnotationLifecycleUID] == string(l.UID))
}

// refersTo reports whether the garbage collector would remove a PediaCluster with a lifecycle.
func refersTo(cluster *v1alpha2.PediaCluster, l *v1alpha1.PediaClusterLifecycle) bool {
	return slices.ContainsFunc(cluster.OwnerReferences, func(o metav1.OwnerReference) bool { return o.UID == l.UID })
}

// own writes into a PediaCluster whose it is, as the deletion policy wants it.
func own(cluster *v1alpha2.PediaCluster, l *v1alpha1.PediaClusterLifecycle, policy v1alpha1.DeletionPolicy) {
	if policy == v1alpha1.DeletionOrphan {
		cluster.OwnerReferences = slices.DeleteFunc(cluster.OwnerReferences, func(o metav1.OwnerReference) bool { return o.UID == l.UID })
		metav1.SetMetaDataAnnotation(&cluster.ObjectMeta, v1alpha1.AnnotationLifecycleUID, string(l.UID))
		return
	}
	delete(cluster.Annotations, v1alpha1.AnnotationLifecycleUID)
	if !refersTo(cluster, l) {
		apiVersion, kind := v1alpha1.PediaClusterLifecycleKind.ToAPIVersionAndKind()
		cluster.OwnerReferences = append(cluster.OwnerReferences,
			metav1.OwnerReference{APIVersion: apiVersion, Kind: kind, Name: l.Name, UID: l.UID})
	}
}

// markCluster is the change that makes a PediaCluster belong to a lifecycle as the deletion policy wants it; nil when
// it does already.
func markCluster(cluster *v1alpha2.PediaCluster, l *v1alpha1.PediaClusterLifecycle, policy v1alpha1.DeletionPolicy) *MarkCluster {
	want := cluster.DeepCopy()
	own(want, l, policy)
	mark := want.Annotations[v1alpha1.AnnotationLifecycleUID]
	if mark == cluster.Annotations[v1alpha1.AnnotationLifecycleUID] && slices.Equal(want.OwnerReferences, cluster.OwnerReferences) {
		return nil
	}
	return &MarkCluster{
		Name: cluster.Name, UID: cluster.UID, ResourceVersion: cluster.ResourceVersion,
		Owners: want.OwnerReferences, LifecycleUID: mark,
	}
}

// otherOwner says why a PediaCluster must not be taken over; empty when it may be. What belongs to an earlier lifecycle
// by ownerReference is about to be removed by the garbage collector.
func otherOwner(cluster *v1alpha2.PediaCluster) string {
	if cluster.DeletionTimestamp != nil {
		return "it is being deleted"
	}
	for _, o := range cluster.OwnerReferences {
		if o.Kind == v1alpha1.PediaClusterLifecycleKind.Kind || o.Controller != nil && *o.Controller {
			return fmt.Sprintf("it belongs to the %s %q", o.Kind, o.Name)
		}
	}
	return ""
}

// Paused reports the annotation by which a user freezes what comes of an object.
func Paused(annotations map[string]string) bool {
	return annotations[v1alpha1.AnnotationPaused] == "true"
}

// annotationsOf are those of an object as JSON; the values that are no text are left out.
func annotationsOf(object map[string]any) map[string]string {
	metadata, _ := object["metadata"].(map[string]any)
	values, _ := metadata["annotations"].(map[string]any)
	annotations := make(map[string]string, len(values))
	for key, value := range values {
		if text, ok := value.(string); ok {
			annotations[key] = text
		}
	}
	return annotations
}
