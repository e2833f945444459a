package simulation

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"

	clusterv1alpha2 "github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// The kinds of the world.
var (
	policyKind     = v1alpha1.ClusterImportPolicyResource.GroupResource()
	lifecycleKind  = v1alpha1.PediaClusterLifecycleResource.GroupResource()
	clusterKind    = clusterv1alpha2.PediaClusterResource.GroupResource()
	definitionKind = schema.GroupResource{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"}
	sourceKind     = schema.GroupResource{Group: "x.io", Resource: "clusters"}
	secretKind     = schema.GroupResource{Resource: "secrets"}
)

// places are where sources and their Secrets are; two of them have the same name.
var places = []metav1.ObjectMeta{
	{Namespace: "east", Name: "a"}, {Namespace: "west", Name: "a"}, {Namespace: "east", Name: "b"},
	{Namespace: "west", Name: "c"}, {Namespace: "east", Name: "d"},
}

var policyNames = []string{"p", "q", "r"}

// answer is yes, no or not known.
type answer int

const (
	unknown answer = iota
	no
	yes
)

func isTrue(truth bool) answer {
	if truth {
		return yes
	}
	return no
}

// sourceStates is how many states a source can be in. The first digit of a state is its label, then come its
// endpoint, whether it is ready, and its alias.
const sourceStates = 3 * 4 * 3 * 3

// sourceOf makes a source in one of its states. From sourceStates on, it is one that can be imported.
func sourceOf(place metav1.ObjectMeta, state int) *unstructured.Unstructured {
	if state >= sourceStates {
		const label, endpoints, ready = 1, 3 * 2, 3 * 4 * 2
		state = label + endpoints + 3*(state%2) + ready + 3*4*3*(state/2%3)
	}
	metadata := map[string]any{"namespace": place.Namespace, "name": place.Name}
	spec := map[string]any{}
	digit := func(base int) int {
		d := state % base
		state /= base
		return d
	}
	if label := digit(3); label > 0 {
		metadata["labels"] = map[string]any{"import": []string{"", "yes", "no"}[label]}
	}
	if endpoint := digit(4); endpoint > 0 {
		spec["endpoint"] = []string{"", "", "https://one.example", "https://two.example"}[endpoint]
	}
	if ready := digit(3); ready > 0 {
		spec["ready"] = ready == 2
	}
	if alias := digit(3); alias > 0 {
		spec["alias"] = []string{"", "shared", place.Namespace + "." + place.Name}[alias]
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "x.io/v2", "kind": "Cluster", "metadata": metadata, "spec": spec,
	}}
}

// secretStates is how many states a Secret can be in: its token is absent, blank or one of two.
const secretStates = 4

var tokens = []string{"(absent)", "", "first", "second"}

// tokenState is the token of a Secret's state; from secretStates on, it has one.
func tokenState(state int) int {
	if state >= secretStates {
		return 2 + state%2
	}
	return state
}

func secretOf(place metav1.ObjectMeta, state int) *unstructured.Unstructured {
	data := map[string]any{}
	if token := tokenState(state); token > 0 {
		data["token"] = base64.StdEncoding.EncodeToString([]byte(tokens[token]))
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret",
		"metadata": map[string]any{"namespace": place.Namespace, "name": place.Name}, "data": data,
	}}
}

// variant is a policy's spec, and in Go what its expressions mean.
type variant struct {
	spec v1alpha1.ClusterImportPolicySpec
	// valid is whether the spec compiles.
	valid bool
	// selects, named and ready answer for a source. A name that is not known is "".
	selects func(source) answer
	named   func(source) string
	ready   func(source) answer
}

// source reads a source's fields.
type source map[string]any

func (s source) text(path ...string) (string, bool) {
	value, found, _ := unstructured.NestedString(s, path...)
	return value, found
}

var selectors = []struct {
	text    string
	selects func(source) answer
}{
	{"", func(source) answer { return yes }},
	{`source.?metadata.?labels[?"import"].orValue("no") == "yes"`, func(s source) answer {
		label, _ := s.text("metadata", "labels", "import")
		return isTrue(label == "yes")
	}},
	{`source.metadata.labels["import"] == "yes"`, func(s source) answer {
		label, found := s.text("metadata", "labels", "import")
		if !found {
			return unknown
		}
		return isTrue(label == "yes")
	}},
}

var names = []struct {
	text  string
	named func(source) string
}{
	{"${source.metadata.namespace}-${source.metadata.name}", func(s source) string {
		namespace, _ := s.text("metadata", "namespace")
		name, _ := s.text("metadata", "name")
		return namespace + "-" + name
	}},
	{"{{ .source.metadata.name }}", func(s source) string {
		name, _ := s.text("metadata", "name")
		return name
	}},
	{"${source.spec.alias}", func(s source) string {
		name, _ := s.text("spec", "alias")
		return name
	}},
}

var conditions = []struct {
	text  string
	ready func(source) answer
}{
	{"source.?spec.?ready.orValue(false)", func(s source) answer {
		ready, _, _ := unstructured.NestedBool(s, "spec", "ready")
		return isTrue(ready)
	}},
	{"source.spec.ready", func(s source) answer {
		ready, found, _ := unstructured.NestedBool(s, "spec", "ready")
		if !found {
			return unknown
		}
		return isTrue(ready)
	}},
}

