package policy_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"github.com/google/go-cmp/cmp"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// legacyPolicies are the policies in Go templates that are compared with the template engine: the examples, and those
// of Clusterpedia where a folder has them. Each has objects of its name, or of its folder's, in testdata/legacy.
func legacyPolicies(t *testing.T) map[string]*v1alpha1.ClusterImportPolicySpec {
	t.Helper()
	files, err := filepath.Glob("../../examples/*/gotemplate.yaml")
	if err != nil || len(files) < 4 {
		t.Fatalf("found %q: %v", files, err)
	}
	if shared := os.Getenv("CLUSTERIMPORT_SHARED"); shared != "" {
		more, err := filepath.Glob(filepath.Join(shared, "upstream-policies", "*.yaml"))
		if err != nil || len(more) < 5 {
			t.Fatalf("found %q: %v", more, err)
		}
		files = append(files, more...)
	}
	out := map[string]*v1alpha1.ClusterImportPolicySpec{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var p v1alpha1.ClusterImportPolicy
		if err := yaml.UnmarshalStrict(data, &p); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		if name == "gotemplate" {
			name = filepath.Base(filepath.Dir(file))
		} else {
			name = "upstream " + name
		}
		out[name] = &p.Spec
	}
	return out
}

// legacyObjects are the objects that a policy is tried on.
func legacyObjects(t *testing.T, name string) []map[string]any {
	t.Helper()
	name = strings.ReplaceAll(strings.TrimPrefix(name, "upstream "), "-", "_")
	data, err := os.ReadFile(filepath.Join("testdata", "legacy", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]any
	for doc := range bytes.SplitSeq(data, []byte("\n---\n")) {
		var object map[string]any
		if err := utilyaml.Unmarshal(doc, &object); err != nil {
			t.Fatal(err)
		}
		out = append(out, object)
	}
	return out
}

// imported is what a policy makes of one source; a stage that fails ends it.
type imported struct {
	Selected   bool
	Name       string
	References []string
	// Ready is false where its evaluation fails, as upstream has it.
	Ready   bool
	Spec    map[string]any
	Failed  string
	Missing bool
}

// TestLegacyPolicies compares whole policies with the template engine, on sources that are ready or not, lack fields,
// or hold values that YAML would take for structure.
func TestLegacyPolicies(t *testing.T) {
	for name, spec := range legacyPolicies(t) {
		t.Run(name, func(t *testing.T) {
			compiled, list := policy.Compile(spec, policy.Types{})
			if compiled == nil {
				t.Fatalf("refused:\n%s", list)
			}
			objects, ready := legacyObjects(t, name), 0
			for _, source := range objects {
				if len(spec.References) > 0 && source["kind"] == "Secret" {
					continue
				}
				want, got := upstream(t, spec, objects, source), ours(t, compiled, objects, source)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%v: (-want +got)\n%s", source["metadata"], diff)
				}
				if got.Ready && got.Spec != nil {
					ready++
				}
			}
			if ready == 0 {
				t.Error("no source is imported")
			}
		})
	}
}

// convertedDiffers are the sources, by policy, for which a converted policy gives something else, and the assumption
// that they break.
var convertedDiffers = map[string]string{
	"upstream cluster_api twice": "several matches count as one",
}

// TestConvertedPolicies compares policies with what they are converted to: CEL, all of it.
func TestConvertedPolicies(t *testing.T) {
	for name, spec := range legacyPolicies(t) {
		t.Run(name, func(t *testing.T) {
			compiled, list := policy.Compile(spec, policy.Types{})
			if compiled == nil {
				t.Fatalf("refused:\n%s", list)
			}
			converted := policyOf(t, converted(t, spec))
			objects := legacyObjects(t, name)
			for _, source := range objects {
				if len(spec.References) > 0 && source["kind"] == "Secret" {
					continue
				}
				metadata, _ := source["metadata"].(map[string]any)
				reason, differs := convertedDiffers[fmt.Sprint(name, " ", metadata["name"])]
				diff := cmp.Diff(ours(t, compiled, objects, source), ours(t, converted, objects, source))
				if differs != (diff != "") {
					t.Errorf("%v: (-Go template +CEL) %s\n%s", metadata, reason, diff)
				}
			}
		})
	}
}

func policyOf(t *testing.T, spec *v1alpha1.ClusterImportPolicySpec) *policy.Policy {
	t.Helper()
	compiled, list := policy.Compile(spec, policy.Types{})
	if compiled == nil {
		t.Fatalf("the converted policy is refused:\n%s", list)
	}
	return compiled
}

// converted is a spec with all its Go templates in CEL.
func converted(t *testing.T, spec *v1alpha1.ClusterImportPolicySpec) *v1alpha1.ClusterImportPolicySpec {
	t.Helper()
	fields, list := policy.Convert(spec, policy.Types{})
	if list.HasErrors() {
		t.Fatal(list)
	}
	out := spec.DeepCopy()
	texts := map[string]*string{
		"spec.source.selectorTemplate": &out.Source.SelectorTemplate, "spec.nameTemplate": &out.NameTemplate,
		"spec.template": &out.Template, "spec.creationCondition": &out.CreationCondition,
	}
	for i := range out.References {
		texts[fmt.Sprintf("spec.references[%d].namespaceTemplate", i)] = &out.References[i].NamespaceTemplate
		texts[fmt.Sprintf("spec.references[%d].nameTemplate", i)] = &out.References[i].NameTemplate
	}
	for _, f := range fields {
		if len(f.Stays) > 0 {
			t.Errorf("%s stays:\n%s", f.Field, f.Stays)
		}
		if f.Converted != nil {
			*texts[f.Field] = f.Converted.Text
		}
	}
	return out
}

