package kube

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/openapi"
)

// documents is an API server's OpenAPI: documents by their path, each with a hash.
type documents struct {
	byPath map[string]document
	err    error
	// indexes and reads count what was asked.
	indexes, reads int
}

type document struct {
	server     *documents
	hash, text string
}

func (d *documents) PathsWithContext(context.Context) (map[string]openapi.GroupVersionWithContext, error) {
	d.indexes++
	index := map[string]openapi.GroupVersionWithContext{}
	for path, doc := range d.byPath {
		index[path] = doc
	}
	return index, d.err
}

func (d document) ServerRelativeURL() string { return "/openapi/v3?hash=" + d.hash }

func (d document) SchemaWithContext(context.Context, string) ([]byte, error) {
	d.server.reads++
	return []byte(d.text), nil
}

func (d *documents) serve(path, hash, text string) { d.byPath[path] = document{d, hash, text} }

// discovered answers what kinds there are.
type discovered struct {
	discovery.DiscoveryInterfaceWithContext
}

func (discovered) ServerGroupsAndResourcesWithContext(context.Context) ([]*metav1.APIGroup, []*metav1.APIResourceList, error) {
	return nil, []*metav1.APIResourceList{{
		GroupVersion: "x.io/v1", APIResources: []metav1.APIResource{{Name: "clusters", Kind: "Cluster"}, {Name: "others", Kind: "Other"}},
	}}, nil
}

// clusterDocument describes a kind whose spec has one field of that name.
func clusterDocument(field string) string {
	return strings.ReplaceAll(`{"components": {"schemas": {
		"io.x.Cluster": {"type": "object", "x-kubernetes-group-version-kind": [{"group": "x.io", "version": "v1", "kind": "Cluster"}],
			"properties": {"spec": {"allOf": [{"$ref": "#/components/schemas/io.x.Spec"}]}}},
		"io.x.Spec": {"type": "object", "properties": {"FIELD": {"type": "string"}, "self": {"$ref": "#/components/schemas/io.x.Spec"}}}
	}}}`, "FIELD", field)
}

func TestSchemas(t *testing.T) {
	server := &documents{byPath: map[string]document{}}
	server.serve("apis/x.io/v1", "1", clusterDocument("first"))
	resources := NewResources(discovered{}, time.Now)
	_, _ = resources.Negotiate(t.Context(), "x.io", "clusters", []string{"v1"}, nil)
	clock := time.Now()
	schemas := NewSchemas(server, resources, func() time.Time { return clock })
	clusters := schema.GroupVersionResource{Group: "x.io", Version: "v1", Resource: "clusters"}
	spec := func() string {
		t.Helper()
		s, err := schemas.Schema(t.Context(), clusters)
		if err != nil {
			t.Fatal(err)
		}
		for name := range s.Fields["spec"].Fields {
			if name != "self" {
				return name
			}
		}
		return ""
	}
	expect := func(what, field string, indexes, reads int) {
		t.Helper()
		if got := spec(); got != field || server.indexes != indexes || server.reads != reads {
			t.Errorf("%s: field %q after %d indexes and %d documents, want %q after %d and %d",
				what, got, server.indexes, server.reads, field, indexes, reads)
		}
	}
	expect("the first question reads a document", "first", 1, 1)
	expect("the second asks nobody", "first", 1, 1)
	clock = clock.Add(time.Hour)
	expect("time alone changes nothing", "first", 1, 1)

	schemas.Invalidate()
	clock = clock.Add(2 * time.Second)
	expect("after a change the index is asked, and an old document is not read again", "first", 2, 1)
	server.serve("apis/x.io/v1", "2", clusterDocument("second"))
	expect("not more often than once a second", "first", 2, 1)
	clock = clock.Add(2 * time.Second)
	expect("a document that is late is found", "second", 3, 2)
	if wait := schemas.Settles(); wait != time.Second {
		t.Errorf("the documents settle in %v", wait)
	}
	clock = clock.Add(schemas.Settles())
	expect("when all is settled it is asked once more", "second", 4, 2)
	clock = clock.Add(time.Hour)
	expect("and then never again", "second", 4, 2)
	if wait := schemas.Settles(); wait != 0 {
		t.Errorf("what is settled is to be asked for again in %v", wait)
	}

	if _, err := schemas.Schema(t.Context(), clusters.GroupVersion().WithResource("others")); !errors.Is(err, errNotDescribed) {
		t.Errorf("a kind that the document does not have: %v", err)
	}
	if _, err := schemas.Schema(t.Context(), schema.GroupVersionResource{Version: "v1", Resource: "secrets"}); !errors.Is(err, errNotDescribed) {
		t.Errorf("a group that has no document: %v", err)
	}
	schemas.Invalidate()
	server.err = errors.New("dial tcp c4n4ry")
	if _, err := schemas.Schema(t.Context(), clusters); err == nil || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("got %v", err)
	}
}
