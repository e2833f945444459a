package simulation

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"
)

// object is what the server stores. Stored objects are never changed, only replaced.
type object interface {
	metav1.Object
	runtime.Object
}

// server is the API server: it stores, versions and refuses.
type server struct {
	clock   *clock
	version int
	created int
	kinds   map[string]*kind
	// down refuses every request.
	down bool
}

// kind is one stored resource.
type kind struct {
	resource  schema.GroupResource
	objects   map[string]object
	served    bool
	forbidden bool
	// log holds the last changes; the first of them has the number first.
	log   []change
	first int
}

// change is what a watch is told.
type change struct {
	key     string
	object  object
	deleted bool
}

// logLength is how many changes a watch may lag behind before its place in the stream is compacted away.
const logLength = 40

func newServer(c *clock) *server {
	s := &server{clock: c, kinds: map[string]*kind{}}
	for _, resource := range []schema.GroupResource{policyKind, lifecycleKind, clusterKind, definitionKind, sourceKind, secretKind} {
		s.kinds[resource.Resource] = &kind{resource: resource, objects: map[string]object{}, served: true}
	}
	return s
}

func (s *server) kind(resource schema.GroupResource) *kind { return s.kinds[resource.Resource] }

func keyOf(o metav1.Object) string {
	if o.GetNamespace() == "" {
		return o.GetName()
	}
	return o.GetNamespace() + "/" + o.GetName()
}

// keys are the names of a kind's objects, in order.
func (k *kind) keys() []string { return slices.Sorted(maps.Keys(k.objects)) }

func (k *kind) end() int { return k.first + len(k.log) }

func (k *kind) record(c change) {
	k.log = append(k.log, c)
	if over := len(k.log) - logLength; over > logLength {
		k.log = slices.Clone(k.log[over:])
		k.first += over
	}
}

func (s *server) stamp(o object) {
	s.version++
	o.SetResourceVersion(strconv.Itoa(s.version))
}

// put stores a new object or a new state of one.
func (s *server) put(k *kind, o object) {
	s.stamp(o)
	k.objects[keyOf(o)] = o
	k.record(change{keyOf(o), o, false})
}

// create stores a new object.
func (s *server) create(k *kind, o object) error {
	if _, exists := k.objects[keyOf(o)]; exists {
		return apierrors.NewAlreadyExists(k.resource, o.GetName())
	}
	s.created++
	o.SetUID(types.UID(fmt.Sprintf("uid-%d", s.created)))
	o.SetGeneration(1)
	o.SetCreationTimestamp(metav1.NewTime(s.clock.monotonic().Truncate(time.Second)))
	s.put(k, o)
	return nil
}

// replace stores a new state of an object, or removes it if that state lets it go.
func (s *server) replace(k *kind, before, after object, specChanged bool) {
	if specChanged {
		after.SetGeneration(before.GetGeneration() + 1)
	}
	if after.GetDeletionTimestamp() != nil && len(after.GetFinalizers()) == 0 {
		s.remove(k, before)
		return
	}
	s.put(k, after)
}

// remove takes an object out; its last state has a version of its own.
func (s *server) remove(k *kind, o object) {
	last, _ := o.DeepCopyObject().(object)
	s.stamp(last)
	delete(k.objects, keyOf(o))
	k.record(change{keyOf(o), last, true})
}

// delete asks for the removal of an object.
func (s *server) delete(k *kind, key string, preconditions *metav1.Preconditions) error {
	before, exists := k.objects[key]
	if !exists {
		return apierrors.NewNotFound(k.resource, key)
	}
	if p := preconditions; p != nil {
		if p.UID != nil && *p.UID != before.GetUID() || p.ResourceVersion != nil && *p.ResourceVersion != before.GetResourceVersion() {
			return conflict(k, key)
		}
	}
	if len(before.GetFinalizers()) == 0 {
		s.remove(k, before)
		return nil
	}
	if before.GetDeletionTimestamp() == nil {
		after, _ := before.DeepCopyObject().(object)
		now := metav1.NewTime(s.clock.monotonic().Truncate(time.Second))
		after.SetDeletionTimestamp(&now)
		s.replace(k, before, after, true)
	}
	return nil
}

