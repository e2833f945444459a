package node

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// syncDeployments makes the ReplicaSets and Pods of Deployments, as one: a new template's Pods are made at once, and the
// others go when those are ready.
func (n *Node) syncDeployments(ctx context.Context) error {
	list, err := n.client.AppsV1().Deployments("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for i := range list.Items {
		if d := &list.Items[i]; d.DeletionTimestamp == nil {
			if err := n.syncDeployment(ctx, d); err != nil {
				return fmt.Errorf("deployment %s/%s: %w", d.Namespace, d.Name, err)
			}
		}
	}
	return nil
}

func (n *Node) syncDeployment(ctx context.Context, d *appsv1.Deployment) error {
	set, err := n.replicaSet(ctx, d)
	if err != nil {
		return err
	}
	pods, err := n.client.CoreV1().Pods(d.Namespace).List(ctx, metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(d.Spec.Selector)})
	if err != nil {
		return err
	}
	var fresh, stale []*corev1.Pod
	ready := 0
	for i := range pods.Items {
		p := &pods.Items[i]
		switch {
		case p.DeletionTimestamp != nil:
		case metav1.IsControlledBy(p, set):
			fresh = append(fresh, p)
			if isReady(p) {
				ready++
			}
		default:
			stale = append(stale, p)
		}
	}
	want := int(*d.Spec.Replicas)
	for len(fresh) < want {
		p, err := n.create(ctx, d.Namespace, &set.Spec.Template, metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("ReplicaSet")), set.Name)
		if err != nil {
			return err
		}
		fresh = append(fresh, p)
	}
	surplus := fresh[want:]
	if ready >= want {
		surplus = append(surplus, stale...)
	}
	for _, p := range surplus {
		if err := n.client.CoreV1().Pods(p.Namespace).Delete(ctx, p.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return n.reportDeployment(ctx, d, set, want, ready, len(stale))
}

func isReady(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// replicaSet returns the set of a Deployment's template, which Helm 3 looks for.
func (n *Node) replicaSet(ctx context.Context, d *appsv1.Deployment) (*appsv1.ReplicaSet, error) {
	text, err := json.Marshal(d.Spec.Template)
	if err != nil {
		return nil, err
	}
	sum := fnv.New32a()
	_, _ = sum.Write(text)
	hash := fmt.Sprintf("%08x", sum.Sum32())
	name := d.Name + "-" + hash
	set, err := n.client.AppsV1().ReplicaSets(d.Namespace).Get(ctx, name, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		return set, err
	}
	template := d.Spec.Template.DeepCopy()
	selector := d.Spec.Selector.DeepCopy()
	template.Labels[appsv1.DefaultDeploymentUniqueLabelKey] = hash
	selector.MatchLabels[appsv1.DefaultDeploymentUniqueLabelKey] = hash
	return n.client.AppsV1().ReplicaSets(d.Namespace).Create(ctx, &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Labels: template.Labels,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(d, appsv1.SchemeGroupVersion.WithKind("Deployment"))},
		},
		Spec: appsv1.ReplicaSetSpec{Replicas: d.Spec.Replicas, Selector: selector, Template: *template},
	}, metav1.CreateOptions{})
}

// create makes a Pod of a template on this node.
func (n *Node) create(
	ctx context.Context, namespace string, template *corev1.PodTemplateSpec, owner *metav1.OwnerReference, name string,
) (*corev1.Pod, error) {
	p := &corev1.Pod{ObjectMeta: *template.DeepCopy().ObjectMeta.DeepCopy(), Spec: *template.Spec.DeepCopy()}
	p.GenerateName, p.Namespace, p.OwnerReferences = name+"-", namespace, []metav1.OwnerReference{*owner}
	p.Spec.NodeName = Name
	return n.client.CoreV1().Pods(namespace).Create(ctx, p, metav1.CreateOptions{})
}

