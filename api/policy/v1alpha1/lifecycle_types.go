package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// PediaClusterLifecycle follows one source object and the PediaCluster of the same name that is made of it.
// Controllers write it; a user reads it.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,singular=pediaclusterlifecycle,path=pediaclusterlifecycles
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Created",type=string,JSONPath=`.status.conditions[?(@.type == 'Created')].reason`
// +kubebuilder:printcolumn:name="Updating",type=string,JSONPath=`.status.conditions[?(@.type == 'Updating')].reason`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type == 'Ready')].status`
// +kubebuilder:printcolumn:name="Source",type=string,JSONPath=`.spec.source.name`
// +kubebuilder:printcolumn:name="Namespace",type=string,JSONPath=`.spec.source.namespace`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type == 'Ready')].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type PediaClusterLifecycle struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +optional
	Spec PediaClusterLifecycleSpec `json:"spec,omitempty"`

	// +optional
	Status PediaClusterLifecycleStatus `json:"status,omitempty"`
}

// PediaClusterLifecycleList is a list of PediaClusterLifecycle.
//
// +kubebuilder:object:root=true
type PediaClusterLifecycleList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []PediaClusterLifecycle `json:"items"`
}

// PediaClusterLifecycleSpec is the part of the policy that concerns one source, kept in step with it.
type PediaClusterLifecycleSpec struct {
	// source is the object that describes the cluster.
	// +required
	Source DependentResource `json:"source"`

	// references are the policy's references, with the version that was chosen for each.
	// +optional
	// +listType=map
	// +listMapKey=key
	// +kubebuilder:validation:MaxItems=16
	References []ReferenceResource `json:"references,omitempty"`

	// template is the policy's template.
	// +required
	// +kubebuilder:validation:MaxLength=262144
	Template string `json:"template"`

	// creationCondition is the policy's creationCondition.
	// +required
	// +kubebuilder:validation:MaxLength=65536
	CreationCondition string `json:"creationCondition"`
}

// ReferenceResource is a reference of the policy with its version chosen.
type ReferenceResource struct {
	// +required
	// +kubebuilder:validation:MaxLength=63
	Key string `json:"key"`
	// +required
	Group string `json:"group"`
	// +required
	Version string `json:"version"`
	// +required
	Resource string `json:"resource"`
	// +optional
	// +kubebuilder:validation:MaxLength=16384
	NamespaceTemplate string `json:"namespaceTemplate,omitempty"`
	// +required
	// +kubebuilder:validation:MaxLength=16384
	NameTemplate string `json:"nameTemplate"`
}

// DependentResource is one object that a PediaCluster is made of.
type DependentResource struct {
	// +required
	Group string `json:"group"`
	// +required
	Version string `json:"version"`
	// +required
	Resource string `json:"resource"`
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// +required
	Name string `json:"name"`
}

// GroupVersionResource returns where the object is served.
func (r DependentResource) GroupVersionResource() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: r.Group, Version: r.Version, Resource: r.Resource}
}

// String names the object for people, such as "secrets default/prod-kubeconfig".
func (r DependentResource) String() string {
	name := r.Name
	if r.Namespace != "" {
		name = r.Namespace + "/" + r.Name
	}
	return schema.GroupResource{Group: r.Group, Resource: r.Resource}.String() + " " + name
}

// PediaClusterLifecycleStatus says whether the cluster is imported, and if not, why.
type PediaClusterLifecycleStatus struct {
	// observedGeneration is the generation of the spec that this status speaks of.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// references are the objects that the references resolved to, in their order.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	References []DependentResource `json:"references,omitempty"`

	// renderedName is the name that the policy's nameTemplate gives now, when it is not the lifecycle's. An imported
	// cluster keeps its name.
	// +optional
	RenderedName string `json:"renderedName,omitempty"`

	// expires says when the credentials of the PediaCluster end, as far as that can be read from them.
	// +optional
	Expires *CredentialExpiry `json:"expires,omitempty"`

	// conditions are Created, Updating and Ready.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// CredentialExpiry is when credentials end.
type CredentialExpiry struct {
	// clientCertificate is the end of the client certificate.
	// +optional
	ClientCertificate *metav1.Time `json:"clientCertificate,omitempty"`
	// token is the end of a bearer token that is a JWT.
	// +optional
	Token *metav1.Time `json:"token,omitempty"`
}
