package simulation

import (
	"context"
	"errors"
	"reflect"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"

	clusterv1alpha2 "github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/controller"
)

// mishap is what goes wrong with the writes of one pass of a loop: nth is which write, from 1; 0 is none.
type mishap struct {
	nth  int
	kind mishapKind
}

// mishapKind is how a write goes wrong.
type mishapKind int

const (
	refused  mishapKind = iota // the server is overloaded and does nothing
	lost                       // the server does it, and the reply is lost
	denied                     // the right to do it was taken away
	crashed                    // the controller dies before the write
	replyDie                   // the controller dies after it
	mishapKinds
)

// death is what a pass of a loop panics with when the controller dies in it.
type death struct{}

// connection is the controller's way to the server: what it writes is counted, made to fail and checked.
type connection struct {
	server *server
	// mishap is that of the pass that is under way, and writes how many writes it has tried.
	mishap mishap
	writes int
	// checked is called after each write of the controller, with the states before and after it, nil for none.
	checked func(w write)
	// total counts the writes that changed something.
	total int
}

// write is one write of the controller that changed something.
type write struct {
	verb          string
	kind          schema.GroupResource
	before, after object
}

// do carries out a write, unless the script wants it otherwise.
func (c *connection) do(k *kind, verb, key string, write func() (object, error)) (object, error) {
	c.writes++
	if c.server.down {
		return nil, errors.New("connection refused")
	}
	goesWrong := c.writes == c.mishap.nth
	if goesWrong {
		switch c.mishap.kind {
		case refused:
			return nil, apierrors.NewTooManyRequests("the server is overloaded", 1)
		case denied:
			return nil, apierrors.NewForbidden(k.resource, key, errors.New("not granted"))
		case crashed:
			panic(death{})
		}
	}
	if err := c.apply(k, verb, key, write); err != nil {
		return nil, err
	}
	if goesWrong && c.mishap.kind == lost {
		return nil, errors.New("connection reset by peer")
	}
	if goesWrong && c.mishap.kind == replyDie {
		panic(death{})
	}
	return k.objects[key], nil
}

// apply carries out a write and has it checked.
func (c *connection) apply(k *kind, verb, key string, write func() (object, error)) error {
	before := k.objects[key]
	after, err := write()
	if err != nil || after == before && before != nil {
		return err
	}
	c.total++
	c.checked(newWrite(verb, k.resource, before, after))
	return nil
}

func newWrite(verb string, kind schema.GroupResource, before, after object) write {
	return write{verb, kind, before, after}
}

// client is a typed client of one kind.
type client[T object] struct {
	*connection

	kind *kind
}

var (
	_ controller.Writer[*v1alpha1.ClusterImportPolicy]   = client[*v1alpha1.ClusterImportPolicy]{}
	_ controller.Writer[*v1alpha1.PediaClusterLifecycle] = client[*v1alpha1.PediaClusterLifecycle]{}
	_ controller.Writer[*clusterv1alpha2.PediaCluster]   = client[*clusterv1alpha2.PediaCluster]{}
)

func (c client[T]) result(o object, err error) (T, error) {
	typed, _ := o.(T)
	return typed, err
}

// Get reads an object from the server.
func (c client[T]) Get(_ context.Context, name string, _ metav1.GetOptions) (T, error) {
	stored, exists := c.kind.objects[name]
	switch {
	case c.server.down:
		return c.result(nil, errors.New("connection refused"))
	case !exists:
		return c.result(nil, apierrors.NewNotFound(c.kind.resource, name))
	default:
		return c.result(stored, nil)
	}
}

// Create stores a new object. Its status is dropped, as that of a kind with the subresource.
func (c client[T]) Create(_ context.Context, o T, _ metav1.CreateOptions) (T, error) {
	return c.result(c.do(c.kind, "create", keyOf(o), func() (object, error) {
		stored := copyOf(o)
		setStatus(stored, nil)
		return stored, c.server.create(c.kind, stored)
	}))
}

// Update replaces all of an object but its status.
func (c client[T]) Update(_ context.Context, o T, _ metav1.UpdateOptions) (T, error) {
	return c.result(c.do(c.kind, "update", keyOf(o), func() (object, error) {
		before, exists := c.kind.objects[keyOf(o)]
		if !exists {
			return nil, apierrors.NewNotFound(c.kind.resource, o.GetName())
		}
		if err := check(c.kind, before, o.GetUID(), o.GetResourceVersion()); err != nil {
			return nil, err
		}
		after := copyOf(o)
		setStatus(after, before)
		after.SetGeneration(before.GetGeneration())
		after.SetResourceVersion(before.GetResourceVersion())
		if equality.Semantic.DeepEqual(before, object(after)) {
			return before, nil
		}
		c.server.replace(c.kind, before, after, !equality.Semantic.DeepEqual(specOf(before), specOf(after)))
		return after, nil
	}))
}

