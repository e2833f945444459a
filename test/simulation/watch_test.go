package simulation

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterimport/clusterimport/internal/controller"
	"github.com/clusterimport/clusterimport/internal/kube"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// watch is one informer: a cache that follows a kind at its own pace, and handlers that hear of its changes at theirs.
type watch struct {
	server *server
	kind   *kind
	// next is the change that the cache has to learn next.
	next int
	// listed is whether the cache has had its first list, handled whether the handlers have heard of all of it.
	listed  bool
	handled int // notifications of the first list that are still to be handled, while listed
	// broken is a stream that has ended: the next thing is a list.
	broken bool
	err    error

	known   map[string]object
	pending []notification
	// keeps is what readers and handlers see of an object of a kind that policies name.
	keeps kube.Projection

	// listedAt hears of the version of a list, stored keeps a copy of the cache that somebody reads, handle hears of changes, answered of the server's
	// answers when they are of another kind than before, and synced of the end of the first list.
	listedAt func(version string)
	stored   func(change)
	handle   func(before, after object)
	answered func()
	synced   func()
}

// notification is a change as handlers hear of it: before is nil for what was not known, after for what is gone.
type notification struct {
	before, after object
	first         bool // of the first list
}

// refusal is how the server answers a list or watch, nil for well.
func (w *watch) refusal() error {
	switch {
	case w.server.down:
		return errors.New("connection refused")
	case !w.kind.served:
		return apierrors.NewNotFound(w.kind.resource, "")
	case w.kind.forbidden:
		return apierrors.NewForbidden(w.kind.resource, "", errors.New("not granted"))
	default:
		return nil
	}
}

func (w *watch) answer(err error) {
	changed := (err == nil) != (w.err == nil)
	w.err = err
	if changed && w.answered != nil {
		w.answered()
	}
}

// step lets the cache learn one thing: a list, or the next change.
func (w *watch) step() {
	if w.broken || !w.listed || w.next < w.kind.first {
		w.list()
		return
	}
	if w.next < w.kind.end() {
		c := w.kind.log[w.next-w.kind.first]
		w.next++
		w.learn(c, false)
		return
	}
	w.broken = !w.kind.served
}

// idle reports that there is nothing to learn.
func (w *watch) idle() bool {
	return w.listed && !w.broken && w.next >= w.kind.end() && w.kind.served
}

// list brings the cache to what the server has now. What is gone is known by its last cached state only.
func (w *watch) list() {
	err := w.refusal()
	w.answer(err)
	if err != nil {
		w.broken = true
		return
	}
	first := !w.listed
	for _, key := range slices.Sorted(maps.Keys(w.known)) {
		if _, exists := w.kind.objects[key]; !exists {
			w.learn(change{key, w.known[key], true}, false)
		}
	}
	for _, key := range w.kind.keys() {
		o := w.kind.objects[key]
		if before := w.known[key]; before == nil || before.GetResourceVersion() != o.GetResourceVersion() {
			w.learn(change{key, o, false}, first)
		}
	}
	w.broken, w.listed, w.next = false, true, w.kind.end()
	if w.listedAt != nil {
		w.listedAt(strconv.Itoa(w.server.version))
	}
	if first && w.handled == 0 && w.synced != nil {
		w.synced()
	}
}

func (w *watch) learn(c change, first bool) {
	n := notification{before: w.known[c.key], first: first}
	if c.deleted {
		delete(w.known, c.key)
	} else {
		w.known[c.key] = c.object
		n.after = c.object
	}
	if w.stored != nil {
		w.stored(c)
	}
	w.pending = append(w.pending, n)
	if first {
		w.handled++
	}
}

// tell lets the handlers hear of one change.
func (w *watch) tell() {
	if len(w.pending) == 0 {
		return
	}
	n := w.pending[0]
	w.pending = w.pending[1:]
	w.handle(n.before, n.after)
	if n.first {
		if w.handled--; w.handled == 0 && w.listed && w.synced != nil {
			w.synced()
		}
	}
}

// watchSet is a kube.WatchSet over the simulated server.
type watchSet struct {
	server  *server
	changed func(kube.Change)
	state   func(schema.GroupVersionResource)
	watches map[schema.GroupVersionResource]*watch
	owners  map[string]map[schema.GroupVersionResource]*expr.Reads
}

var _ controller.Watches = (*watchSet)(nil)

// Set implements controller.Watches.
func (s *watchSet) Set(owner string, kinds map[schema.GroupVersionResource]*expr.Reads) {
	s.owners[owner] = kinds
	for gvr, reads := range kinds {
		switch w := s.watches[gvr]; {
		case w == nil:
			s.watches[gvr] = s.start(gvr, kube.ProjectionOf(reads))
		case !w.keeps.Covers(reads):
			s.watches[gvr] = s.start(gvr, w.keeps.And(reads))
		}
	}
	for gvr := range s.watches {
		needed := false
		for _, kinds := range s.owners {
			_, found := kinds[gvr]
			needed = needed || found
		}
		if !needed {
			delete(s.watches, gvr)
		}
	}
}

func (s *watchSet) start(gvr schema.GroupVersionResource, keeps kube.Projection) *watch {
	return &watch{
		server: s.server, keeps: keeps, kind: s.server.kind(gvr.GroupResource()), known: map[string]object{},
		handle: func(before, after object) {
			change := kube.Change{Kind: gvr}
			for o, contents := range map[object]*map[string]any{before: &change.Before, after: &change.After} {
				if u, ok := o.(*unstructured.Unstructured); ok {
					change.Name = types.NamespacedName{Namespace: u.GetNamespace(), Name: u.GetName()}
					*contents = keeps.Of(u.Object)
				}
			}
			s.changed(change)
		},
		answered: func() { s.state(gvr) },
		synced:   func() { s.state(gvr) },
	}
}

// Get implements controller.Watches.
func (s *watchSet) Get(gvr schema.GroupVersionResource, name types.NamespacedName) (contents map[string]any, unknown string) {
	w := s.watches[gvr]
	if w == nil {
		return nil, "its kind is not watched yet"
	}
	found, _ := w.known[keyOf(&metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name})].(*unstructured.Unstructured)
	switch {
	case found != nil:
		return w.keeps.Of(found.Object), ""
	case !w.listed:
		return nil, "its kind is not listed yet"
	default:
		return nil, ""
	}
}

// Status implements controller.Watches.
func (s *watchSet) Status(gvr schema.GroupVersionResource) (synced bool, err error) {
	w := s.watches[gvr]
	if w == nil {
		return false, nil
	}
	return w.listed && w.handled == 0, w.err
}

// Fetch implements controller.Watches.
func (s *watchSet) Fetch(_ context.Context, gvr schema.GroupVersionResource, name types.NamespacedName) (map[string]any, error) {
	k := s.server.kind(gvr.GroupResource())
	key := keyOf(&metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name})
	stored, _ := k.objects[key].(*unstructured.Unstructured)
	switch {
	case s.server.down:
		return nil, errors.New("connection refused")
	case k.forbidden:
		return nil, apierrors.NewForbidden(k.resource, key, errors.New("not granted"))
	case !k.served:
		return nil, errors.New("the kind is not served")
	case stored == nil:
		return nil, nil //nolint:nilnil // there is none, and that is the answer
	default:
		return stored.Object, nil
	}
}

// Names implements controller.Watches.
func (s *watchSet) Names(gvr schema.GroupVersionResource) []types.NamespacedName {
	w := s.watches[gvr]
	if w == nil {
		return nil
	}
	var names []types.NamespacedName
	for _, o := range w.known {
		names = append(names, types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()})
	}
	return names
}
