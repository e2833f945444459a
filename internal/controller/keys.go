package controller

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
)

// SourceKey is one source of one policy.
type SourceKey struct {
	Policy string
	Source types.NamespacedName
}

// objectKey is one object of a watched kind. It has no version: an object is the same in all of them.
type objectKey struct {
	resource schema.GroupResource
	name     types.NamespacedName
}

func keyOf(r v1alpha1.DependentResource) objectKey {
	return objectKey{
		schema.GroupResource{Group: r.Group, Resource: r.Resource},
		types.NamespacedName{Namespace: r.Namespace, Name: r.Name},
	}
}

func gvrOf(r v1alpha1.ResolvedResource) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: r.Group, Version: r.Version, Resource: r.Resource}
}
