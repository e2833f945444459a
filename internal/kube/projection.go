package kube

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

// Projection is what the cache of a kind keeps of its objects: what somebody reads, and what names them. An object of
// many kibibytes costs what is read of it, and no cache has the parts of a Secret that nobody reads.
type Projection struct{ reads *expr.Reads }

// ProjectionOf keeps what all of these read.
func ProjectionOf(all ...*expr.Reads) Projection {
	p := Projection{&expr.Reads{}}
	p.reads.Include("apiVersion")
	p.reads.Include("kind")
	for _, field := range []string{"name", "namespace", "uid", "resourceVersion"} {
		p.reads.Include("metadata", field)
	}
	for _, reads := range all {
		p.reads.Merge(reads)
	}
	return p
}

// Covers reports whether it keeps all of what is read.
func (p Projection) Covers(reads *expr.Reads) bool { return p.reads.Covers(reads) }

// And keeps more.
func (p Projection) And(reads *expr.Reads) Projection { return ProjectionOf(p.reads, reads) }

// Of is the part of an object that is kept. It may share parts with the object.
func (p Projection) Of(object map[string]any) map[string]any {
	kept, _ := p.reads.Project(object).(map[string]any)
	return kept
}

// transform is what an informer does to an object before it keeps it.
func (p Projection) transform(obj any) (any, error) {
	u, ok := obj.(*unstructured.Unstructured)
	if !ok {
		return obj, nil
	}
	withoutManagedFields(u)
	return &unstructured.Unstructured{Object: p.Of(u.Object)}, nil
}

// withoutManagedFields drops what no expression reads and what is often half of an object.
func withoutManagedFields(u *unstructured.Unstructured) {
	unstructured.RemoveNestedField(u.Object, "metadata", "managedFields")
}
