package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/sourcemap"
	"github.com/clusterimport/clusterimport/pkg/diag"
)

// source is an object of a file, and where it stands there.
type source struct {
	file     string
	document *sourcemap.Document
	// within is the path of the object in the document, for an item of a list.
	within string
	object map[string]any
}

// sources are the objects of files.
type sources []*source

// readSources reads files, folders and, for "-", stdin, in order.
func readSources(paths []string, stdin io.Reader) (sources, error) {
	var all sources
	err := readInputs(paths, stdin, all.add)
	return all, err
}

// add adds the objects of a file's text.
func (all *sources) add(file string, data []byte) error {
	for _, document := range sourcemap.Split(data) {
		if err := document.Parse(); err != nil {
			return fmt.Errorf("cannot read %s: %w", file, err)
		}
		text, err := yaml.YAMLToJSONStrict(document.Padded())
		if err != nil {
			return fmt.Errorf("cannot read %s: %w", file, err)
		}
		var object map[string]any
		if err := json.Unmarshal(text, &object); err == nil { // else it is a list or a text, and no manifest
			all.collect(&source{file: file, document: document, object: object})
		}
	}
	return nil
}

// collect adds an object, or those of a list.
func (all *sources) collect(s *source) {
	items, ok := s.object["items"].([]any)
	if !ok || !(&unstructured.Unstructured{Object: s.object}).IsList() {
		*all = append(*all, s)
		return
	}
	for i, item := range items {
		if object, ok := item.(map[string]any); ok {
			all.collect(&source{file: s.file, document: s.document, within: s.within + "items[" + strconv.Itoa(i) + "].", object: object})
		}
	}
}

// define adds the CustomResourceDefinitions among the objects to others, which outweigh them.
func (all sources) define(defined definitions) error {
	m := &manifests{}
	for _, s := range all {
		m.objects = append(m.objects, &unstructured.Unstructured{Object: s.object})
	}
	own, err := m.definitions()
	if err != nil {
		return err
	}
	for resource, crd := range own {
		if defined[resource] == nil {
			defined[resource] = crd
		}
	}
	return nil
}

// isPolicy is true for a ClusterImportPolicy of any version; the rules say which there is.
func (s *source) isPolicy() bool {
	return (&unstructured.Unstructured{Object: s.object}).GroupVersionKind().GroupKind() == v1alpha1.ClusterImportPolicyKind.GroupKind()
}

// policy is the object as a policy. The error is that a value is of a wrong type.
func (s *source) policy() (*v1alpha1.ClusterImportPolicy, error) {
	text, err := json.Marshal(s.object)
	if err != nil {
		return nil, err
	}
	p := &v1alpha1.ClusterImportPolicy{}
	return p, json.Unmarshal(text, p)
}

// findings are diagnostics with their places in the file, in the order of these.
func (s *source) findings(list diag.List) []finding {
	out := make([]finding, len(list))
	for i, d := range list {
		line, column := s.document.Position(s.within+d.Field, d.Line, d.Column)
		out[i] = finding{
			File: s.file, Policy: (&unstructured.Unstructured{Object: s.object}).GetName(), Line: line, Column: column, Diagnostic: d,
		}
	}
	slices.SortStableFunc(out, func(a, b finding) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return out
}
