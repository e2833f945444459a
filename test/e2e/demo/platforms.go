package demo

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// capiCluster is a Cluster of Cluster API in the state that its controllers write.
func capiCluster(phase, initialized string) string {
	return strings.NewReplacer("PHASE", phase, "INITIALIZED", initialized).Replace(`
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {name: capi-quickstart, namespace: default}
spec:
  clusterNetwork: {pods: {cidrBlocks: [192.168.0.0/16]}}
status:
  phase: PHASE
  conditions:
    - type: ControlPlaneInitialized
      status: "INITIALIZED"
      reason: AsPlayed
      message: ""
      lastTransitionTime: "2026-01-10T08:00:00Z"
`)
}

func capiSecret(kubeconfig []byte) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Secret
metadata: {name: capi-quickstart-kubeconfig, namespace: default, labels: {cluster.x-k8s.io/cluster-name: capi-quickstart}}
type: cluster.x-k8s.io/secret
data: {value: %s}
`, base64.StdEncoding.EncodeToString(kubeconfig))
}

// play creates the platforms' clusters, step by step as those platforms write them.
func (s *show) play(ctx context.Context) error {
	s.sayf("Cluster API: a cluster is created ...")
	if err := s.client.Apply(ctx, []byte(capiCluster("Provisioning", "False"))); err != nil {
		return err
	}
	if err := s.await(ctx, "default-capi-quickstart", "WaitCreationCondition"); err != nil {
		return err
	}
	s.sayf("Cluster API: its control plane is initialized, before its Secret is written ...")
	if err := s.client.Apply(ctx, []byte(capiCluster("Provisioned", "True"))); err != nil {
		return err
	}
	if err := s.await(ctx, "default-capi-quickstart", "ReferenceResourceNotFound"); err != nil {
		return err
	}
	s.sayf("Cluster API: its kubeconfig is written ...")
	if _, err := s.issue(ctx, "first"); err != nil {
		return err
	}
	s.sayf("Karmada, vcluster and the platform of one's own: their clusters are created ...")
	if err := s.applyFiles(ctx, "examples/karmada/objects.yaml", "examples/vcluster/objects.yaml", "examples/mcp/objects.yaml"); err != nil {
		return err
	}
	for _, name := range []string{"default-capi-quickstart", "karmada-member1", "vc-default-vcluster-1", "mcp-cluster-1"} {
		if err := s.await(ctx, name, "Imported"); err != nil {
			return err
		}
	}
	return s.await(ctx, "karmada-member3", "WaitCreationCondition")
}

// issue writes the Secret of the workload cluster with a kubeconfig of a new user.
func (s *show) issue(ctx context.Context, user string) ([]byte, error) {
	config, err := s.workload.UserConfig(user, "system:masters")
	if err != nil {
		return nil, err
	}
	kubeconfig, err := clientcmd.Write(*config)
	if err != nil {
		return nil, err
	}
	return kubeconfig, s.client.Apply(ctx, []byte(capiSecret(kubeconfig)))
}

// reach uses the credentials of the PediaCluster as Clusterpedia would.
func (s *show) reach(ctx context.Context) error {
	kubeconfig, err := s.kubeconfig(ctx, "default-capi-quickstart")
	if err != nil {
		return err
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	list, err := client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("cannot reach the imported cluster: %w", err)
	}
	names := make([]string, len(list.Items))
	for i, n := range list.Items {
		names[i] = n.Name
	}
	s.sayf("With the credentials of PediaCluster default-capi-quickstart its namespaces are listed: %s", strings.Join(names, ", "))
	return nil
}

func (s *show) rotate(ctx context.Context) error {
	s.sayf("Cluster API rotates the kubeconfig ...")
	kubeconfig, err := s.issue(ctx, "second")
	if err != nil {
		return err
	}
	if err := s.awaitKubeconfig(ctx, "default-capi-quickstart", kubeconfig); err != nil {
		return err
	}
	s.sayf("The PediaCluster has it")
	return s.reach(ctx)
}

func (s *show) remove(ctx context.Context) error {
	s.sayf("The virtual cluster is deleted ...")
	const name = "vc-default-vcluster-1"
	secret := &unstructured.Unstructured{}
	secret.SetAPIVersion("v1")
	secret.SetKind("Secret")
	secret.SetNamespace("default")
	secret.SetName("vc-vcluster-1")
	if err := s.client.Delete(ctx, secret); err != nil {
		return err
	}
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		_, err := s.client.Dynamic.Resource(clusters).Get(ctx, name, metav1.GetOptions{})
		return apierrors.IsNotFound(err), nil
	})
	if err != nil {
		return fmt.Errorf("PediaCluster %s is still there: %w", name, err)
	}
	s.sayf("Its PediaCluster is gone; the others stay")
	return nil
}
