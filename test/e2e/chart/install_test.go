package chart_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/clusterimport/clusterimport/test/e2e/cluster"
)

var (
	installArgs   = []string{"install", release, chartDir, "--wait", "--timeout", "120s"}
	upgradeArgs   = []string{"upgrade", release, chartDir, "--wait", "--timeout", "120s"}
	uninstallArgs = []string{"uninstall", release, "--wait", "--timeout", "120s"}
)

// definitionNames are the CustomResourceDefinitions that the chart brings.
var definitionNames = []string{
	"clusterimportpolicies.policy.clusterpedia.io", "clustersyncresources.cluster.clusterpedia.io",
	"pediaclusterlifecycles.policy.clusterpedia.io", "pediaclusters.cluster.clusterpedia.io",
}

// TestInstall: one command succeeds on any cluster, with either Helm, before any platform is there; three platforms are
// then imported with the rights that the chart gives, an upgrade changes nothing, and an uninstall removes the release
// and nothing that was imported.
func TestInstall(t *testing.T) {
	states := map[string]func(s *stage){
		"Empty":   func(*stage) {},
		"Kubectl": func(s *stage) { s.foreignDefinitions("kubectl", nil) },
		"Clusterpedia": func(s *stage) {
			s.foreignDefinitions("helm", map[string]string{
				"meta.helm.sh/release-name": "clusterpedia", "meta.helm.sh/release-namespace": "clusterpedia-system",
			})
		},
	}
	for version, variable := range helms {
		for state, prepare := range states {
			t.Run(version+"/"+state, func(t *testing.T) {
				s := newStage(t, variable)
				prepare(s)
				s.must(installArgs...)
				s.imports()
				before := s.versions()
				s.must(upgradeArgs...)
				if diff := cmp.Diff(before, s.versions()); diff != "" {
					t.Errorf("an upgrade that changes nothing wrote (-before +after)\n%s", diff)
				}
				if state != "Empty" {
					s.mergedDefinitions()
				}
				s.must(uninstallArgs...)
				s.uninstalled()
			})
		}
	}
}

