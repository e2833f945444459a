package lifecycle

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// sourceReads are the fields of a source that the decisions read, whatever the expressions do.
var sourceReads = [][]string{
	{"metadata", "uid"},
	{"metadata", "creationTimestamp"},
	{"metadata", "annotations", v1alpha1.AnnotationPaused},
	{"metadata", "annotations", v1alpha1.AnnotationSkip},
}

// Reads returns the kinds that the policy watches, and of each what the policy's expressions and the decisions about
// it read of an object. An update that changes nothing of that changes no decision.
func (a *ActivePolicy) Reads() map[schema.GroupVersionResource]*expr.Reads {
	reads := map[schema.GroupVersionResource]*expr.Reads{}
	of := func(group, version, resource string) *expr.Reads {
		gvr := schema.GroupVersionResource{Group: group, Version: version, Resource: resource}
		if reads[gvr] == nil {
			reads[gvr] = &expr.Reads{}
		}
		return reads[gvr]
	}
	inputs := a.Compiled.Inputs()
	source := of(a.Source.Group, a.Source.Version, a.Source.Resource)
	source.Merge(&inputs.Source)
	for _, path := range sourceReads {
		source.Include(path...)
	}
	for _, r := range a.References {
		of(r.Group, r.Version, r.Resource).Merge(inputs.Reference(r.Key))
	}
	return reads
}
