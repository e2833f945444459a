package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

// WatchSet holds one informer for each kind that somebody needs, whoever they are. Its cache keeps of an object what they
// read. Reads answer from the caches; a kind that nobody needs any more is not watched any more.
type WatchSet struct {
	client dynamic.Interface
	// changed is called for every change of an object, and state when a watch has synced, fails or recovers.
	// Both must only enqueue: they are called by informers.
	changed func(Change)
	state   func(schema.GroupVersionResource)
	// namespaces are where a kind may be read, if not everywhere.
	namespaces map[schema.GroupResource][]string

	mu      sync.Mutex
	ctx     context.Context //nolint:containedctx // the life of the watches that Set starts
	watches map[schema.GroupVersionResource]*kindWatch
	wg      sync.WaitGroup
}

// Change is that of one object of a kind.
type Change struct {
	Kind schema.GroupVersionResource
	Name types.NamespacedName
	// Before and After are the object, to be read only. Before is nil for one that was not known, After for one that is
	// gone.
	Before, After map[string]any
}

// kindWatch is the watch of one kind.
type kindWatch struct {
	owners []string
	// keeps is what is in the cache of an object.
	keeps Projection
	// parts are by namespace; one of all namespaces is under "".
	parts map[string]*partWatch
	stop  context.CancelFunc
}

// partWatch is the watch of one kind in one namespace, or in all.
type partWatch struct {
	informer cache.SharedIndexInformer
	// handled is done when every object of the first list has reached the handlers.
	handled cache.ResourceEventHandlerRegistration

	mu  sync.Mutex
	err error
}

// NewWatchSet returns an empty set whose watches end with ctx.
func NewWatchSet(
	ctx context.Context, client dynamic.Interface,
	changed func(Change), state func(schema.GroupVersionResource),
) *WatchSet {
	return &WatchSet{
		client: client, changed: changed, state: state, ctx: ctx,
		watches:    map[schema.GroupVersionResource]*kindWatch{},
		namespaces: map[schema.GroupResource][]string{},
	}
}

// Restrict says that a kind is to be read in these namespaces only, for example because nothing else is allowed; none
// is everywhere. It comes before the first Set.
func (s *WatchSet) Restrict(kind schema.GroupResource, namespaces []string) {
	if len(namespaces) > 0 {
		s.namespaces[kind] = namespaces
	}
}

// Set declares the kinds that owner needs, all of them, and what it reads of their objects; none releases what it had. A
// kind of which more is read than its cache keeps is listed anew: until then nothing is known of its objects.
func (s *WatchSet) Set(owner string, kinds map[schema.GroupVersionResource]*expr.Reads) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for gvr, reads := range kinds {
		w, ok := s.watches[gvr]
		switch {
		case !ok:
			w = s.start(gvr, ProjectionOf(reads))
		case !w.keeps.Covers(reads):
			w.stop()
			owners := w.owners
			// What was kept before is kept: who asked for it may be in the midst of reading.
			w = s.start(gvr, w.keeps.And(reads))
			w.owners = owners
		}
		s.watches[gvr] = w
		if !slices.Contains(w.owners, owner) {
			w.owners = append(w.owners, owner)
		}
	}
	for gvr, w := range s.watches {
		if _, needed := kinds[gvr]; needed {
			continue
		}
		w.owners = slices.DeleteFunc(w.owners, func(o string) bool { return o == owner })
		if len(w.owners) == 0 {
			w.stop()
			delete(s.watches, gvr)
		}
	}
}

// Wait returns when every watch has ended; the context of the set must be done.
func (s *WatchSet) Wait() { s.wg.Wait() }

func (s *WatchSet) start(gvr schema.GroupVersionResource, keeps Projection) *kindWatch {
	ctx, cancel := context.WithCancel(s.ctx)
	w := &kindWatch{stop: cancel, keeps: keeps, parts: map[string]*partWatch{}}
	namespaces := s.namespaces[gvr.GroupResource()]
	if len(namespaces) == 0 {
		namespaces = []string{""}
	}
	for _, namespace := range namespaces {
		w.parts[namespace] = s.startPart(ctx, gvr, namespace, keeps)
	}
	return w
}

func (s *WatchSet) startPart(
	ctx context.Context, gvr schema.GroupVersionResource, namespace string, keeps Projection,
) *partWatch {
	w := &partWatch{}
	w.informer = newInformer(s.client.Resource(gvr).Namespace(namespace), s.client, &unstructured.Unstructured{}, nil, func(err error) {
		if ctx.Err() == nil && w.record(err) {
			s.state(gvr)
		}
	})
	if err := w.informer.SetTransform(keeps.transform); err != nil {
		w.record(err)
	}
	handled, err := w.informer.AddEventHandler(s.handler(gvr))
	if err != nil {
		w.record(err)
	}
	w.handled = handled
	s.wg.Go(func() { w.informer.RunWithContext(ctx) })
	s.wg.Go(func() {
		if cache.WaitFor(ctx, "", handled.HasSyncedChecker()) {
			s.state(gvr)
		}
	})
	return w
}