// TestInstallNamespacedSecrets: with rights on the Secrets of one namespace, the clusters of that namespace are imported,
// and what is elsewhere is not read.
func TestInstallNamespacedSecrets(t *testing.T) {
	s := newStage(t, "HELM4_BIN")
	for _, name := range []string{"elsewhere", "karmada-cluster"} {
		s.ApplyText("{apiVersion: v1, kind: Namespace, metadata: {name: " + name + "}}")
	}
	s.must(append(installArgs, "--set", "rbac.secrets=Namespaced,rbac.secretNamespaces={default,karmada-cluster}")...)
	objects, err := os.ReadFile(root + "/examples/vcluster/objects.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s.ApplyText(strings.ReplaceAll(string(objects), "namespace: default", "namespace: elsewhere"))
	s.imports()
	for _, name := range s.names(lifecycles) {
		if strings.Contains(name, "elsewhere") {
			t.Errorf("%s is of a namespace that is not read", name)
		}
	}
}

// imports brings three platforms, and waits until their clusters are imported.
func (s *stage) imports() {
	s.t.Helper()
	for _, name := range []string{"cluster-api", "karmada", "vcluster"} {
		s.condition(policies, name, "Validated", "True")
	}
	definition, err := cluster.CAPIDefinition(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	s.ApplyText(string(definition))
	for _, file := range []string{"karmada/crd.yaml", "cluster-api/objects.yaml", "karmada/objects.yaml", "vcluster/objects.yaml"} {
		s.ApplyFile("examples/" + file)
	}
	for name, server := range map[string]string{
		"default-capi-quickstart": "", "karmada-member1": "https://172.18.0.4:6443", "vc-default-vcluster-1": "https://vcluster-1.default",
	} {
		s.eventually(func(ctx context.Context) error {
			o, err := s.Dynamic.Resource(clusters).Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			return s.reaches(o, server)
		})
	}
	for _, name := range []string{"cluster-api", "karmada", "vcluster"} {
		s.condition(policies, name, "Ready", "True")
	}
	s.condition(lifecycles, "default-capi-quickstart-2", "Created", "False")
}

// reaches checks the server of a PediaCluster's kubeconfig.
func (*stage) reaches(o *unstructured.Unstructured, server string) error {
	encoded, _, err := unstructured.NestedString(o.Object, "spec", "kubeconfig")
	if err != nil {
		return err
	}
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return err
	}
	config, err := clientcmd.Load(text)
	if err != nil {
		return err
	}
	for _, c := range config.Clusters {
		if server != "" && c.Server != server {
			return fmt.Errorf("%s is at %s", o.GetName(), c.Server)
		}
	}
	return nil
}

// versions are the resourceVersions of what a release must not write again when nothing has changed.
func (s *stage) versions() map[string]string {
	s.t.Helper()
	found := map[string]string{}
	for _, name := range definitionNames {
		found[name] = s.get(definitions, name).GetResourceVersion()
	}
	for _, name := range s.names(clusters) {
		found["PediaCluster "+name] = s.get(clusters, name).GetResourceVersion()
	}
	for _, name := range s.names(policies) {
		found["policy "+name] = strconv.FormatInt(s.get(policies, name).GetGeneration(), 10)
	}
	return found
}

// foreignDefinitions applies this release's definitions as another might have them: without a field of ours, and with
// one that we do not know.
func (s *stage) foreignDefinitions(manager string, annotations map[string]string) {
	s.t.Helper()
	for _, name := range definitionNames {
		plural, group, _ := strings.Cut(name, ".")
		data, err := os.ReadFile(fmt.Sprintf("%s/api/crd/%s_%s.yaml", root, group, plural))
		if err != nil {
			s.t.Fatal(err)
		}
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(data, &o.Object); err != nil {
			s.t.Fatal(err)
		}
		o.SetAnnotations(annotations)
		if name == definitionNames[0] {
			fields := specFields(s.t, o)
			delete(fields, "allowInsecure")
			fields["ofTheFuture"] = map[string]any{"type": "string"}
		}
		text, err := json.Marshal(o)
		if err != nil {
			s.t.Fatal(err)
		}
		_, err = s.Dynamic.Resource(definitions).Patch(s.t.Context(), name, types.ApplyPatchType, text, metav1.PatchOptions{FieldManager: manager})
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

// specFields are the fields that a policy's definition has in spec.
func specFields(t *testing.T, definition *unstructured.Unstructured) map[string]any {
	t.Helper()
	versions, ok := nested(t, definition, "spec", "versions").([]any)
	if !ok || len(versions) == 0 {
		t.Fatal("there is no version")
	}
	version := &unstructured.Unstructured{}
	version.Object, _ = versions[0].(map[string]any)
	fields, _ := nested(t, version, "schema", "openAPIV3Schema", "properties", "spec", "properties").(map[string]any)
	return fields
}

// mergedDefinitions: the foreign definitions have our field now, and still theirs.
func (s *stage) mergedDefinitions() {
	s.t.Helper()
	fields := specFields(s.t, s.get(definitions, definitionNames[0]))
	for _, field := range []string{"allowInsecure", "ofTheFuture"} {
		if fields[field] == nil {
			s.t.Errorf("the definition has no field %s", field)
		}
	}
}

// uninstalled: the release is gone, with all that only it needs; definitions, policies and PediaClusters stay.
func (s *stage) uninstalled() {
	s.t.Helper()
	for _, want := range []string{"default-capi-quickstart", "karmada-member1", "vc-default-vcluster-1"} {
		if !slices.Contains(s.names(clusters), want) {
			s.t.Errorf("PediaCluster %s is gone", want)
		}
	}
	if diff := cmp.Diff([]string{"cluster-api", "karmada", "vcluster"}, s.names(policies)); diff != "" {
		s.t.Errorf("policies (-want +got)\n%s", diff)
	}
	for _, name := range definitionNames {
		s.get(definitions, name)
	}
	s.eventually(func(context.Context) error {
		if left := s.leftovers(); len(left) > 0 {
			return fmt.Errorf("the release leaves %q", left)
		}
		return nil
	})
}

// leftovers are the objects of the release that are still there.
func (s *stage) leftovers() []string {
	s.t.Helper()
	var left []string
	for key, o := range objects(s.t, s.must("template", release, chartDir, "--kube-version", "1.37.0")) {
		found, err := s.Exists(s.t.Context(), o)
		if err != nil {
			s.t.Fatal(err)
		}
		if found {
			left = append(left, key)
		}
	}
	return left
}
