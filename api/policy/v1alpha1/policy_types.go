package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// ClusterImportPolicy describes how the objects of one kind become PediaClusters.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,singular=clusterimportpolicy,path=clusterimportpolicies
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Validated",type=string,JSONPath=`.status.conditions[?(@.type == 'Validated')].reason`
// +kubebuilder:printcolumn:name="Reconciling",type=string,JSONPath=`.status.conditions[?(@.type == 'Reconciling')].reason`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type == 'Ready')].status`
// +kubebuilder:printcolumn:name="Selected",type=integer,JSONPath=`.status.sources.selected`
// +kubebuilder:printcolumn:name="Imported",type=integer,JSONPath=`.status.sources.imported`
// +kubebuilder:printcolumn:name="Waiting",type=integer,JSONPath=`.status.sources.waiting`
// +kubebuilder:printcolumn:name="Failed",type=integer,JSONPath=`.status.sources.failed`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,priority=10,JSONPath=`.status.conditions[?(@.type == 'Ready')].message`
type ClusterImportPolicy struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +optional
	Spec ClusterImportPolicySpec `json:"spec,omitempty"`

	// +optional
	Status ClusterImportPolicyStatus `json:"status,omitempty"`
}

// ClusterImportPolicyList is a list of ClusterImportPolicy.
//
// +kubebuilder:object:root=true
type ClusterImportPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []ClusterImportPolicy `json:"items"`
}

// ClusterImportPolicySpec is what a policy's author writes. Every expression field is either a Go template
// (it contains "{{") or CEL: text with ${…} in names, namespaces and the template, a bool in conditions.
//
// +kubebuilder:validation:XValidation:rule="!has(self.deletionCondition) || !has(self.deletionPolicy) || self.deletionPolicy != 'Orphan'",message="deletionCondition deletes PediaClusters, which deletionPolicy: Orphan forbids"
type ClusterImportPolicySpec struct {
	// source is the kind of object that describes a cluster.
	// +required
	Source SourceType `json:"source"`

	// references are further objects, mostly Secrets, that a cluster is described by. A reference may use
	// the ones before it.
	// +optional
	// +listType=map
	// +listMapKey=key
	// +kubebuilder:validation:MaxItems=16
	References []ReferenceResourceTemplate `json:"references,omitempty"`

	// nameTemplate gives the name of the lifecycle and of the PediaCluster. It sees only the source.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16384
	NameTemplate string `json:"nameTemplate"`

	// template is the YAML of the PediaCluster; apiVersion, kind and metadata.name may be left out.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=262144
	Template string `json:"template"`

	// creationCondition says when the PediaCluster is created. It has no effect on one that exists.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	CreationCondition string `json:"creationCondition"`

	// allowInsecure lets clusters be imported without a CA: their API server is then not verified.
	// +optional
	AllowInsecure bool `json:"allowInsecure,omitempty"`

	// mode says whether PediaClusters are written (Apply, the default), or whether the status of the lifecycles
	// only says what would be (DryRun).
	// +optional
	Mode Mode `json:"mode,omitempty"`

	// updatePolicy says what follows the source after the PediaCluster was created: endpoint and credentials
	// (Credentials, the default), or every field that the template names (All).
	// +optional
	UpdatePolicy UpdatePolicy `json:"updatePolicy,omitempty"`

	// conflictPolicy says what happens to a PediaCluster of the rendered name that somebody else made: it is left
	// alone (Refuse, the default), or taken over (Adopt) unless it belongs to another owner.
	// +optional
	ConflictPolicy ConflictPolicy `json:"conflictPolicy,omitempty"`

	// deletionPolicy says what happens to the PediaCluster when its lifecycle goes, also with the policy: it is deleted
	// (Delete, the default) or stays (Orphan).
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// deletionCondition says when the PediaCluster is deleted, and not created, though the source is there and
	// selected. It sees the source and the references.
	// +optional
	// +kubebuilder:validation:MaxLength=65536
	DeletionCondition string `json:"deletionCondition,omitempty"`

	// maxDeletions is how many imported clusters may be removed within an hour because their sources are gone or not
	// selected, or for the deletionCondition: a number, or a percentage, rounded up, of those that were imported when
	// the hour began. Further removals are held. Left out: 10%, but at least 5. It does not concern what users delete,
	// among it the policy.
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:XValidation:rule="type(self) == int ? int(self) >= 0 : string(self).matches('^(100|[0-9]{1,2})%$')",message="must be a number that is not negative, or a percentage from 0% to 100%"
	MaxDeletions *intstr.IntOrString `json:"maxDeletions,omitempty"`
}

// Mode says whether PediaClusters are written.
//
// +kubebuilder:validation:Enum=Apply;DryRun
type Mode string

// UpdatePolicy says which fields follow the source.
//
// +kubebuilder:validation:Enum=Credentials;All
type UpdatePolicy string

// ConflictPolicy says what happens to PediaClusters of others.
//
// +kubebuilder:validation:Enum=Refuse;Adopt
type ConflictPolicy string

// DeletionPolicy says what happens to a PediaCluster whose lifecycle goes.
//
// +kubebuilder:validation:Enum=Delete;Orphan
type DeletionPolicy string

