package kube

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/openapi"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

// Schemas knows the shapes of the objects that an API server serves: it is the policy.Schemas of a live cluster. The
// documents have a hash each, so that one is read again only when it changed.
type Schemas struct {
	client    openapi.ClientWithContext
	resources *Resources
	now       func() time.Time

	mu    sync.Mutex
	index map[string]openapi.GroupVersionWithContext
	// fetched is when the index was fetched, and changed when something said that it may be old.
	fetched, changed time.Time
	shapes           map[schema.GroupVersionResource]shape
}

// shape is the schema of a resource in the document with that hash; nil when the document does not have it.
type shape struct {
	document string
	schema   *expr.Schema
}

// settling is how long an API server may take to write its documents after a CRD has changed. Until then the index is
// fetched whenever somebody asks, at most once a second.
const settling = 5 * time.Second

// NewSchemas asks through client when it first has to. resources knows the kinds of the resources, and
// now is the clock.
func NewSchemas(client openapi.ClientWithContext, resources *Resources, now func() time.Time) *Schemas {
	return &Schemas{client: client, resources: resources, now: now, shapes: map[schema.GroupVersionResource]shape{}}
}

// Invalidate says that what is served may have changed.
func (s *Schemas) Invalidate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed = s.now()
}

// Settles is when to ask again, because a schema that was asked for may still change; 0 is not at all.
func (s *Schemas) Settles() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.settled() {
		return 0
	}
	return max(s.changed.Add(settling).Sub(s.now()), minRefresh)
}

// settled reports whether the index was fetched when all of its documents were written.
func (s *Schemas) settled() bool {
	return !s.fetched.IsZero() && !s.fetched.Before(s.changed.Add(settling))
}

// Schema implements policy.Schemas.
func (s *Schemas) Schema(ctx context.Context, resource schema.GroupVersionResource) (*expr.Schema, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refresh(ctx); err != nil {
		return nil, errors.New("the API server does not tell its schemas: " + Explain(err))
	}
	document, ok := s.index[documentPath(resource.GroupVersion())]
	if !ok {
		return nil, errNotDescribed
	}
	known, ok := s.shapes[resource]
	if !ok || known.document != document.ServerRelativeURL() {
		var err error
		if known, err = s.read(ctx, resource, document); err != nil {
			return nil, errors.New("the API server does not tell its schemas: " + Explain(err))
		}
		s.shapes[resource] = known
	}
	if known.schema == nil {
		return nil, errNotDescribed
	}
	return known.schema, nil
}

var errNotDescribed = errors.New("the API server does not describe them")

func (s *Schemas) refresh(ctx context.Context) error {
	now := s.now()
	if s.settled() || now.Sub(s.fetched) < minRefresh {
		return nil
	}
	index, err := s.client.PathsWithContext(ctx)
	if err != nil {
		return err
	}
	s.index, s.fetched = index, now
	return nil
}

// read fetches a document and keeps of it what was asked for: documents are large.
func (s *Schemas) read(
	ctx context.Context, resource schema.GroupVersionResource, document openapi.GroupVersionWithContext,
) (shape, error) {
	known := shape{document: document.ServerRelativeURL()}
	kind, ok := s.resources.Kind(resource)
	if !ok {
		return known, nil
	}
	raw, err := document.SchemaWithContext(ctx, runtime.ContentTypeJSON)
	if err != nil {
		return known, err
	}
	parsed, err := expr.ParseOpenAPI(raw)
	if err != nil {
		return known, err
	}
	known.schema, _ = parsed.Schema(kind)
	return known, nil
}

// documentPath is the name that the index has for a group and version.
func documentPath(gv schema.GroupVersion) string {
	if gv.Group == "" {
		return "api/" + gv.Version
	}
	return "apis/" + gv.String()
}
