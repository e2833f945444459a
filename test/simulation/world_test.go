package simulation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	clusterv1alpha2 "github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/controller"
	"github.com/clusterimport/clusterimport/internal/kube"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// world is a server, what happens around it, and at most one controller.
type world struct {
	clock      *clock
	server     *server
	connection *connection
	// process is the controller that runs, or nil.
	process *process
	// plant is the bug that was planted in the controller, if any.
	plant plant
	// history are the specs that each policy had, by UID, newest last.
	history map[string][]v1alpha1.ClusterImportPolicySpec
	// purged are the UIDs of sources that went with their kind.
	purged map[string]bool
	// removed is how many imported clusters went in each window.
	removed map[window]int32
	// violation is the first broken invariant.
	violation error
	// kind is the sort of the violation: the same for all that differ in names only.
	kind string
	ctx  context.Context // one for all calls of reconcilers, without a logger
}

// process is one life of the controller: all that it loses when it dies.
type process struct {
	reconcilers *controller.Reconcilers
	// caches are what the controller knows of its own kinds.
	caches controller.Caches
	// own are the informers of the controller's own kinds, watches those of the kinds that policies name.
	own        []*watch
	watches    *watchSet
	policies   *queue[string]
	sources    *queue[controller.SourceKey]
	lifecycles *queue[string]
}

func newWorld(p plant) *world {
	c := &clock{}
	s := newServer(c)
	w := &world{
		clock: c, server: s, plant: p, history: map[string][]v1alpha1.ClusterImportPolicySpec{}, removed: map[window]int32{}, purged: map[string]bool{},
		ctx: klog.NewContext(context.Background(), klog.Logger{}),
	}
	w.connection = &connection{server: s, checked: w.checkWrite}
	w.define()
	return w
}

// outcome is how a script ended: at which step an invariant broke, which sort of violation it was, and how it was; nil
// if all held.
type outcome struct {
	at   int
	sort string
	err  error
}

// run plays a script to its end or to the first violation.
func run(s script, p plant) outcome {
	w := newWorld(p)
	for i, step := range s {
		w.take(step)
		if w.violation != nil {
			return outcome{i, w.kind, fmt.Errorf("step %d, %s: %w", i+1, step, w.violation)}
		}
	}
	return outcome{at: len(s)}
}

func (w *world) take(s step) {
	for _, v := range verbs {
		if v.name == s.verb {
			v.apply(w, s.a, s.b)
			return
		}
	}
}

// brokenf records that an invariant does not hold.
func (w *world) brokenf(format string, args ...any) {
	if w.violation == nil {
		w.violation, w.kind = fmt.Errorf(format, args...), format
	}
}

// start begins a new life of the controller. Its loops run once its own kinds are listed.
func (w *world) start() {
	if w.process != nil || w.server.down {
		return
	}
	p := &process{
		policies: newQueue(w.clock, cmp.Compare[string]), lifecycles: newQueue(w.clock, cmp.Compare[string]),
		sources: newQueue(w.clock, compareSources),
	}
	p.watches = &watchSet{
		server: w.server, watches: map[schema.GroupVersionResource]*watch{}, owners: map[string]map[schema.GroupVersionResource]*expr.Reads{},
		changed: func(change kube.Change) { p.reconcilers.ObjectChanged(change) },
		state:   func(kind schema.GroupVersionResource) { p.reconcilers.WatchChanged(kind) },
	}
	caches := controller.Caches{
		Policies: newIndexer(nil), Lifecycles: newIndexer(controller.LifecycleIndexers()),
		Clusters: newIndexer(nil), Definitions: newIndexer(nil),
	}
	p.caches = caches
	dependencies := controller.Dependencies{
		Caches:     caches,
		Queues:     controller.Queues{Policies: p.policies, Sources: p.sources, Lifecycles: p.lifecycles},
		Watches:    p.watches,
		Kinds:      kube.NewResources(served{server: w.server}, w.clock.monotonic),
		Schemas:    openSchemas{},
		Policies:   client[*v1alpha1.ClusterImportPolicy]{w.connection, w.server.kind(policyKind)},
		Lifecycles: client[*v1alpha1.PediaClusterLifecycle]{w.connection, w.server.kind(lifecycleKind)},
		Clusters:   client[*clusterv1alpha2.PediaCluster]{w.connection, w.server.kind(clusterKind)},
		Recorder:   silent{},
		Definition: func(ctx context.Context, name string) (*metav1.PartialObjectMetadata, error) {
			return client[*metav1.PartialObjectMetadata]{w.connection, w.server.kind(definitionKind)}.Get(ctx, name, metav1.GetOptions{})
		},
		Compile: compile,
		Now:     w.clock.wall,
	}
	if w.plant.into != nil {
		w.plant.into(&dependencies)
	}
	p.reconcilers = controller.NewReconcilers(dependencies)
	r := p.reconcilers
	p.own = []*watch{
		follow(w, policyKind, caches.Policies, func(p *v1alpha1.ClusterImportPolicy, _ bool) { r.PolicyChanged(p) }),
		follow(w, lifecycleKind, caches.Lifecycles, r.LifecycleChanged),
		follow(w, clusterKind, caches.Clusters, func(c *clusterv1alpha2.PediaCluster, _ bool) { r.ClusterChanged(c) }),
		follow(w, definitionKind, caches.Definitions, func(d *metav1.PartialObjectMetadata, _ bool) { r.DefinitionChanged(d) }),
	}
	for _, own := range p.own {
		own.list()
		for len(own.pending) > 0 {
			own.tell()
		}
	}
	w.process = p
}

