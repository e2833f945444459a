package crd_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"github.com/clusterimport/clusterimport/api/crd"
)

// TestNames holds the list of definitions against the generated files.
func TestNames(t *testing.T) {
	files, err := filepath.Glob("*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, parse(t, data).Name)
	}
	want := slices.Sorted(slices.Values(crd.Names))
	slices.Sort(got)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("Names and the files differ (-Names +files):\n%s", diff)
	}
	if _, err := crd.YAML("nothing.cluster.clusterpedia.io"); err == nil {
		t.Error("YAML gives a definition that does not exist")
	}
}

// TestDefinitions holds every definition against what an API server demands of a schema.
func TestDefinitions(t *testing.T) {
	for _, name := range crd.Names {
		t.Run(name, func(t *testing.T) {
			definition := load(t, name)
			if definition.Name != name {
				t.Errorf("YAML(%q) is %q", name, definition.Name)
			}
			if len(definition.Spec.Versions) != 1 {
				t.Fatalf("there are %d versions; the code reads one", len(definition.Spec.Versions))
			}
			version := definition.Spec.Versions[0]
			if !version.Served || !version.Storage {
				t.Errorf("%s is not served and stored", version.Name)
			}
			for _, err := range structuralErrors(t, version.Schema.OpenAPIV3Schema) {
				t.Error(err)
			}
		})
	}
}

func structuralErrors(t *testing.T, schema *apiextensionsv1.JSONSchemaProps) field.ErrorList {
	t.Helper()
	var internal apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(schema, &internal, nil); err != nil {
		t.Fatal(err)
	}
	s, err := structural.NewStructural(&internal)
	if err != nil {
		t.Fatal(err)
	}
	return structural.ValidateStructural(field.NewPath("openAPIV3Schema"), s)
}

// TestSupersetOfClusterpedia holds our definitions against Clusterpedia's: what is valid there is valid here,
// and reads the same. The files of Clusterpedia are not part of the repository.
func TestSupersetOfClusterpedia(t *testing.T) {
	folder := filepath.Join(cmp.Or(os.Getenv("CLUSTERIMPORT_SHARED"), "../../../shared"), "upstream-policies", "crds")
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skipf("no definitions of Clusterpedia in %s: set CLUSTERIMPORT_SHARED", folder)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		theirs := parse(t, data)
		t.Run(theirs.Name, func(t *testing.T) {
			for _, difference := range definitionDifferences(theirs, load(t, theirs.Name)) {
				t.Error(difference)
			}
		})
	}
}

func definitionDifferences(theirs, ours *apiextensionsv1.CustomResourceDefinition) []string {
	var found []string
	equal := func(what string, want, got any) {
		if diff := gocmp.Diff(want, got); diff != "" {
			found = append(found, fmt.Sprintf("%s (-theirs +ours):\n%s", what, diff))
		}
	}
	equal("group", theirs.Spec.Group, ours.Spec.Group)
	equal("names", theirs.Spec.Names, ours.Spec.Names)
	equal("scope", theirs.Spec.Scope, ours.Spec.Scope)
	for _, want := range theirs.Spec.Versions {
		i := slices.IndexFunc(ours.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool { return v.Name == want.Name })
		if i < 0 {
			found = append(found, "there is no version "+want.Name)
			continue
		}
		got := ours.Spec.Versions[i]
		equal("subresources", want.Subresources, got.Subresources)
		columns := got.AdditionalPrinterColumns
		equal("the first printer columns", want.AdditionalPrinterColumns, columns[:min(len(columns), len(want.AdditionalPrinterColumns))])
		found = append(found, differences("", want.Schema.OpenAPIV3Schema, got.Schema.OpenAPIV3Schema)...)
	}
	return found
}