// The values; the empty one means the first of its kind.
const (
	ModeApply  Mode = "Apply"
	ModeDryRun Mode = "DryRun"

	UpdateCredentials UpdatePolicy = "Credentials"
	UpdateAll         UpdatePolicy = "All"

	ConflictRefuse ConflictPolicy = "Refuse"
	ConflictAdopt  ConflictPolicy = "Adopt"

	DeletionDelete DeletionPolicy = "Delete"
	DeletionOrphan DeletionPolicy = "Orphan"
)

// SourceType names the watched kind.
type SourceType struct {
	// group is the API group of the source; empty for the core group.
	// +required
	// +kubebuilder:validation:MaxLength=253
	Group string `json:"group"`

	// resource is the plural name of the source.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!self.contains('/')",message="subresources cannot be imported"
	Resource string `json:"resource"`

	// versions are the versions that the expressions were written for. Empty: the preferred served version;
	// else the first served version that is listed.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=63
	Versions []string `json:"versions,omitempty"`

	// selectorTemplate keeps an object when it is true. Empty keeps every object.
	// +optional
	// +kubebuilder:validation:MaxLength=65536
	SelectorTemplate string `json:"selectorTemplate,omitempty"`
}

// ReferenceResourceTemplate names one referenced object by expressions over the source and the references
// before it.
type ReferenceResourceTemplate struct {
	// key is the name under which expressions find the object: references.<key>.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Key string `json:"key"`

	// group is the API group of the object; empty for the core group.
	// +required
	// +kubebuilder:validation:MaxLength=253
	Group string `json:"group"`

	// resource is the plural name of the object's kind.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!self.contains('/')",message="subresources cannot be referenced"
	Resource string `json:"resource"`

	// versions are as in source.versions.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=63
	Versions []string `json:"versions,omitempty"`

	// namespaceTemplate gives the object's namespace. Empty for cluster-scoped objects.
	// +optional
	// +kubebuilder:validation:MaxLength=16384
	NamespaceTemplate string `json:"namespaceTemplate,omitempty"`

	// nameTemplate gives the object's name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16384
	NameTemplate string `json:"nameTemplate"`
}

// ClusterImportPolicyStatus is what the controller found.
type ClusterImportPolicyStatus struct {
	// observedGeneration is the generation of the spec that this status speaks of.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions are Validated, Reconciling, SourceAvailable and Ready.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// source is the watched kind with the version that was chosen.
	// +optional
	Source *ResolvedResource `json:"source,omitempty"`

	// sources counts the objects of the source kind by outcome.
	// +optional
	Sources *SourceCounts `json:"sources,omitempty"`

	// deletions says how much of the budget maxDeletions is used. It is there once something was due for removal.
	// +optional
	Deletions *Deletions `json:"deletions,omitempty"`

	// failures are the first sources, in order of namespace and name, for which no lifecycle could be made.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=10
	Failures []SourceFailure `json:"failures,omitempty"`
}

// ResolvedResource is a group, version and resource that the API server serves.
type ResolvedResource struct {
	// +required
	Group string `json:"group"`
	// +required
	Version string `json:"version"`
	// +required
	Resource string `json:"resource"`
}

// SourceCounts counts sources by outcome: selected = imported + waiting + failed.
type SourceCounts struct {
	// selected is how many sources the selector keeps, or may keep.
	// +optional
	Selected int32 `json:"selected"`
	// imported is how many of them have a PediaCluster.
	// +optional
	Imported int32 `json:"imported"`
	// waiting is how many of them wait for their creation condition or for a referenced object.
	// +optional
	Waiting int32 `json:"waiting"`
	// failed is how many of them cannot be imported before somebody mends something.
	// +optional
	Failed int32 `json:"failed"`
}

// Deletions is the state of the budget of removals. A removal is counted before it is done.
type Deletions struct {
	// windowStart is when the hour began that the numbers are about: with the first removal after the hour before.
	// +required
	WindowStart metav1.Time `json:"windowStart"`
	// fleet is how many imported clusters the policy had then.
	// +required
	Fleet int32 `json:"fleet"`
	// allowed is how many may be removed in the hour, released ones included.
	// +required
	Allowed int32 `json:"allowed"`
	// removed is how many were admitted in it.
	// +required
	Removed int32 `json:"removed"`
	// held is how many are due beyond that, and stay.
	// +required
	Held int32 `json:"held"`
	// released is how many a user released in it.
	// +optional
	Released int32 `json:"released,omitempty"`
	// release is the value of the annotation policy.clusterpedia.io/release-deletions that was seen last.
	// +optional
	Release string `json:"release,omitempty"`
	// admitted are the removals that are counted and not yet seen done.
	// +optional
	// +listType=map
	// +listMapKey=uid
	// +kubebuilder:validation:MaxItems=32
	Admitted []Removal `json:"admitted,omitempty"`
}

// Removal is that of a lifecycle with its PediaCluster, or of a PediaCluster.
type Removal struct {
	// +required
	Name string `json:"name"`
	// +required
	UID types.UID `json:"uid"`
}

// SourceFailure says why one source has no lifecycle.
type SourceFailure struct {
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// +required
	Name string `json:"name"`
	// +required
	Reason string `json:"reason"`
	// +required
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message"`
}
