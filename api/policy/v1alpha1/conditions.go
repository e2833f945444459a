package v1alpha1

// LabelBundled on a policy says that it came with a release of this project, which may change it.
const LabelBundled = "policy.clusterpedia.io/bundled"

// Annotations on objects of this group.
const (
	// AnnotationSourceUID on a lifecycle holds the UID of the source object that claimed its name.
	// It is an annotation so that it survives on the CRDs that Clusterpedia's own chart installs.
	AnnotationSourceUID = "policy.clusterpedia.io/source-uid"
	// AnnotationDefinitionUID on a lifecycle holds the UID of the CustomResourceDefinition under which its source was
	// seen last: that a source is missing under another one proves nothing.
	AnnotationDefinitionUID = "policy.clusterpedia.io/definition-uid"
	// AnnotationLifecycleUID on a PediaCluster holds the UID of the lifecycle that it belongs to. It stands there
	// instead of an ownerReference while the policy says deletionPolicy: Orphan, so that no garbage collector
	// removes the PediaCluster.
	AnnotationLifecycleUID = "policy.clusterpedia.io/lifecycle-uid"

	// AnnotationPaused, set to "true" by a user on a source, a lifecycle or a policy, freezes what comes of it:
	// nothing is created, changed or removed.
	AnnotationPaused = "policy.clusterpedia.io/paused"
	// AnnotationSkip, set to "true" by a user on a source, keeps it out as a selector would that is false.
	AnnotationSkip = "policy.clusterpedia.io/skip"
	// AnnotationRename, set to "true" by a user on a lifecycle, asks for the name that nameTemplate gives now: the
	// lifecycle is removed and its source claims the new name.
	AnnotationRename = "policy.clusterpedia.io/rename"
	// AnnotationRelease, set to a new value by a user on a policy, releases the removals that are held by then.
	AnnotationRelease = "policy.clusterpedia.io/release-deletions"
)

// Condition types.
const (
	// ConditionReady is the one to look at. On a policy: it is compiled and active (also while the source
	// kind is not installed). On a lifecycle: the PediaCluster exists and follows its source.
	ConditionReady = "Ready"

	// ConditionValidated of a policy: every expression compiles.
	ConditionValidated = "Validated"
	// ConditionReconciling of a policy is True only while work is under way; its reason says what is done.
	ConditionReconciling = "Reconciling"
	// ConditionSourceAvailable of a policy: the source kind and the kinds of the references can be watched.
	ConditionSourceAvailable = "SourceAvailable"

	// ConditionDeletionsHeld of a policy is True while the budget of removals holds some. A policy that never held any
	// has no such condition.
	ConditionDeletionsHeld = "DeletionsHeld"

	// ConditionCreated of a lifecycle: the PediaCluster exists and is its own.
	ConditionCreated = "Created"
	// ConditionUpdating of a lifecycle is True only while a change of endpoint or credentials is under way
	// or cannot be written.
	ConditionUpdating = "Updating"
)

// Reasons of a policy's conditions.
const (
	// ReasonSuccess (Validated=True): every expression compiles.
	ReasonSuccess = "Success"
	// ReasonFailedParseLifecycleName (Validated=False): spec.nameTemplate does not compile.
	ReasonFailedParseLifecycleName = "FailedParseLifecycleName"
	// ReasonFailedParseSourceSelector (Validated=False): spec.source.selectorTemplate does not compile.
	ReasonFailedParseSourceSelector = "FailedParseSourceSelector"
	// ReasonInvalidExpression (Validated=False): another expression does not compile.
	ReasonInvalidExpression = "InvalidExpression"

	// ReasonFailedNegotiateSource (SourceAvailable=False): the source kind, or none of the listed versions, is served.
	ReasonFailedNegotiateSource = "FailedNegotiateSourceResource"
	// ReasonFailedNegotiateReference (SourceAvailable=False): the same for a reference.
	ReasonFailedNegotiateReference = "FailedNegotiateReferenceResource"
	// ReasonWatched (SourceAvailable=True): the source and all references are watched.
	ReasonWatched = "Watched"
	// ReasonWatchFailed (SourceAvailable=False): a kind is served, but listing or watching it fails.
	ReasonWatchFailed = "WatchFailed"
	// ReasonForbidden (SourceAvailable=False): the controller may not list or watch a kind; the message has the rule to add.
	ReasonForbidden = "Forbidden"

	// ReasonWaitResourceSynced (Reconciling=True): the first list of a kind is under way.
	ReasonWaitResourceSynced = "WaitResourceSynced"
	// ReasonReconcile (Reconciling): sources are being followed. False in the steady state, as kstatus wants it.
	ReasonReconcile = "ReconcileSourceResourceAndLifecycle"
	// ReasonFailedReconcile (Reconciling=True): the policy could not be put to work; it is tried again.
	ReasonFailedReconcile = "FailedReconcile"

	// ReasonBudgetExceeded (DeletionsHeld=True): more clusters are due for removal than maxDeletions allows.
	ReasonBudgetExceeded = "BudgetExceeded"
	// ReasonWithinBudget (DeletionsHeld=False): nothing is held any more.
	ReasonWithinBudget = "WithinBudget"

	// ReasonActive (Ready=True): the policy is compiled and its sources are followed.
	ReasonActive = "Active"
	// ReasonSourceUnavailable (Ready=True): compiled; waits for the source kind.
	ReasonSourceUnavailable = "WaitSourceAvailable"
	// ReasonPaused (Ready=True of a policy, Unknown of a lifecycle): frozen by an annotation.
	ReasonPaused = "Paused"
	// ReasonInvalid (Ready=False): see Validated. What was imported before stays.
	ReasonInvalid = "Invalid"
)

