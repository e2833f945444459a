package lifecycle

import (
	"bytes"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// changesOf are the changes that bring a PediaCluster in step with what was rendered. A field that the template leaves
// out is left alone.
func changesOf(live *v1alpha2.PediaCluster, want *policy.Rendered, update v1alpha1.UpdatePolicy) Changes {
	changes := Changes{Spec: connectionChanges(live.Spec, want.Cluster.Spec)}
	if update != v1alpha1.UpdateAll {
		return changes
	}
	maps.Copy(changes.Spec, collectionChanges(live.Spec, want))
	changes.Labels = textChanges(live.Labels, want.Cluster.Labels)
	annotations := maps.Clone(want.Cluster.Annotations)
	delete(annotations, v1alpha1.AnnotationLifecycleUID) // whose the PediaCluster is, no template says
	changes.Annotations = textChanges(live.Annotations, annotations)
	return changes
}

func textChanges(live, want map[string]string) map[string]any {
	changes := map[string]any{}
	for key, text := range want {
		if was, ok := live[key]; !ok || was != text {
			changes[key] = text
		}
	}
	return changes
}

// collectionChanges are those of the fields that say what is collected, and from where the credentials come.
func collectionChanges(live v1alpha2.ClusterSpec, want *policy.Rendered) map[string]any {
	changes := map[string]any{}
	spec := want.Cluster.Spec
	for _, f := range []struct {
		name       string
		live, want any
	}{
		{"syncResources", live.SyncResources, spec.SyncResources},
		{"syncAllCustomResources", live.SyncAllCustomResources, spec.SyncAllCustomResources},
		{"syncResourcesRefName", live.SyncResourcesRefName, spec.SyncResourcesRefName},
		{"shardingName", live.ShardingName, spec.ShardingName},
	} {
		if slices.Contains(want.Fields, f.name) && !equality.Semantic.DeepEqual(f.live, f.want) {
			changes[f.name] = f.want
		}
	}
	if slices.Contains(want.Fields, "authenticationFrom") && !equality.Semantic.DeepEqual(live.AuthenticationFrom, spec.AuthenticationFrom) {
		changes["authenticationFrom"] = authentication(spec.AuthenticationFrom)
	}
	return changes
}

// authentication has every field, so that a merge leaves none of before.
func authentication(want *v1alpha2.ClusterAuthentication) any {
	if want == nil {
		return nil
	}
	return map[string]any{
		"kubeconfig": want.KubeConfig, "ca": want.CA, "key": want.Key, "cert": want.Cert, "token": want.Token,
	}
}

// connectionChanges are the endpoint and credentials that want has and live does not, as JSON values. A field
// that want leaves out is left alone: a credential is never blanked.
func connectionChanges(live, want v1alpha2.ClusterSpec) map[string]any {
	changes := map[string]any{}
	if want.APIServer != "" && want.APIServer != live.APIServer {
		changes["apiserver"] = want.APIServer
	}
	for _, f := range []struct {
		name       string
		live, want []byte
	}{
		{"kubeconfig", live.Kubeconfig, want.Kubeconfig},
		{"caData", live.CAData, want.CAData},
		{"tokenData", live.TokenData, want.TokenData},
		{"certData", live.CertData, want.CertData},
		{"keyData", live.KeyData, want.KeyData},
	} {
		if len(f.want) > 0 && !bytes.Equal(f.live, f.want) {
			changes[f.name] = f.want
		}
	}
	return changes
}

// dropFinalizer plans the removal of a legacy finalizer from an object that is being deleted.
func dropFinalizer(object metav1.Object, finalizer string) Plan {
	if object.GetDeletionTimestamp() == nil || !slices.Contains(object.GetFinalizers(), finalizer) {
		return Plan{}
	}
	return Plan{Actions: []Action{DropFinalizer{object, finalizer}}}
}