func find(objects []map[string]any, namespace, name string) map[string]any {
	for _, object := range objects {
		metadata, _ := object["metadata"].(map[string]any)
		if object["kind"] == "Secret" && metadata["namespace"] == namespace && metadata["name"] == name {
			return object
		}
	}
	return nil
}

// ours imports a source with the compiled policy.
func ours(t *testing.T, p *policy.Policy, objects []map[string]any, source map[string]any) (out imported) {
	t.Helper()
	ctx, b := t.Context(), p.Bind(source)
	var err error
	if out.Selected, err = p.Select(ctx, b); err != nil || !out.Selected {
		return out
	}
	if out.Name, err = p.Name(ctx, b); err != nil {
		return imported{Selected: true, Failed: "name"}
	}
	for i := range p.ReferenceCount() {
		ref, err := p.Reference(ctx, i, b)
		if err != nil {
			out.Failed = "reference"
			return out
		}
		out.References = append(out.References, ref.Namespace+"/"+ref.Name)
		object := find(objects, ref.Namespace, ref.Name)
		if object == nil {
			out.Missing = true
			return out
		}
		b.SetReference(ref.Key, object)
	}
	out.Ready, _ = p.Ready(ctx, b)
	rendered, err := p.Render(ctx, b, out.Name)
	if err != nil {
		out.Failed = "template"
		return out
	}
	out.Spec = specOf(t, rendered.Cluster)
	return out
}

func specOf(t *testing.T, cluster *v1alpha2.PediaCluster) (out map[string]any) {
	t.Helper()
	data, err := json.Marshal(cluster.Spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// upstream imports a source with the template engine, as Clusterpedia does. Texts that YAML would take for structure
// are put into the document after it has been read: a value is one scalar here (D3).
func upstream(t *testing.T, spec *v1alpha1.ClusterImportPolicySpec, objects []map[string]any, source map[string]any) (out imported) {
	t.Helper()
	references := map[string]any{}
	data := map[string]any{"source": source, "references": references}
	isTrue := func(src string) bool {
		text, err := executed(src, data)
		return err == nil && strings.EqualFold(strings.TrimSpace(text), "true")
	}
	if out.Selected = spec.Source.SelectorTemplate == "" || isTrue(spec.Source.SelectorTemplate); !out.Selected {
		return out
	}
	name, err := executed(spec.NameTemplate, data)
	if err != nil {
		return imported{Selected: true, Failed: "name"}
	}
	out.Name = name
	for _, r := range spec.References {
		name, nameErr := executed(r.NameTemplate, data)
		namespace, namespaceErr := executed(r.NamespaceTemplate, data)
		if errors.Join(nameErr, namespaceErr) != nil || name == "" {
			out.Failed = "reference"
			return out
		}
		out.References = append(out.References, namespace+"/"+name)
		object := find(objects, namespace, name)
		if object == nil {
			out.Missing = true
			return out
		}
		references[r.Key] = object
	}
	out.Ready = isTrue(spec.CreationCondition)
	hidden := &placeholders{}
	text, err := executed(spec.Template, hidden.hide(data).(map[string]any))
	var cluster v1alpha2.PediaCluster
	if err != nil || yaml.Unmarshal([]byte(text), &cluster) != nil {
		out.Failed = "template"
		return out
	}
	out.Spec = hidden.show(specOf(t, &cluster)).(map[string]any)
	return out
}

func executed(src string, data map[string]any) (string, error) {
	parsed, err := template.New("").Funcs(sprig.TxtFuncMap()).Parse(src)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = parsed.Execute(&out, data)
	return strings.ReplaceAll(out.String(), "<no value>", ""), err
}

// placeholders are words in the place of texts that YAML would take for structure, plain or in base64.
type placeholders struct{ texts []string }

func (p *placeholders) hide(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, item := range v {
			out[key] = p.hide(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = p.hide(item)
		}
		return out
	case string:
		if decoded, err := base64.StdEncoding.DecodeString(v); err == nil && strings.Contains(string(decoded), "\n  sync") {
			return base64.StdEncoding.EncodeToString([]byte(p.word(string(decoded))))
		}
		if strings.ContainsAny(v, "\n\"\\") {
			return p.word(v)
		}
	}
	return v
}

func (p *placeholders) word(text string) string {
	p.texts = append(p.texts, text)
	return "zqz" + strconv.Itoa(len(p.texts)-1) + "zqz"
}

func (p *placeholders) show(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, item := range v {
			v[key] = p.show(item)
		}
	case []any:
		for i, item := range v {
			v[i] = p.show(item)
		}
	case string:
		for i, text := range p.texts {
			v = strings.ReplaceAll(v, fmt.Sprintf("zqz%dzqz", i), text)
		}
		return v
	}
	return v
}
