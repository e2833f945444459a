package testbed

import (
	"encoding/base64"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The resources that tests look at.
var (
	Policies    = schema.GroupVersionResource{Group: "policy.clusterpedia.io", Version: "v1alpha1", Resource: "clusterimportpolicies"}
	Lifecycles  = schema.GroupVersionResource{Group: "policy.clusterpedia.io", Version: "v1alpha1", Resource: "pediaclusterlifecycles"}
	Clusters    = schema.GroupVersionResource{Group: "cluster.clusterpedia.io", Version: "v1alpha2", Resource: "pediaclusters"}
	Definitions = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	Webhooks    = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingwebhookconfigurations"}
	// MCPClusters are the clusters of the platform of examples/mcp.
	MCPClusters = schema.GroupVersionResource{Group: "cluster.mcp.io", Version: "v1", Resource: "clusters"}
)

// MCPCluster is a cluster of the platform of examples/mcp, whose condition Ready has the status ready, and the Secret that
// it refers to, with the token. Both are called name.
func MCPCluster(name, token, ready string) string {
	return strings.NewReplacer("NAME", name, "TOKEN", base64.StdEncoding.EncodeToString([]byte(token)), "READY", ready).Replace(`
apiVersion: v1
kind: Secret
metadata: {name: NAME, namespace: default}
data: {ca: Y2E=, token: TOKEN}
---
apiVersion: cluster.mcp.io/v1
kind: Cluster
metadata: {name: NAME}
spec: {apiEndpoint: "https://NAME:6443", authSecretRef: {namespace: default, name: NAME}}
status: {conditions: [{type: Ready, status: "READY"}]}
`)
}
