package v1alpha2

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PediaCluster is a cluster that Clusterpedia collects resources from.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,singular=pediacluster,path=pediaclusters
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type == 'Ready')].status`
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.status.version`
// +kubebuilder:printcolumn:name="APIServer",type=string,JSONPath=`.status.apiserver`
// +kubebuilder:printcolumn:name="Validated",type=string,priority=10,JSONPath=`.status.conditions[?(@.type == 'Validated')].reason`
// +kubebuilder:printcolumn:name="SynchroRunning",type=string,priority=10,JSONPath=`.status.conditions[?(@.type == 'SynchroRunning')].reason`
// +kubebuilder:printcolumn:name="ClusterHealthy",type=string,priority=10,JSONPath=`.status.conditions[?(@.type == 'ClusterHealthy')].reason`
// +kubebuilder:printcolumn:name="ShardingName",type=string,priority=10,JSONPath=`.status.shardingName`
type PediaCluster struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +optional
	Spec ClusterSpec `json:"spec,omitempty"`

	// +optional
	Status ClusterStatus `json:"status,omitempty"`
}

// PediaClusterList is a list of PediaCluster.
//
// +kubebuilder:object:root=true
type PediaClusterList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []PediaCluster `json:"items"`
}

// ClusterSpec says how to reach a cluster and what to collect from it.
type ClusterSpec struct {
	// kubeconfig is a whole kubeconfig. When it is set, Clusterpedia ignores apiserver and the other credentials.
	// +optional
	Kubeconfig []byte `json:"kubeconfig,omitempty"`

	// apiserver is the URL of the API server.
	// +optional
	APIServer string `json:"apiserver,omitempty"`

	// tokenData is a bearer token.
	// +optional
	TokenData []byte `json:"tokenData,omitempty"`

	// caData is the PEM bundle that the API server is verified with. Empty: it is not verified.
	// +optional
	CAData []byte `json:"caData,omitempty"`

	// certData is the PEM client certificate.
	// +optional
	CertData []byte `json:"certData,omitempty"`

	// keyData is the PEM key of the client certificate.
	// +optional
	KeyData []byte `json:"keyData,omitempty"`

	// authenticationFrom names Secrets in Clusterpedia's namespace that hold the credentials.
	// +optional
	AuthenticationFrom *ClusterAuthentication `json:"authenticationFrom,omitempty"`

	// syncResources are the resources to collect.
	// +required
	SyncResources []ClusterGroupResources `json:"syncResources"`

	// syncAllCustomResources collects all custom resources too.
	// +optional
	SyncAllCustomResources bool `json:"syncAllCustomResources,omitempty"`

	// syncResourcesRefName is the name of a ClusterSyncResources whose resources are collected too.
	// +optional
	SyncResourcesRefName string `json:"syncResourcesRefName,omitempty"`

	// shardingName assigns the cluster to a shard of Clusterpedia's synchro managers.
	// +optional
	ShardingName string `json:"shardingName,omitempty"`
}

// ClusterAuthentication names the Secret keys that hold credentials.
type ClusterAuthentication struct {
	// +optional
	KubeConfig *SecretKeySelector `json:"kubeconfig,omitempty"`
	// +optional
	CA *SecretKeySelector `json:"ca,omitempty"`
	// +optional
	Key *SecretKeySelector `json:"key,omitempty"`
	// +optional
	Cert *SecretKeySelector `json:"cert,omitempty"`
	// +optional
	Token *SecretKeySelector `json:"token,omitempty"`
}

// SecretKeySelector is one key of a Secret.
type SecretKeySelector struct {
	// +required
	Name string `json:"name"`
	// +required
	Key string `json:"key"`
}

// ClusterGroupResources are resources of one API group.
type ClusterGroupResources struct {
	// group is the API group; empty for the core group.
	// +required
	Group string `json:"group"`

	// versions to collect. Empty: Clusterpedia chooses.
	// +optional
	Versions []string `json:"versions,omitempty"`

	// resources are plural names, or "*".
	// +required
	// +kubebuilder:validation:MinItems=1
	Resources []string `json:"resources"`

	// eventsInvolvedResources are the resources whose Events are collected with them.
	// +optional
	EventsInvolvedResources []string `json:"eventsInvolvedResources,omitempty"`
}

// ClusterStatus is written by Clusterpedia.
type ClusterStatus struct {
	// +optional
	APIServer string `json:"apiserver,omitempty"`
	// +optional
	Version string `json:"version,omitempty"`
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// +optional
	SyncResources []ClusterGroupResourcesStatus `json:"syncResources,omitempty"`
	// +optional
	ShardingName *string `json:"shardingName,omitempty"`
}

// ClusterGroupResourcesStatus is how far the resources of one group are collected.
type ClusterGroupResourcesStatus struct {
	// +required
	Group string `json:"group"`
	// +required
	Resources []ClusterResourceStatus `json:"resources"`
}

// ClusterResourceStatus is how far one resource is collected.
type ClusterResourceStatus struct {
	// +required
	Name string `json:"name"`
	// +required
	Kind string `json:"kind"`
	// +required
	Namespaced bool `json:"namespaced"`
	// +required
	SyncConditions []ClusterResourceSyncCondition `json:"syncConditions"`
}

// ClusterResourceSyncCondition is the state of collecting one version of a resource.
type ClusterResourceSyncCondition struct {
	// +required
	Version string `json:"version"`
	// +optional
	SyncVersion string `json:"syncVersion,omitempty"`
	// +optional
	SyncResource string `json:"syncResource,omitempty"`
	// +optional
	StorageVersion string `json:"storageVersion,omitempty"`
	// +optional
	StorageResource string `json:"storageResource,omitempty"`
	// +required
	Status string `json:"status"`
	// +optional
	InitialListPhase bool `json:"initialListPhase,omitempty"`
	// +optional
	Reason string `json:"reason,omitempty"`
	// +optional
	Message string `json:"message,omitempty"`
	// +required
	LastTransitionTime metav1.Time `json:"lastTransitionTime"`
}

// ClusterSyncResources is a list of resources that PediaClusters refer to by name.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,singular=clustersyncresources,path=clustersyncresources
type ClusterSyncResources struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +optional
	Spec ClusterSyncResourcesSpec `json:"spec,omitempty"`
}

// ClusterSyncResourcesList is a list of ClusterSyncResources.
//
// +kubebuilder:object:root=true
type ClusterSyncResourcesList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []ClusterSyncResources `json:"items"`
}

// ClusterSyncResourcesSpec are the shared resources.
type ClusterSyncResourcesSpec struct {
	// +required
	SyncResources []ClusterGroupResources `json:"syncResources"`
}