func (n *Node) reportDeployment(ctx context.Context, d *appsv1.Deployment, set *appsv1.ReplicaSet, want, ready, stale int) error {
	count := int32(ready) //nolint:gosec // a few
	if set.Status.ReadyReplicas != count || set.Status.ObservedGeneration != set.Generation {
		set.Status.Replicas, set.Status.ReadyReplicas, set.Status.AvailableReplicas = int32(want), count, count //nolint:gosec // as above
		set.Status.ObservedGeneration = set.Generation
		if _, err := n.client.AppsV1().ReplicaSets(set.Namespace).UpdateStatus(ctx, set, metav1.UpdateOptions{}); err != nil {
			return err
		}
	}
	available, progress := corev1.ConditionFalse, "ReplicaSetUpdated"
	if ready >= want {
		available = corev1.ConditionTrue
		if stale == 0 {
			progress = "NewReplicaSetAvailable"
		}
	}
	status := appsv1.DeploymentStatus{
		ObservedGeneration: d.Generation, Replicas: int32(want + stale), UpdatedReplicas: int32(want), //nolint:gosec // as above
		ReadyReplicas: count, AvailableReplicas: count, UnavailableReplicas: int32(want - ready), //nolint:gosec // as above
		Conditions: []appsv1.DeploymentCondition{
			{Type: appsv1.DeploymentAvailable, Status: available, Reason: "AsCounted"},
			{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: progress},
		},
	}
	if equality.Semantic.DeepEqual(d.Status, status) {
		return nil
	}
	d.Status = status
	_, err := n.client.AppsV1().Deployments(d.Namespace).UpdateStatus(ctx, d, metav1.UpdateOptions{})
	return err
}

// syncJobs makes the Pods of Jobs, one after the other until one succeeds or too many have failed.
func (n *Node) syncJobs(ctx context.Context) error {
	list, err := n.client.BatchV1().Jobs("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for i := range list.Items {
		if j := &list.Items[i]; j.DeletionTimestamp == nil && j.Status.CompletionTime == nil && j.Status.Failed <= *j.Spec.BackoffLimit {
			if err := n.syncJob(ctx, j); err != nil {
				return fmt.Errorf("job %s/%s: %w", j.Namespace, j.Name, err)
			}
		}
	}
	return nil
}

func (n *Node) syncJob(ctx context.Context, j *batchv1.Job) error {
	pods, err := n.client.CoreV1().Pods(j.Namespace).List(ctx, metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(j.Spec.Selector)})
	if err != nil {
		return err
	}
	active, failed, succeeded := int32(0), int32(0), int32(0)
	for i := range pods.Items {
		switch pods.Items[i].Status.Phase {
		case corev1.PodSucceeded:
			succeeded++
		case corev1.PodFailed:
			failed++
		default:
			active++
		}
	}
	if active == 0 && succeeded == 0 && failed <= *j.Spec.BackoffLimit {
		if _, err := n.create(ctx, j.Namespace, &j.Spec.Template, metav1.NewControllerRef(j, schema.GroupVersionKind{
			Group: batchv1.GroupName, Version: "v1", Kind: "Job",
		}), j.Name); err != nil {
			return err
		}
		active = 1
	}
	return n.reportJob(ctx, j, active, failed, succeeded)
}

func (n *Node) reportJob(ctx context.Context, j *batchv1.Job, active, failed, succeeded int32) error {
	before := j.Status.DeepCopy()
	now := metav1.Now()
	if j.Status.StartTime == nil {
		j.Status.StartTime = &now
	}
	j.Status.Active, j.Status.Failed, j.Status.Succeeded = active, failed, succeeded
	end := func(kinds ...batchv1.JobConditionType) {
		for _, kind := range kinds {
			j.Status.Conditions = append(j.Status.Conditions, batchv1.JobCondition{
				Type: kind, Status: corev1.ConditionTrue, LastProbeTime: now, LastTransitionTime: now, Reason: "AsCounted",
			})
		}
	}
	switch {
	case succeeded > 0:
		j.Status.CompletionTime = &now
		end(batchv1.JobSuccessCriteriaMet, batchv1.JobComplete)
	case failed > *j.Spec.BackoffLimit:
		end(batchv1.JobFailureTarget, batchv1.JobFailed)
	}
	if equality.Semantic.DeepEqual(before, &j.Status) {
		return nil
	}
	_, err := n.client.BatchV1().Jobs(j.Namespace).UpdateStatus(ctx, j, metav1.UpdateOptions{})
	return err
}