// differences are those between two schemas that a client could notice. Ours may add optional fields, limits of
// size, list types and rules; descriptions and defaults of presentation are free.
func differences(path string, theirs, ours *apiextensionsv1.JSONSchemaProps) []string {
	var found []string
	equal := func(what string, want, got any) {
		if !reflect.DeepEqual(want, got) {
			found = append(found, fmt.Sprintf("%s: %s is %v, theirs is %v", cmp.Or(path, "."), what, got, want))
		}
	}
	equal("type", theirs.Type, ours.Type)
	equal("format", theirs.Format, ours.Format)
	equal("nullable", theirs.Nullable, ours.Nullable)
	equal("pattern", theirs.Pattern, ours.Pattern)
	equal("enum", enum(theirs), enum(ours))
	equal("default", theirs.Default, ours.Default)
	equal("required", slices.Sorted(slices.Values(theirs.Required)), slices.Sorted(slices.Values(ours.Required)))
	equal("x-kubernetes-preserve-unknown-fields", theirs.XPreserveUnknownFields, ours.XPreserveUnknownFields)
	equal("x-kubernetes-int-or-string", theirs.XIntOrString, ours.XIntOrString)
	if theirs.XListType != nil {
		equal("x-kubernetes-list-type", *theirs.XListType, *cmp.Or(ours.XListType, new(string)))
		equal("x-kubernetes-list-map-keys", theirs.XListMapKeys, ours.XListMapKeys)
	}
	for _, name := range slices.Sorted(maps.Keys(theirs.Properties)) {
		want := theirs.Properties[name]
		got, ok := ours.Properties[name]
		if !ok {
			found = append(found, fmt.Sprintf("%s.%s: the field is missing", path, name))
			continue
		}
		found = append(found, differences(path+"."+name, &want, &got)...)
	}
	found = append(found, elementDifferences(path+"[]", items(theirs), items(ours))...)
	return append(found, elementDifferences(path+"{}", values(theirs), values(ours))...)
}

func elementDifferences(path string, theirs, ours *apiextensionsv1.JSONSchemaProps) []string {
	switch {
	case theirs == nil && ours == nil:
		return nil
	case theirs == nil || ours == nil:
		return []string{path + ": only one of the two has elements"}
	default:
		return differences(path, theirs, ours)
	}
}

func items(s *apiextensionsv1.JSONSchemaProps) *apiextensionsv1.JSONSchemaProps {
	if s.Items == nil {
		return nil
	}
	return s.Items.Schema
}

func values(s *apiextensionsv1.JSONSchemaProps) *apiextensionsv1.JSONSchemaProps {
	if s.AdditionalProperties == nil {
		return nil
	}
	return s.AdditionalProperties.Schema
}

// enum is the allowed values, in order.
func enum(s *apiextensionsv1.JSONSchemaProps) []string {
	var texts []string
	for _, v := range s.Enum {
		texts = append(texts, string(v.Raw))
	}
	return texts
}

// TestDifferences shows that the comparison notices what it is for, and lets through what may differ.
func TestDifferences(t *testing.T) {
	const theirs = `{type: object, required: [a], properties: {a: {type: string, format: byte}, b: {type: array, items: {type: integer}}}}`
	cases := map[string]struct {
		reason string
		ours   string
		want   []string
	}{
		"Same": {reason: "Nothing differs.", ours: theirs},
		"Additions": {
			reason: "Limits, list types, rules, descriptions and optional fields may be added.",
			ours: `{type: object, description: d, required: [a], properties: {
				a: {type: string, format: byte, maxLength: 9},
				b: {type: array, maxItems: 3, x-kubernetes-list-type: set, items: {type: integer, maximum: 9}},
				c: {type: string, enum: [x]}}, x-kubernetes-validations: [{rule: "true"}]}`,
		},
		"Narrowed": {
			reason: "A new required field, a closed set of values or another type would refuse what is valid there.",
			ours: `{type: object, required: [a, b], properties: {
				a: {type: string, enum: [x]}, b: {type: array, items: {type: string}}}}`,
			want: []string{
				".: required is [a b], theirs is [a]",
				".a: format is , theirs is byte",
				".a: enum is [\"x\"], theirs is []",
				".b[]: type is string, theirs is integer",
			},
		},
		"Lost": {
			reason: "A field that is not in the schema is pruned.",
			ours:   `{type: object, required: [a], properties: {a: {type: string, format: byte}}}`,
			want:   []string{".b: the field is missing"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := differences("", schema(t, theirs), schema(t, tc.ours))
			if diff := gocmp.Diff(strings.Join(tc.want, "\n"), strings.Join(got, "\n")); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func schema(t *testing.T, text string) *apiextensionsv1.JSONSchemaProps {
	t.Helper()
	var s apiextensionsv1.JSONSchemaProps
	if err := yaml.UnmarshalStrict([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	return &s
}

func load(t *testing.T, name string) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	data, err := crd.YAML(name)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, data)
}

func parse(t *testing.T, data []byte) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(data, &definition); err != nil {
		t.Fatal(err)
	}
	return &definition
}