func (s *WatchSet) handler(gvr schema.GroupVersionResource) cache.ResourceEventHandler {
	tell := func(before, after any) {
		name, err := cache.DeletionHandlingObjectToName(cmp.Or(after, before))
		if err == nil {
			s.changed(Change{gvr, types.NamespacedName(name), content(before), content(after)})
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { tell(nil, obj) },
		UpdateFunc: tell,
		DeleteFunc: func(obj any) { tell(obj, nil) },
	}
}

// content is the object that an informer hands over, or nil when it does not know its last state.
func content(obj any) map[string]any {
	if u, ok := obj.(*unstructured.Unstructured); ok {
		return u.Object
	}
	return nil
}

// record keeps the last answer of the API server and reports whether it is another kind of answer than before.
func (w *partWatch) record(err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	changed := (err == nil) != (w.err == nil)
	w.err = err
	return changed
}

func (w *partWatch) lastError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

func (s *WatchSet) find(gvr schema.GroupVersionResource) *kindWatch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watches[gvr]
}

// Status reports whether the first list of a kind has been handled, and the last error of its watch. Of a kind that is
// read in some namespaces, all lists have been, and the error is that of the first namespace by name that has one.
func (s *WatchSet) Status(gvr schema.GroupVersionResource) (synced bool, err error) {
	w := s.find(gvr)
	if w == nil {
		return false, nil
	}
	synced = true
	for _, namespace := range slices.Sorted(maps.Keys(w.parts)) {
		part := w.parts[namespace]
		synced = synced && part.handled.HasSynced()
		err = cmp.Or(err, part.lastError())
	}
	return synced, err
}

// Get returns an object from its cache. known is false, with a sentence why, when the cache cannot tell
// whether the object exists.
func (s *WatchSet) Get(gvr schema.GroupVersionResource, name types.NamespacedName) (object map[string]any, unknown string) {
	w := s.find(gvr)
	if w == nil {
		return nil, "its kind is not watched yet"
	}
	part := cmp.Or(w.parts[name.Namespace], w.parts[""])
	if part == nil {
		return nil, fmt.Sprintf("%s are not read in namespace %q", gvr.Resource, name.Namespace)
	}
	item, exists, err := part.informer.GetStore().GetByKey(cache.ObjectName(name).String())
	switch {
	case err != nil:
		return nil, err.Error()
	case exists:
		if found, ok := item.(*unstructured.Unstructured); ok {
			return found.Object, ""
		}
		return nil, "its cache holds something else"
	case !part.informer.HasSynced():
		return nil, "its kind is not listed yet"
	default:
		return nil, ""
	}
}

// Kinds returns the kinds that are watched, in no order.
func (s *WatchSet) Kinds() []schema.GroupVersionResource {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.watches))
}

// Fetch asks the API server for an object, and not the cache. It returns nil when the server says that there is none. A
// server that does not serve the kind has not said so.
func (s *WatchSet) Fetch(ctx context.Context, gvr schema.GroupVersionResource, name types.NamespacedName) (map[string]any, error) {
	object, err := s.client.Resource(gvr).Namespace(name.Namespace).Get(ctx, name.Name, metav1.GetOptions{})
	switch {
	case err == nil:
		withoutManagedFields(object)
		return object.Object, nil
	case apierrors.IsNotFound(err) && !apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse):
		return nil, nil //nolint:nilnil // there is none, and that is the answer
	default:
		return nil, fmt.Errorf("cannot ask for %s %s before a removal: %w", gvr.GroupResource(), name, err)
	}
}

// Names returns the names of all cached objects of a kind.
func (s *WatchSet) Names(gvr schema.GroupVersionResource) []types.NamespacedName {
	w := s.find(gvr)
	if w == nil {
		return nil
	}
	var names []types.NamespacedName
	for _, part := range w.parts {
		for _, key := range part.informer.GetStore().ListKeys() {
			if name, err := cache.ParseObjectName(key); err == nil {
				names = append(names, types.NamespacedName(name))
			}
		}
	}
	return names
}

// Explain says in a sentence what the API server's error means, without the object that was sent: an error
// text may quote it, and it may hold credentials.
func Explain(err error) string {
	reason := apierrors.ReasonForError(err)
	var status apierrors.APIStatus
	switch {
	case reason == "":
		return "the API server cannot be reached"
	case apierrors.IsInvalid(err):
		fields := []string{}
		if errors.As(err, &status) && status.Status().Details != nil {
			for _, cause := range status.Status().Details.Causes {
				fields = append(fields, cause.Field)
			}
		}
		return fmt.Sprintf("the API server finds it invalid: %q", fields)
	default:
		return fmt.Sprintf("the API server answers %s", reason)
	}
}

// Forbidden says that the controller may not watch a kind, and what to grant.
func Forbidden(kind schema.GroupResource) string {
	return fmt.Sprintf("the controller may not watch %s; grant it "+
		`{apiGroups: [%q], resources: [%q], verbs: ["get", "list", "watch"]}`, kind, kind.Group, kind.Resource)
}