func newIndexer(indexers cache.Indexers) cache.Indexer {
	return cache.NewIndexer(cache.MetaNamespaceKeyFunc, indexers)
}

// follow is an informer of one of the controller's own kinds.
func follow[T object](w *world, resource schema.GroupResource, into cache.Indexer, changed func(o T, deleted bool)) *watch {
	return &watch{
		server: w.server, kind: w.server.kind(resource), known: map[string]object{},
		handle: func(before, after object) {
			deleted := after == nil
			if deleted {
				after = before
			}
			if o, ok := after.(T); ok {
				changed(o, deleted)
			}
		},
		listedAt: into.Bookmark,
		stored: func(c change) {
			var err error
			if c.deleted {
				err = into.Delete(c.object)
			} else {
				err = into.Add(c.object)
			}
			if err != nil {
				w.brokenf("the harness cannot store %s: %w", c.key, err)
			}
		},
	}
}

// all are all informers of the controller, in a fixed order.
func (p *process) all() []*watch {
	out := slices.Clone(p.own)
	kinds := slices.SortedFunc(maps.Keys(p.watches.watches), func(a, b schema.GroupVersionResource) int {
		return cmp.Compare(a.String(), b.String())
	})
	for _, kind := range kinds {
		out = append(out, p.watches.watches[kind])
	}
	return out
}

// ready is how many keys wait to be handled now.
func (p *process) ready() int { return p.policies.Len() + p.sources.Len() + p.lifecycles.Len() }

// pass handles one of the ready keys.
func (w *world) pass(nth int, m mishap) {
	p := w.process
	w.connection.mishap, w.connection.writes = m, 0
	defer func() {
		w.connection.mishap = mishap{}
		if died := recover(); died != nil {
			if died != any(death{}) {
				panic(died)
			}
			w.process = nil
		}
	}()
	nth %= p.ready()
	if nth < p.policies.Len() {
		p.policies.next = nth
		p.reconcilers.PolicyLoop.Next(w.ctx)
		return
	}
	nth -= p.policies.Len()
	if nth < p.sources.Len() {
		p.sources.next = nth
		p.reconcilers.SourceLoop.Next(w.ctx)
		return
	}
	p.lifecycles.next = nth - p.sources.Len()
	p.reconcilers.LifecycleLoop.Next(w.ctx)
}

// tick moves the clock.
func (w *world) tick(by time.Duration) {
	w.clock.since += by
	if p := w.process; p != nil {
		p.policies.tick()
		p.sources.tick()
		p.lifecycles.tick()
	}
}

// due is when the next timer of the controller is.
func (p *process) due() (at time.Duration, ok bool) {
	for _, due := range []func() (time.Duration, bool){p.policies.due, p.sources.due, p.lifecycles.due} {
		if t, found := due(); found && (!ok || t < at) {
			at, ok = t, true
		}
	}
	return at, ok
}

// define defines the kind of the sources.
func (w *world) define() {
	k := w.server.kind(definitionKind)
	_ = w.server.create(k, &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: sourceKind.String()}})
	w.server.kind(sourceKind).served = true
}

// openSchemas know that every kind has any fields.
type openSchemas struct{}

var anything = &expr.Schema{Kind: expr.Object, Fields: map[string]*expr.Schema{}}

// Schema implements policy.Schemas.
func (openSchemas) Schema(context.Context, schema.GroupVersionResource) (*expr.Schema, error) {
	if !anything.Known() {
		return nil, errors.New("the harness must know the schema")
	}
	return anything, nil
}

// Invalidate implements controller.Schemas.
func (openSchemas) Invalidate() {}

// Settles implements controller.Schemas.
func (openSchemas) Settles() time.Duration { return 0 }

// silent drops events.
type silent struct{}

// Eventf implements events.EventRecorder.
func (silent) Eventf(runtime.Object, runtime.Object, string, string, string, string, ...any) {}
