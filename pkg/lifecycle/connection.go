package lifecycle

import (
	"bytes"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
)

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
