// Package v1alpha2 is the cluster.clusterpedia.io/v1alpha2 API as Clusterpedia serves it: PediaCluster, by
// which Clusterpedia knows a cluster, and ClusterSyncResources, a list of resources that PediaClusters share.
//
// The package owns the wire format only. Clusterpedia's synchro manager is what acts on these objects.
//
// +kubebuilder:object:generate=true
// +groupName=cluster.clusterpedia.io
package v1alpha2
