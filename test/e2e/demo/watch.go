package demo

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
)

var (
	lifecycles = schema.GroupVersionResource{Group: "policy.clusterpedia.io", Version: "v1alpha1", Resource: "pediaclusterlifecycles"}
	clusters   = schema.GroupVersionResource{Group: "cluster.clusterpedia.io", Version: "v1alpha2", Resource: "pediaclusters"}
)

// patience is how long the demonstration waits for anything.
const patience = time.Minute

// watch prints what becomes of each lifecycle, as it happens.
func (s *show) watch(ctx context.Context) error {
	events, err := s.client.Dynamic.Resource(lifecycles).Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	go func() {
		said := map[string]string{}
		for event := range events.ResultChan() {
			l, ok := event.Object.(*unstructured.Unstructured)
			if !ok {
				continue
			}
			if event.Type == watch.Deleted {
				s.sayf("    %-26s gone", l.GetName())
				continue
			}
			reason, message := ready(l)
			if line := reason + message; reason != "" && said[l.GetName()] != line {
				said[l.GetName()] = line
				s.sayf("    %-26s %s: %s", l.GetName(), reason, message)
			}
		}
	}()
	return nil
}

// ready returns the reason and the message of the Ready condition.
func ready(object *unstructured.Unstructured) (reason, message string) {
	status, _ := object.Object["status"].(map[string]any)
	conditions, _ := status["conditions"].([]any)
	for _, item := range conditions {
		if c, _ := item.(map[string]any); c["type"] == "Ready" {
			reason, _ = c["reason"].(string)
			message, _ = c["message"].(string)
		}
	}
	return reason, message
}

// await waits until a lifecycle has a reason.
func (s *show) await(ctx context.Context, name, want string) error {
	var last string
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		l, err := s.client.Dynamic.Resource(lifecycles).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			last = err.Error()
			return false, nil //nolint:nilerr // it may come
		}
		last, _ = ready(l)
		return last == want, nil
	})
	if err != nil {
		return fmt.Errorf("%s did not come to %s, but to %q: %w", name, want, last, err)
	}
	return nil
}

// awaitKubeconfig waits until a PediaCluster has a kubeconfig.
func (s *show) awaitKubeconfig(ctx context.Context, name string, want []byte) error {
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		got, err := s.kubeconfig(ctx, name)
		return err == nil && bytes.Equal(got, want), nil
	})
	if err != nil {
		return fmt.Errorf("PediaCluster %s did not get the new kubeconfig: %w", name, err)
	}
	return nil
}

// kubeconfig returns the kubeconfig of a PediaCluster.
func (s *show) kubeconfig(ctx context.Context, name string) ([]byte, error) {
	object, err := s.client.Dynamic.Resource(clusters).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	encoded, _, err := unstructured.NestedString(object.Object, "spec", "kubeconfig")
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(encoded)
}
