package v1alpha2

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the API group and version of this package.
var GroupVersion = schema.GroupVersion{Group: "cluster.clusterpedia.io", Version: "v1alpha2"}

// The kinds of this package and the resources that serve them.
var (
	PediaClusterKind     = GroupVersion.WithKind("PediaCluster")
	PediaClusterResource = GroupVersion.WithResource("pediaclusters")

	ClusterSyncResourcesKind     = GroupVersion.WithKind("ClusterSyncResources")
	ClusterSyncResourcesResource = GroupVersion.WithResource("clustersyncresources")
)

// AddToScheme registers the kinds of this package with s.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion,
		&PediaCluster{}, &PediaClusterList{},
		&ClusterSyncResources{}, &ClusterSyncResourcesList{},
	)
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}
