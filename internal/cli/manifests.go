package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/lifecycle"
)

// manifests are the objects that the command line names.
type manifests struct {
	objects []*unstructured.Unstructured
	// plurals are the resources of the kinds that a CustomResourceDefinition among the objects defines.
	plurals map[schema.GroupKind]string
}

// manifestExtensions are those of the files that are read in a folder.
var manifestExtensions = []string{".yaml", ".yml", ".json"}

// readInputs calls add with the text of files, of the manifests in folders and, for "-", of stdin, in order.
func readInputs(paths []string, stdin io.Reader, add func(name string, data []byte) error) error {
	read := func(name, path string) error {
		data, err := readInput(path, stdin)
		if err != nil {
			return err
		}
		return add(name, data)
	}
	for _, path := range paths {
		if err := readPath(path, read); err != nil {
			return err
		}
	}
	return nil
}

func readPath(path string, read func(name, path string) error) error {
	if path == "-" {
		return read("stdin", path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return read(path, path)
	}
	return walk(path, func(file string) error { return read(file, file) })
}

// walk calls read with the manifests of a folder. What a volume of Kubernetes has in folders called ..something is there
// once more by its own name.
func walk(folder string, read func(file string) error) error {
	folder += string(filepath.Separator) // the folder behind a symbolic link
	return filepath.WalkDir(folder, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && file != folder && strings.HasPrefix(entry.Name(), ".."):
			return fs.SkipDir
		case entry.IsDir() || !slices.Contains(manifestExtensions, filepath.Ext(file)):
			return nil
		default:
			return read(file)
		}
	})
}

// readManifests reads files, folders and, for "-", stdin.
func readManifests(paths []string, stdin io.Reader) (*manifests, error) {
	m := &manifests{plurals: map[schema.GroupKind]string{}}
	if err := readInputs(paths, stdin, m.readFrom); err != nil {
		return nil, err
	}
	for _, o := range m.objects {
		m.learnKind(o)
	}
	return m, nil
}

func (m *manifests) readFrom(name string, data []byte) error {
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096)
	for {
		o := &unstructured.Unstructured{}
		switch err := decoder.Decode(&o.Object); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("cannot read %s: %w", name, err)
		case len(o.Object) == 0:
			continue
		}
		if o.GetKind() == "" {
			return fmt.Errorf("cannot read %s: a document has no kind", name)
		}
		if err := m.add(o); err != nil {
			return fmt.Errorf("cannot read %s: %w", name, err)
		}
	}
}

func (m *manifests) add(o *unstructured.Unstructured) error {
	if o.IsList() {
		list, err := o.ToList()
		if err != nil {
			return err
		}
		for i := range list.Items {
			if err := m.add(&list.Items[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if o.GroupVersionKind().GroupKind() == (schema.GroupKind{Kind: "Secret"}) {
		encodeStringData(o)
	}
	unstructured.RemoveNestedField(o.Object, "metadata", "managedFields")
	m.objects = append(m.objects, o)
	return nil
}

func (m *manifests) learnKind(o *unstructured.Unstructured) {
	if o.GetKind() != "CustomResourceDefinition" {
		return
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &crd); err == nil {
		m.plurals[schema.GroupKind{Group: crd.Spec.Group, Kind: crd.Spec.Names.Kind}] = crd.Spec.Names.Plural
	}
}

// resource returns where an object is served. An apiVersion that is a group without a version, such as
// cluster.mcp.io, names the group.
func (m *manifests) resource(o *unstructured.Unstructured) schema.GroupVersionResource {
	gvk := o.GroupVersionKind()
	if gvk.Group == "" && strings.Contains(gvk.Version, ".") {
		gvk.Group, gvk.Version = gvk.Version, ""
	}
	if plural, ok := m.plurals[gvk.GroupKind()]; ok {
		return gvk.GroupVersion().WithResource(plural)
	}
	plural, _ := meta.UnsafeGuessKindToResource(gvk)
	return plural
}

// sources returns the objects of a policy's source kind, by namespace and name.
func (m *manifests) sources(s v1alpha1.SourceType) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, o := range m.objects {
		gvr := m.resource(o)
		if gvr.Group != s.Group || gvr.Resource != s.Resource {
			continue
		}
		if len(s.Versions) == 0 || gvr.Version == "" || slices.Contains(s.Versions, gvr.Version) {
			out = append(out, o)
		}
	}
	slices.SortStableFunc(out, func(a, b *unstructured.Unstructured) int {
		if c := strings.Compare(a.GetNamespace(), b.GetNamespace()); c != 0 {
			return c
		}
		return strings.Compare(a.GetName(), b.GetName())
	})
	return out
}

// read finds a referenced object. One without a namespace counts as one of namespace default, as kubectl
// would make it.
func (m *manifests) read(r v1alpha1.DependentResource) lifecycle.Lookup {
	for _, o := range m.objects {
		gvr := m.resource(o)
		if gvr.Group != r.Group || gvr.Resource != r.Resource || o.GetName() != r.Name {
			continue
		}
		if o.GetNamespace() == r.Namespace || o.GetNamespace() == "" && r.Namespace == "default" {
			return lifecycle.Found(o.Object)
		}
	}
	return lifecycle.NotFound()
}