// versions are what policies ask for; the server prefers v2.
var versions = [][]string{nil, {"v1"}}

// policyStates is how many specs a policy can have; the last states do not compile.
const policyStates = 3*3*2*2*3 + 4

// budgets are the most that policies let go within an hour.
var budgets = []*intstr.IntOrString{nil, new(intstr.FromString("100%")), new(intstr.FromInt32(1))}

func variantOf(state int) variant {
	state %= policyStates
	broken := state >= policyStates-4
	digit := func(base int) int {
		d := state % base
		state /= base
		return d
	}
	selector, name, condition, version := selectors[digit(3)], names[digit(3)], conditions[digit(2)], versions[digit(2)]
	budget := budgets[digit(3)]
	v := variant{valid: !broken, named: name.named, ready: condition.ready}
	v.selects = func(s source) answer {
		if skip, _ := s.text("metadata", "annotations", v1alpha1.AnnotationSkip); skip == "true" {
			return no
		}
		return selector.selects(s)
	}
	v.spec = v1alpha1.ClusterImportPolicySpec{
		Source: v1alpha1.SourceType{
			Group: sourceKind.Group, Resource: sourceKind.Resource, Versions: version, SelectorTemplate: selector.text,
		},
		References: []v1alpha1.ReferenceResourceTemplate{{
			Key: "secret", Resource: secretKind.Resource,
			NamespaceTemplate: "${source.metadata.namespace}", NameTemplate: "${source.metadata.name}",
		}},
		NameTemplate:      name.text,
		CreationCondition: condition.text,
		Template: "metadata: {labels: {" + fromLabel + ": '${source.metadata.name}'}}\n" +
			"spec: {apiserver: '${source.spec.endpoint}', tokenData: '${references.secret.data.token}', " +
			"syncResources: [{group: '', resources: [pods]}]}",
		AllowInsecure: true,
		MaxDeletions:  budget,
	}
	if broken {
		v.spec.NameTemplate = "${source.metadata."
	}
	return v
}

// fromLabel is the label that all templates give a PediaCluster, collected what they say is collected.
const fromLabel = "from"

var collected = []clusterv1alpha2.ClusterGroupResources{{Resources: []string{"pods"}}}

// connection says what a PediaCluster must have, or that this is not known.
func connectionOf(s source, secret source) (endpoint, token string, known bool) {
	endpoint, _ = s.text("spec", "endpoint")
	encoded, _ := secret.text("data", "token")
	decoded, _ := base64.StdEncoding.DecodeString(encoded)
	return endpoint, string(decoded), endpoint != "" && len(decoded) > 0
}

// compile is policy.Compile, which remembers: all simulations share a few specs, and compiling is what takes time.
func compile(spec *v1alpha1.ClusterImportPolicySpec, _ policy.Types) (*policy.Policy, diag.List) {
	key, err := json.Marshal(spec)
	if err != nil {
		panic(err)
	}
	once, _ := compiled.LoadOrStore(string(key), sync.OnceValues(func() (*policy.Policy, diag.List) {
		return policy.Compile(spec.DeepCopy(), policy.Types{})
	}))
	return once.(func() (*policy.Policy, diag.List))()
}

var compiled sync.Map

func newPolicy(name string, state int) *v1alpha1.ClusterImportPolicy {
	return &v1alpha1.ClusterImportPolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.ClusterImportPolicyKind.Kind},
		ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: variantOf(state).spec,
	}
}

// strangerUID begins the UIDs of owners that are not among the kinds of this world.
const strangerUID = "stranger-"

// foreignStates is how many states a PediaCluster of somebody else can be in.
const foreignStates = 3

// newForeign is a PediaCluster that somebody else made: alone, or owned by something else, be it of the same name.
func newForeign(name string, state int) *clusterv1alpha2.PediaCluster {
	c := &clusterv1alpha2.PediaCluster{
		TypeMeta:   metav1.TypeMeta{APIVersion: clusterv1alpha2.GroupVersion.String(), Kind: clusterv1alpha2.PediaClusterKind.Kind},
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       clusterv1alpha2.ClusterSpec{APIServer: "https://foreign.example", TokenData: []byte("foreign")},
	}
	switch state % foreignStates {
	case 1:
		c.OwnerReferences = []metav1.OwnerReference{{
			APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.PediaClusterLifecycleKind.Kind,
			Name: name, UID: strangerUID + "1",
		}}
	case 2:
		c.OwnerReferences = []metav1.OwnerReference{{
			APIVersion: "x.io/v2", Kind: "Cluster", Name: name, UID: strangerUID + "2", Controller: new(true),
		}}
	}
	return c
}

func describeSource(state int) string {
	s := sourceOf(metav1.ObjectMeta{Namespace: "ns", Name: "name"}, state)
	return fmt.Sprintf("labels %v, spec %v", s.GetLabels(), s.Object["spec"])
}

func describePolicy(state int) string {
	s := variantOf(state).spec
	return fmt.Sprintf("versions %q, selector %q, name %q, condition %q, deletions %v",
		s.Source.Versions, s.Source.SelectorTemplate, s.NameTemplate, s.CreationCondition, s.MaxDeletions)
}