// Patch merges or applies a document.
func (c client[T]) Patch(
	_ context.Context, name string, how types.PatchType, document []byte, _ metav1.PatchOptions, subresources ...string,
) (T, error) {
	return c.result(c.do(c.kind, "patch", name, func() (object, error) {
		before, exists := c.kind.objects[name]
		if !exists {
			return nil, apierrors.NewNotFound(c.kind.resource, name)
		}
		typed, _ := before.(T)
		after, specChanged, err := patch(c.kind, typed, document, how == types.ApplyPatchType && len(subresources) > 0)
		if err != nil {
			return nil, err
		}
		if equality.Semantic.DeepEqual(before, object(after)) {
			return before, nil
		}
		c.server.replace(c.kind, before, after, specChanged)
		return after, nil
	}))
}

// Delete asks for the removal of an object.
func (c client[T]) Delete(_ context.Context, name string, options metav1.DeleteOptions) error {
	_, err := c.do(c.kind, "delete", name, func() (object, error) {
		return nil, c.server.delete(c.kind, name, options.Preconditions)
	})
	return err
}

// discovery answers what the server serves.
type served struct {
	discovery.DiscoveryInterfaceWithContext

	server *server
}

// ServerGroupsAndResourcesWithContext implements discovery.
func (s served) ServerGroupsAndResourcesWithContext(context.Context) ([]*metav1.APIGroup, []*metav1.APIResourceList, error) {
	if s.server.down {
		return nil, nil, errors.New("connection refused")
	}
	groups := []*metav1.APIGroup{{Versions: versionsOf("v1"), PreferredVersion: versionsOf("v1")[0]}}
	lists := []*metav1.APIResourceList{{GroupVersion: "v1", APIResources: []metav1.APIResource{{Name: secretKind.Resource, Kind: "Secret"}}}}
	if s.server.kind(sourceKind).served {
		versions := versionsOf("v2", "v1")
		groups = append(groups, &metav1.APIGroup{Name: sourceKind.Group, Versions: versions, PreferredVersion: versions[0]})
		for _, version := range []string{"v1", "v2"} {
			lists = append(lists, &metav1.APIResourceList{
				GroupVersion: sourceKind.Group + "/" + version,
				APIResources: []metav1.APIResource{{Name: sourceKind.Resource, Kind: "Cluster"}},
			})
		}
	}
	return groups, lists, nil
}

func versionsOf(versions ...string) []metav1.GroupVersionForDiscovery {
	var out []metav1.GroupVersionForDiscovery
	for _, version := range versions {
		out = append(out, metav1.GroupVersionForDiscovery{Version: version})
	}
	return out
}

func copyOf[T object](o T) T {
	copied, _ := o.DeepCopyObject().(T)
	return copied
}

// blankOf is an empty object of the same type.
func blankOf(o object) object {
	blank, _ := reflect.TypeAssert[object](reflect.New(reflect.TypeOf(o).Elem()))
	return blank
}

// setStatus gives an object the status of another, or none.
func setStatus(o, from object) {
	switch o := o.(type) {
	case *v1alpha1.ClusterImportPolicy:
		o.Status = v1alpha1.ClusterImportPolicyStatus{}
		if from, ok := from.(*v1alpha1.ClusterImportPolicy); ok {
			o.Status = from.Status
		}
	case *v1alpha1.PediaClusterLifecycle:
		o.Status = v1alpha1.PediaClusterLifecycleStatus{}
		if from, ok := from.(*v1alpha1.PediaClusterLifecycle); ok {
			o.Status = from.Status
		}
	case *clusterv1alpha2.PediaCluster:
		o.Status = clusterv1alpha2.ClusterStatus{}
		if from, ok := from.(*clusterv1alpha2.PediaCluster); ok {
			o.Status = from.Status
		}
	}
}

func specOf(o object) any {
	switch o := o.(type) {
	case *v1alpha1.ClusterImportPolicy:
		return o.Spec
	case *v1alpha1.PediaClusterLifecycle:
		return o.Spec
	case *clusterv1alpha2.PediaCluster:
		return o.Spec
	default:
		return nil
	}
}
