package bench

import "strings"

// What somebody would write in Go for one policy: the same results as the policies of testdata give.

func capiReadyByHand(cluster map[string]any) bool {
	status, _ := cluster["status"].(map[string]any)
	if initialization, _ := status["initialization"].(map[string]any); initialization["controlPlaneInitialized"] == true {
		return true
	}
	conditions, _ := status["conditions"].([]any)
	for _, item := range conditions {
		c, _ := item.(map[string]any)
		if c["type"] == "ControlPlaneInitialized" && c["status"] == "True" {
			return true
		}
	}
	return false
}

func capiNameByHand(cluster map[string]any) string {
	metadata, _ := cluster["metadata"].(map[string]any)
	namespace, _ := metadata["namespace"].(string)
	name, _ := metadata["name"].(string)
	return namespace + "-" + name
}

func capiRenderByHand(secret map[string]any) map[string]any {
	data, _ := secret["data"].(map[string]any)
	return map[string]any{"spec": map[string]any{"kubeconfig": data["value"], "syncResources": syncByHand}}
}

// syncByHand is the same for every cluster.
var syncByHand = []any{
	map[string]any{"group": "", "resources": []any{"pods", "services", "configmaps", "namespaces", "nodes"}},
	map[string]any{"group": "apps", "resources": []any{"*"}},
}

func vclusterSelectByHand(secret map[string]any) bool {
	metadata, _ := secret["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	labels, _ := metadata["labels"].(map[string]any)
	if !strings.HasPrefix(name, "vc-") || labels["app"] != "vcluster" {
		return false
	}
	data, _ := secret["data"].(map[string]any)
	for _, key := range []string{"config", "certificate-authority", "client-certificate", "client-key"} {
		if _, ok := data[key]; !ok {
			return false
		}
	}
	return true
}

func vclusterRenderByHand(secret map[string]any) map[string]any {
	metadata, _ := secret["metadata"].(map[string]any)
	data, _ := secret["data"].(map[string]any)
	name, _ := metadata["name"].(string)
	namespace, _ := metadata["namespace"].(string)
	return map[string]any{"spec": map[string]any{
		"apiserver": "https://" + name[len("vc-"):] + "." + namespace + ".svc",
		"caData":    data["certificate-authority"], "certData": data["client-certificate"], "keyData": data["client-key"],
		"syncResources": syncByHand,
	}}
}