func conflict(k *kind, name string) error {
	return apierrors.NewConflict(k.resource, name, errors.New("the object has been modified"))
}

// check holds an update to the object that it was made for.
func check(k *kind, before object, uid types.UID, version string) error {
	if uid != "" && uid != before.GetUID() || version != "" && version != before.GetResourceVersion() {
		return conflict(k, before.GetName())
	}
	return nil
}

// patch merges a document into an object and returns the result. With status, only the status is changed, else all
// but the status.
func patch[T object](k *kind, before T, document []byte, status bool) (after T, specChanged bool, err error) {
	var change map[string]any
	if err := json.Unmarshal(document, &change); err != nil {
		return after, false, apierrors.NewBadRequest(err.Error())
	}
	meta, _ := change["metadata"].(map[string]any)
	uid, _ := meta["uid"].(string)
	version, _ := meta["resourceVersion"].(string)
	if err := check(k, before, types.UID(uid), version); err != nil {
		return after, false, err
	}
	delete(meta, "uid")
	delete(meta, "resourceVersion")
	live, err := runtime.DefaultUnstructuredConverter.ToUnstructured(before)
	if err != nil {
		return after, false, err
	}
	was := fmt.Sprint(live["spec"])
	if status {
		applyStatus(live, change)
	} else {
		delete(change, "status")
		live, _ = merge(live, change).(map[string]any)
	}
	after, _ = before.DeepCopyObject().(T)
	blank, _ := blankOf(after).(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(live, blank); err != nil {
		return after, false, apierrors.NewBadRequest(err.Error())
	}
	return blank, was != fmt.Sprint(live["spec"]), nil
}

// merge is a JSON merge patch.
func merge(target, change any) any {
	fields, ok := change.(map[string]any)
	if !ok {
		return change
	}
	into, ok := target.(map[string]any)
	if !ok {
		into = map[string]any{}
	}
	for name, value := range fields {
		if value == nil {
			delete(into, name)
		} else {
			into[name] = merge(into[name], value)
		}
	}
	return into
}

// applyStatus is a server-side apply of the status by its only manager: the fields that it sends replace what is
// there. Conditions are a map by type, and those of types that it does not send are somebody else's.
func applyStatus(live, change map[string]any) {
	before, _ := live["status"].(map[string]any)
	after, _ := change["status"].(map[string]any)
	sent := map[any]bool{}
	conditions, _ := after["conditions"].([]any)
	for _, c := range conditions {
		condition, _ := c.(map[string]any)
		sent[condition["type"]] = true
	}
	others, _ := before["conditions"].([]any)
	for _, c := range others {
		if condition, _ := c.(map[string]any); !sent[condition["type"]] {
			conditions = append(conditions, condition)
		}
	}
	if after == nil {
		after = map[string]any{}
	}
	if len(conditions) > 0 {
		after["conditions"] = conditions
	}
	live["status"] = after
}

// collect is one pass of the garbage collector: what had owners and has none left is removed.
func (s *server) collect() {
	alive := map[types.UID]bool{}
	for _, k := range s.kinds {
		for _, o := range k.objects {
			alive[o.GetUID()] = true
		}
	}
	for _, resource := range []schema.GroupResource{lifecycleKind, clusterKind} {
		k := s.kind(resource)
		for _, key := range k.keys() {
			owners := k.objects[key].GetOwnerReferences()
			owned := slices.ContainsFunc(owners, func(o metav1.OwnerReference) bool {
				return alive[o.UID] || strings.HasPrefix(string(o.UID), strangerUID)
			})
			if len(owners) > 0 && !owned {
				_ = s.delete(k, key, nil)
			}
		}
	}
}
