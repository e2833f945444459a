// Package v1alpha1 is the policy.clusterpedia.io/v1alpha1 API: ClusterImportPolicy, which says which
// objects of a platform become PediaClusters, and PediaClusterLifecycle, which follows one of them.
//
// Every field that Clusterpedia defines has the same name, type and meaning here. Fields that this project
// adds are optional, and leaving them out gives the behaviour that Clusterpedia documents.
//
// The package owns the wire format and the vocabulary of conditions and reasons; it decides nothing.
//
// +kubebuilder:object:generate=true
// +groupName=policy.clusterpedia.io
package v1alpha1
