package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the API group and version of this package.
var GroupVersion = schema.GroupVersion{Group: "policy.clusterpedia.io", Version: "v1alpha1"}

// The kinds of this package and the resources that serve them.
var (
	ClusterImportPolicyKind     = GroupVersion.WithKind("ClusterImportPolicy")
	ClusterImportPolicyResource = GroupVersion.WithResource("clusterimportpolicies")

	PediaClusterLifecycleKind     = GroupVersion.WithKind("PediaClusterLifecycle")
	PediaClusterLifecycleResource = GroupVersion.WithResource("pediaclusterlifecycles")
)

// AddToScheme registers the kinds of this package with s.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion,
		&ClusterImportPolicy{}, &ClusterImportPolicyList{},
		&PediaClusterLifecycle{}, &PediaClusterLifecycleList{},
	)
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}
