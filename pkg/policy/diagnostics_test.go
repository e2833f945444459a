package policy_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

var update = flag.Bool("update", false, "write the golden files")

// TestDiagnosticsText compares the whole text of what is said about mistakes. Each file of testdata/diagnostics is an
// archive of a spec, whose comment says what the mistake is, and the text; types.yaml is the schema of the source kind.
func TestDiagnosticsText(t *testing.T) {
	types := policy.Types{
		Source:     readSchema(t, "testdata/types.yaml"),
		References: map[string]*expr.Schema{"secret": secretSchema()},
	}
	files, err := filepath.Glob("testdata/diagnostics/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 40 {
		t.Errorf("there are %d mistakes, not 40", len(files))
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil || len(archive.Files) == 0 {
				t.Fatal(err)
			}
			spec := &v1alpha1.ClusterImportPolicySpec{}
			if err := yaml.UnmarshalStrict(archive.Files[0].Data, spec); err != nil {
				t.Fatal(err)
			}
			_, list := policy.Compile(complete(spec), types)
			got := []byte(list.String() + "\n")
			if *update {
				archive.Files = append(archive.Files[:1], txtar.File{Name: "diagnostics", Data: got})
				if err := os.WriteFile(path, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			at := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == "diagnostics" })
			if at < 0 || !bytes.Equal(archive.Files[at].Data, got) {
				t.Errorf("%s(-want +got)\n%s", archive.Comment, cmp.Diff(string(archive.Files[max(at, 0)].Data), string(got)))
			}
			if len(list) == 0 {
				t.Error("nothing is said")
			}
		})
	}
}

// complete gives a spec that is about one field the others.
func complete(s *v1alpha1.ClusterImportPolicySpec) *v1alpha1.ClusterImportPolicySpec {
	s.Source.Group, s.Source.Resource = "example.com", "clusters"
	if s.References == nil {
		s.References = []v1alpha1.ReferenceResourceTemplate{
			{Key: "secret", Resource: "secrets", NamespaceTemplate: "ns", NameTemplate: "${source.metadata.name}"},
		}
	}
	for field, text := range map[*string]string{
		&s.NameTemplate: "${source.metadata.name}", &s.CreationCondition: "true", &s.Template: "spec: {syncResources: []}",
	} {
		if *field == "" {
			*field = text
		}
	}
	return s
}

func readSchema(t *testing.T, path string) *expr.Schema {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	props := &apiextensionsv1.JSONSchemaProps{}
	if err := yaml.UnmarshalStrict(data, props); err != nil {
		t.Fatal(err)
	}
	return expr.SchemaOf(props, nil)
}

func secretSchema() *expr.Schema {
	data := &expr.Schema{Kind: expr.Map, Elem: &expr.Schema{Kind: expr.String, Base64: true}}
	return &expr.Schema{Kind: expr.Object, Fields: map[string]*expr.Schema{"data": data, "metadata": expr.ObjectMeta()}}
}