// Reasons of a lifecycle's conditions.
const (
	// ReasonWaitCreationCondition (Created=False): the creation condition is false.
	ReasonWaitCreationCondition = "WaitCreationCondition"
	// ReasonCreationConditionFailed (Created=False): the creation condition could not be decided.
	ReasonCreationConditionFailed = "CreationConditionFailed"
	// ReasonPediaClusterCreated (Created=True): the PediaCluster exists and is ours.
	ReasonPediaClusterCreated = "PediaClusterCreated"
	// ReasonPediaClusterExisted (Created=False): a PediaCluster of that name exists that is not ours; it is left alone.
	ReasonPediaClusterExisted = "PediaClusterExisted"
	// ReasonCreationFailure (Created=False): the API server refused the PediaCluster; it is tried again.
	ReasonCreationFailure = "CreationFailure"
	// ReasonSourceResourceNotFound: the source object does not exist.
	ReasonSourceResourceNotFound = "SourceResourceNotFound"
	// ReasonReferenceResourceNotFound: a referenced object does not exist.
	ReasonReferenceResourceNotFound = "ReferenceResourceNotFound"
	// ReasonFailedReferenceResourceParse: the name or namespace of a reference could not be rendered.
	ReasonFailedReferenceResourceParse = "FailedReferenceResourceParse"
	// ReasonWaitDependentResourceSynced: the source or a reference is not watched yet.
	ReasonWaitDependentResourceSynced = "WaitDependentResourceSynced"
	// ReasonOrphanLifecycle: the policy that controls the lifecycle does not exist.
	ReasonOrphanLifecycle = "OrphanLifecycle"
	// ReasonPolicyNotReady: the policy that controls the lifecycle does not compile or is not active yet.
	ReasonPolicyNotReady = "PolicyNotReady"
	// ReasonFailedResolvePediaCluster: the template does not give a valid PediaCluster.
	ReasonFailedResolvePediaCluster = "FailedResolveAndDecodePediaCluster"
	// ReasonMissingCredentials: the endpoint or a credential that the template names is empty.
	ReasonMissingCredentials = "MissingCredentials"
	// ReasonPreflightFailed: the rendered connection cannot work, is not verified, or would make Clusterpedia run a
	// program or read a file; the message says what it is.
	ReasonPreflightFailed = "PreflightFailed"

	// ReasonPediaClusterUpdated (Updating=False): the PediaCluster has the endpoint and credentials of its source.
	ReasonPediaClusterUpdated = "PediaClusterUpdated"
	// ReasonFailedPatchPediaCluster (Updating=True): the API server refused a change; it is tried again.
	ReasonFailedPatchPediaCluster = "FailedPatchPediaCluster"
	// ReasonUpdateHeld (Updating=False): what the PediaCluster should hold is not known; it keeps what it has.
	ReasonUpdateHeld = "UpdateHeld"

	// ReasonNotSelected (Ready=False): the source is not selected, or a user wants it skipped. The lifecycle goes as the
	// policy's maxDeletions allows.
	ReasonNotSelected = "NotSelected"
	// ReasonDeletionCondition (Created=False or Ready=False): the deletion condition is true.
	ReasonDeletionCondition = "DeletionCondition"
	// ReasonDeletionConditionFailed (Created=False or Ready=False): the deletion condition could not be decided.
	ReasonDeletionConditionFailed = "DeletionConditionFailed"
	// ReasonDryRun (Created, Updating or Ready=False): what the message says would be written, were the policy's mode
	// not DryRun.
	ReasonDryRun = "DryRun"

	// ReasonImported (Ready=True): the PediaCluster exists and follows its source.
	ReasonImported = "Imported"
)

// Reasons of a source that has no lifecycle of its own (status.failures of the policy, and events).
const (
	// ReasonSelectorFailed: the selector could not be decided.
	ReasonSelectorFailed = "SelectorFailed"
	// ReasonNameFailed: the name could not be rendered.
	ReasonNameFailed = "NameFailed"
	// ReasonInvalidName: the rendered name is empty or is no DNS-1123 subdomain.
	ReasonInvalidName = "InvalidName"
	// ReasonNameConflict: another source has claimed the name.
	ReasonNameConflict = "NameConflict"
)

// Reasons of events about what no condition says.
const (
	// EventLifecycleDeleted: a lifecycle was removed; the message says why.
	EventLifecycleDeleted = "LifecycleDeleted"
	// EventPediaClusterDeleted: a PediaCluster was deleted for the deletion condition.
	EventPediaClusterDeleted = "PediaClusterDeleted"
	// EventPediaClusterAdopted: a PediaCluster that somebody else made was taken over.
	EventPediaClusterAdopted = "PediaClusterAdopted"
	// EventPediaClusterReleased: a PediaCluster will not go with its lifecycle.
	EventPediaClusterReleased = "PediaClusterReleased"
)

// Finalizers that Clusterpedia's controllers leave on objects. They guard nothing that this project needs,
// and are removed from objects that are being deleted.
const (
	LegacyPolicyFinalizer    = "clusterpedia.io/cluster-import-policy-controller"
	LegacyLifecycleFinalizer = "clusterpedia.io/pediacluster-lifecycle-controller"
)
