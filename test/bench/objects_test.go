package bench

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// capiCluster is a Cluster of Cluster API as a management cluster holds it: 10 conditions and the fields that its
// controllers own, about 7 KB of JSON. The condition that says that the control plane is there is the third; its
// status is "True" or "False".
func capiCluster(initialized string) map[string]any {
	const name = "one"
	return map[string]any{
		"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
		"metadata": map[string]any{
			"name": name, "namespace": "fleet", "uid": "5f0c1e8e-6a3b-4f7e-9d5a-1b2c3d4e5f60", "resourceVersion": "184467",
			"generation": int64(3), "creationTimestamp": "2026-01-02T03:04:05Z",
			"labels":        map[string]any{"environment": "production", "cluster.x-k8s.io/cluster-name": name},
			"annotations":   map[string]any{"example.com/owner": "platform"},
			"finalizers":    []any{"cluster.cluster.x-k8s.io"},
			"managedFields": managedFields(),
		},
		"spec": map[string]any{
			"clusterNetwork": map[string]any{
				"pods":     map[string]any{"cidrBlocks": []any{"192.168.0.0/16"}},
				"services": map[string]any{"cidrBlocks": []any{"10.128.0.0/12"}},
			},
			"controlPlaneEndpoint": map[string]any{"host": "10.0.0.10", "port": int64(6443)},
			"controlPlaneRef":      objectRef("controlplane.cluster.x-k8s.io", "KubeadmControlPlane", name),
			"infrastructureRef":    objectRef("infrastructure.cluster.x-k8s.io", "DockerCluster", name),
		},
		"status": map[string]any{
			"conditions": conditions(initialized), "observedGeneration": int64(3), "phase": "Provisioned",
			"initialization": map[string]any{"infrastructureProvisioned": true},
		},
	}
}

func objectRef(group, kind, name string) map[string]any {
	return map[string]any{"apiGroup": group, "kind": kind, "name": name}
}

func conditions(initialized string) []any {
	types := []string{
		"Available", "InfrastructureReady", "ControlPlaneInitialized", "ControlPlaneAvailable", "ControlPlaneMachinesReady",
		"WorkersAvailable", "WorkerMachinesReady", "RemoteConnectionProbe", "ScalingUp", "Paused",
	}
	list := make([]any, len(types))
	for i, typ := range types {
		status := "True"
		if typ == "ControlPlaneInitialized" {
			status = initialized
		}
		list[i] = map[string]any{
			"type": typ, "status": status, "reason": typ + "Known", "observedGeneration": int64(3),
			"lastTransitionTime": "2026-01-02T03:14:15Z", "message": "",
		}
	}
	return list
}

// managedFields has an entry for each of the controllers that write a Cluster.
func managedFields() []any {
	var list []any
	for _, manager := range []string{"kubectl", "manager", "capd-manager", "kcp-manager"} {
		fields := map[string]any{}
		for i := range 12 {
			fields[fmt.Sprintf(`k:{"type":"Condition%02d"}`, i)] = map[string]any{
				".": map[string]any{}, "f:lastTransitionTime": map[string]any{}, "f:status": map[string]any{},
			}
		}
		list = append(list, map[string]any{
			"apiVersion": "cluster.x-k8s.io/v1beta2", "fieldsType": "FieldsV1", "manager": manager, "operation": "Update",
			"time": "2026-01-02T03:14:15Z", "fieldsV1": map[string]any{"f:status": map[string]any{"f:conditions": fields}},
		})
	}
	return list
}

// kubeconfigSecret is the Secret that Cluster API writes for a cluster.
func kubeconfigSecret(name string) map[string]any {
	return map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "cluster.x-k8s.io/secret",
		"metadata": map[string]any{"name": name + "-kubeconfig", "namespace": "fleet"},
		"data":     map[string]any{"value": base64Text(5000)},
	}
}

// vclusterSecret is the Secret of a virtual cluster: about 12 KB of credentials.
func vclusterSecret(name string) map[string]any {
	ca, cert, key := base64Text(1500), base64Text(1500), base64Text(2200)
	config := "clusters: [{cluster: {certificate-authority-data: " + ca + ", server: 'https://localhost:8443'}, name: v}]\n" +
		"users: [{name: v, user: {client-certificate-data: " + cert + ", client-key-data: " + key + "}}]\n"
	return map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
		"metadata": map[string]any{"name": "vc-" + name, "namespace": "team", "labels": map[string]any{"app": "vcluster"}},
		"data": map[string]any{
			"certificate-authority": ca, "client-certificate": cert, "client-key": key,
			"config": base64.StdEncoding.EncodeToString([]byte(config)),
		},
	}
}

// otherSecret is a Secret that is none of a virtual cluster's: a Helm release, say.
func otherSecret(i int) map[string]any {
	return map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
		"metadata": map[string]any{
			"name": fmt.Sprintf("sh.helm.release.v1.app-%d.v1", i), "namespace": "team",
			"labels": map[string]any{"owner": "helm", "status": "deployed"},
		},
		"data": map[string]any{"release": base64Text(300)},
	}
}

func base64Text(size int) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Repeat("-----certificate-----\n", size/22)))
}
