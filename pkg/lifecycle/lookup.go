package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// Lookup is what a cache knows of an object: it is there, it is not there, or that is not known.
type Lookup struct {
	// Object is the object as JSON; nil when it is not there or not known. It is only read.
	Object map[string]any
	// Unknown says, as a sentence, why it is not known whether the object exists; empty when it is known.
	Unknown string
	// Starting says of what is not known that it will be soon: a first list is under way.
	Starting bool
}

// Found is the Lookup of an object that is there.
func Found(object map[string]any) Lookup { return Lookup{Object: object} }

// NotFound is the Lookup of an object that a synced cache does not have.
func NotFound() Lookup { return Lookup{} }

// NotKnown is the Lookup in a cache that cannot answer.
func NotKnown(why string) Lookup { return Lookup{Unknown: why} }

// Missing reports a proven absence.
func (l Lookup) Missing() bool { return l.Object == nil && l.Unknown == "" }

// UID returns the object's UID, or "".
func (l Lookup) UID() string {
	metadata, _ := l.Object["metadata"].(map[string]any)
	uid, _ := metadata["uid"].(string)
	return uid
}

// Definition is the CustomResourceDefinition of a kind; the zero Definition is that of a kind without one.
type Definition struct {
	UID     types.UID
	Created metav1.Time
}

// replaced reports whether a kind was removed and defined anew since a lifecycle's source was seen. All objects went with
// the kind, which says nothing about the clusters that they described.
func (d Definition) replaced(l *v1alpha1.PediaClusterLifecycle) bool {
	if d.UID == "" {
		return false
	}
	if seen := l.Annotations[v1alpha1.AnnotationDefinitionUID]; seen != "" {
		return seen != string(d.UID)
	}
	return l.CreationTimestamp.Before(&d.Created)
}

// former reports whether an object is older than the definition of its kind: a cache still holds it.
func (d Definition) former(object map[string]any) bool {
	metadata, _ := object["metadata"].(map[string]any)
	text, _ := metadata["creationTimestamp"].(string)
	created, err := time.Parse(time.RFC3339, text)
	return err == nil && created.Before(d.Created.Time)
}

// Reader answers what is known of an object. It must give the same answers while a plan is made.
type Reader func(v1alpha1.DependentResource) Lookup

// Resolution is the references of one source as far as they could be followed.
type Resolution struct {
	// Binding has the source and every reference that was found.
	Binding *expr.Binding
	// References are the objects that the references name, in order, found or not.
	References []ResolvedReference
	// Absent says, a sentence each, which objects are missing or not known; Unsynced that at least one of them
	// is not known only because it is not watched yet.
	Absent   []string
	Unsynced bool
	// Starting is that of a Lookup, of any reference.
	Starting bool
	// Err is the first failure to name a reference, other than that an earlier one is missing.
	Err error
}

// ResolvedReference is the object that a reference names.
type ResolvedReference struct {
	v1alpha1.DependentResource

	Key string
}

// Objects are the objects of the references, found or not.
func (r Resolution) Objects() []v1alpha1.DependentResource {
	var objects []v1alpha1.DependentResource
	for _, ref := range r.References {
		objects = append(objects, ref.DependentResource)
	}
	return objects
}

// AbsentMessage is what is missing, for people.
func (r Resolution) AbsentMessage() string { return strings.Join(r.Absent, "; ") }

// Resolve follows the references of a source, each with the ones before it.
func Resolve(
	ctx context.Context, compiled *policy.Policy, refs []v1alpha1.ReferenceResource, source map[string]any, read Reader,
) Resolution {
	r := Resolution{Binding: compiled.Bind(source)}
	for i := range compiled.ReferenceCount() {
		name, err := compiled.Reference(ctx, i, r.Binding)
		if pending := new(expr.PendingError); errors.As(err, &pending) {
			continue
		}
		if err != nil {
			r.Err = errors.Join(r.Err, err)
			continue
		}
		r.follow(name, refs[i], read)
	}
	return r
}

func (r *Resolution) follow(name policy.ReferenceName, ref v1alpha1.ReferenceResource, read Reader) {
	target := v1alpha1.DependentResource{
		Group: ref.Group, Version: ref.Version, Resource: ref.Resource, Namespace: name.Namespace, Name: name.Name,
	}
	r.References = append(r.References, ResolvedReference{target, name.Key})
	switch found := read(target); {
	case found.Object != nil:
		r.Binding.SetReference(name.Key, found.Object)
	case found.Unknown != "":
		r.Unsynced = true
		r.Starting = r.Starting || found.Starting
		r.Absent = append(r.Absent, fmt.Sprintf("%s (reference %q) is not known: %s", target, name.Key, found.Unknown))
	default:
		r.Absent = append(r.Absent, fmt.Sprintf("%s (reference %q) does not exist", target, name.Key))
	}
}
