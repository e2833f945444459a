package e2e_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterimport/clusterimport/test/e2e/testbed"
)

const soon = 15 * time.Second

// TestPlatforms imports the examples of every platform, by the bundled policies and in Clusterpedia's language.
func TestPlatforms(t *testing.T) {
	f := newFixture(t)
	f.installClusterAPI()
	f.ApplyFile("examples/karmada/crd.yaml")
	f.ApplyFile("examples/mcp/crd.yaml")
	startController(t)
	for language, policies := range map[string][]string{
		"CEL": {
			"charts/clusterimport/policies/cluster-api.yaml", "charts/clusterimport/policies/karmada.yaml",
			"charts/clusterimport/policies/vcluster.yaml", "examples/mcp/policy.yaml",
		},
		"GoTemplate": {
			"examples/cluster-api/gotemplate.yaml", "examples/karmada/gotemplate.yaml",
			"examples/vcluster/gotemplate.yaml", "examples/mcp/gotemplate.yaml",
		},
	} {
		t.Run(language, func(t *testing.T) {
			f := f.in(t)
			f.importPlatforms(language, policies)
		})
	}
}

func (f *fixture) importPlatforms(language string, files []string) {
	for _, file := range files {
		f.ApplyFile(file)
	}
	names := []string{"cluster-api", "karmada", "vcluster", "mcp"}
	for _, name := range names {
		f.ApplyFile("examples/" + name + "/objects.yaml")
	}
	capi := f.spec("default-capi-quickstart", soon)
	encoded, _ := capi["kubeconfig"].(string)
	kubeconfig, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || !strings.Contains(string(kubeconfig), "server: https://172.18.0.3:6443") {
		f.t.Errorf("kubeconfig is %v", capi["kubeconfig"])
	}
	rotated := base64.StdEncoding.EncodeToString(append(kubeconfig, "# "+language+"\n"...))
	f.Patch(f.Dynamic.Resource(secrets).Namespace("default"), "capi-quickstart-kubeconfig", `{"data":{"value":"`+rotated+`"}}`)
	f.field("default-capi-quickstart", "kubeconfig", rotated, 5*time.Second)
	f.condition(f.Dynamic.Resource(lifecycles), "default-capi-quickstart-2", "Created", "False", "WaitCreationCondition")
	f.reaches("karmada-member1", "https://172.18.0.4:6443")
	f.condition(f.Dynamic.Resource(lifecycles), "karmada-member3", "Created", "False", "WaitCreationCondition")
	f.gone(f.Dynamic.Resource(clusters), "karmada-member3")
	f.reaches("vc-default-vcluster-1", "https://vcluster-1.default")
	if own := f.spec("mcp-cluster-1", soon); own["tokenData"] != base64.StdEncoding.EncodeToString([]byte("token of cluster-1")) {
		f.t.Errorf("tokenData is %v", own["tokenData"])
	}
	for _, policy := range names {
		f.remove(f.Dynamic.Resource(policies), policy)
		if policy == "karmada" {
			f.gone(f.Dynamic.Resource(clusters), "karmada-member1")
			f.gone(f.Dynamic.Resource(lifecycles), "karmada-member3")
		}
	}
	f.gone(f.Dynamic.Resource(clusters), "default-capi-quickstart")
	f.gone(f.Dynamic.Resource(clusters), "vc-default-vcluster-1")
	f.gone(f.Dynamic.Resource(clusters), "mcp-cluster-1")
}

// reaches waits for a PediaCluster and checks where it says the cluster is, in either form.
func (f *fixture) reaches(name, server string) {
	f.t.Helper()
	spec := f.spec(name, soon)
	got := spec["apiserver"]
	if encoded, ok := spec["kubeconfig"].(string); ok {
		text, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			f.t.Fatal(err)
		}
		config, err := clientcmd.Load(text)
		if err != nil {
			f.t.Fatal(err)
		}
		for _, c := range config.Clusters {
			got = c.Server
		}
	}
	if got != server && got != server+".svc" {
		f.t.Errorf("the server of %s is %v", name, got)
	}
}

// mcpPolicy is the policy of the mcp example under another name, for sources whose name has the prefix.
func (f *fixture) mcpPolicy(prefix string) {
	f.t.Helper()
	f.ApplyFile("examples/mcp/policy.yaml", "name: mcp\n", "name: "+prefix+"\n", "mcp-${", prefix+"-${",
		"resource: clusters\n", fmt.Sprintf("resource: clusters\n    selectorTemplate: source.metadata.name.startsWith(%q)\n", prefix))
}

// mcpCluster is a cluster of that platform, with its Secret.
func (f *fixture) mcpCluster(name, token, ready string) {
	f.t.Helper()
	f.ApplyText(testbed.MCPCluster(name, token, ready))
}

func TestFollowsItsSource(t *testing.T) {
	f := newFixture(t)
	f.ApplyFile("examples/mcp/crd.yaml")
	startController(t)
	f.mcpPolicy("follow")
	f.mcpCluster("follow-a", "first", "False")
	f.mcpCluster("follow-b", "other", "True")
	message := f.condition(f.Dynamic.Resource(lifecycles), "follow-follow-a", "Ready", "False", "WaitCreationCondition")
	if message == "" {
		t.Error("the condition has no message")
	}
	f.Patch(f.Dynamic.Resource(mcps), "follow-a", `{"status":{"conditions":[{"type":"Ready","status":"True"}]}}`, "status")
	f.token("follow-follow-a", "first", 5*time.Second)

	f.Patch(f.Dynamic.Resource(secrets).Namespace("default"), "follow-a", `{"stringData":{"token":"second"}}`)
	f.token("follow-follow-a", "second", 5*time.Second)

	f.Patch(f.Dynamic.Resource(secrets).Namespace("default"), "follow-a", `{"data":{"token":""}}`)
	f.condition(f.Dynamic.Resource(lifecycles), "follow-follow-a", "Updating", "False", "UpdateHeld")
	f.token("follow-follow-a", "second", time.Second)

	f.remove(f.Dynamic.Resource(mcps), "follow-a")
	f.gone(f.Dynamic.Resource(lifecycles), "follow-follow-a")
	f.gone(f.Dynamic.Resource(clusters), "follow-follow-a")
	f.exists(f.Dynamic.Resource(clusters), "follow-follow-b")
	f.remove(f.Dynamic.Resource(policies), "follow")
}

func (f *fixture) token(name, want string, within time.Duration) {
	f.t.Helper()
	f.field(name, "tokenData", base64.StdEncoding.EncodeToString([]byte(want)), within)
}

// field waits until a field of a PediaCluster's spec has a value.
func (f *fixture) field(name, field, want string, within time.Duration) {
	f.t.Helper()
	f.eventually(within, func(ctx context.Context) error {
		object, err := f.Dynamic.Resource(clusters).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		spec, _ := object.Object["spec"].(map[string]any)
		if spec[field] != want {
			return fmt.Errorf("%s is %v", field, spec[field])
		}
		return nil
	})
}

func TestForeignPediaClusterIsLeftAlone(t *testing.T) {
	f := newFixture(t)
	f.ApplyFile("examples/mcp/crd.yaml")
	f.ApplyText(`
apiVersion: cluster.clusterpedia.io/v1alpha2
kind: PediaCluster
metadata: {name: foreign-foreign-a}
spec: {apiserver: "https://by-hand:6443", syncResources: []}
`)
	startController(t)
	f.mcpPolicy("foreign")
	f.mcpCluster("foreign-a", "token", "True")
	f.condition(f.Dynamic.Resource(lifecycles), "foreign-foreign-a", "Created", "False", "PediaClusterExisted")
	if spec := f.spec("foreign-foreign-a", time.Second); spec["apiserver"] != "https://by-hand:6443" || spec["tokenData"] != nil {
		t.Errorf("the PediaCluster was written: %v", spec)
	}
	f.remove(f.Dynamic.Resource(policies), "foreign")
	f.gone(f.Dynamic.Resource(lifecycles), "foreign-foreign-a")
	f.exists(f.Dynamic.Resource(clusters), "foreign-foreign-a")
}

// TestTwoPoliciesOnSecrets: several policies may import one kind, and the end of one is not the end of the other's.
func TestTwoPoliciesOnSecrets(t *testing.T) {
	f := newFixture(t)
	startController(t)
	const policy = `
apiVersion: policy.clusterpedia.io/v1alpha1
kind: ClusterImportPolicy
metadata: {name: secrets-KIND}
spec:
  source: {group: "", resource: secrets, selectorTemplate: 'source.metadata.?labels[?"kind"] == optional.of("KIND")'}
  nameTemplate: ${source.metadata.name}
  template: |
    spec:
      apiserver: ${string(base64.decode(source.data.server))}
      tokenData: ${source.data.token}
      syncResources: []
  creationCondition: "true"
  allowInsecure: true
`
	const secret = `
apiVersion: v1
kind: Secret
metadata: {name: secrets-KIND, namespace: default, labels: {kind: KIND}}
stringData: {server: "https://KIND:6443", token: token}
`
	for _, kind := range []string{"red", "blue"} {
		f.ApplyText(strings.ReplaceAll(policy, "KIND", kind))
		f.ApplyText(strings.ReplaceAll(secret, "KIND", kind))
	}
	for _, kind := range []string{"red", "blue"} {
		if spec := f.spec("secrets-"+kind, soon); spec["apiserver"] != "https://"+kind+":6443" {
			t.Errorf("apiserver is %v", spec["apiserver"])
		}
	}
	f.remove(f.Dynamic.Resource(policies), "secrets-red")
	f.gone(f.Dynamic.Resource(clusters), "secrets-red")
	f.exists(f.Dynamic.Resource(clusters), "secrets-blue")
	f.remove(f.Dynamic.Resource(policies), "secrets-blue")
}

func TestPolicyBeforeItsKind(t *testing.T) {
	f := newFixture(t)
	startController(t)
	renamed := []string{"cluster.mcp.io", "late.example.com", "name: mcp\n", "name: late\n", "mcp-${", "late-${"}
	f.ApplyFile("examples/mcp/rbac.yaml", "cluster.mcp.io", "late.example.com", "clusterimport-mcp", "clusterimport-late")
	f.ApplyFile("examples/mcp/policy.yaml", renamed...)
	f.condition(f.Dynamic.Resource(policies), "late", "SourceAvailable", "False", "FailedNegotiateSourceResource")
	f.condition(f.Dynamic.Resource(policies), "late", "Ready", "True", "WaitSourceAvailable")
	f.ApplyFile("examples/mcp/crd.yaml", renamed...)
	f.ApplyFile("examples/mcp/objects.yaml", renamed...)
	f.spec("late-cluster-1", 10*time.Second)
	f.condition(f.Dynamic.Resource(policies), "late", "SourceAvailable", "True", "Watched")
	f.remove(f.Dynamic.Resource(policies), "late")
}

// TestKindRemoved: when the platform's kind is removed, and all of its objects with it, nothing that was
// imported is.
func TestKindRemoved(t *testing.T) {
	f := newFixture(t)
	startController(t)
	renamed := []string{"cluster.mcp.io", "removed.example.com", "name: mcp\n", "name: removed\n", "mcp-${", "removed-${"}
	f.ApplyFile("examples/mcp/rbac.yaml", "cluster.mcp.io", "removed.example.com", "clusterimport-mcp", "clusterimport-removed")
	f.ApplyFile("examples/mcp/crd.yaml", renamed...)
	f.ApplyFile("examples/mcp/policy.yaml", renamed...)
	f.ApplyFile("examples/mcp/objects.yaml", renamed...)
	f.spec("removed-cluster-1", soon)
	crds := f.Dynamic.Resource(testbed.Definitions)
	f.remove(crds, "clusters.removed.example.com")
	f.gone(crds, "clusters.removed.example.com")
	f.condition(f.Dynamic.Resource(policies), "removed", "SourceAvailable", "False", "FailedNegotiateSourceResource")
	f.condition(f.Dynamic.Resource(lifecycles), "removed-cluster-1", "Created", "True", "PediaClusterCreated")
	f.exists(f.Dynamic.Resource(clusters), "removed-cluster-1")
	f.remove(f.Dynamic.Resource(policies), "removed")
	f.gone(f.Dynamic.Resource(clusters), "removed-cluster-1")
}

// TestInvalidEdit: a policy that no longer compiles says where, and what it imported stays.
func TestInvalidEdit(t *testing.T) {
	f := newFixture(t)
	f.ApplyFile("examples/mcp/crd.yaml")
	startController(t)
	f.mcpPolicy("edit")
	f.mcpCluster("edit-a", "token", "True")
	f.spec("edit-edit-a", soon)
	f.Patch(f.Dynamic.Resource(policies), "edit", `{"spec":{"creationCondition":"source.spec.apiEndpoint +"}}`)
	message := f.condition(f.Dynamic.Resource(policies), "edit", "Validated", "False", "InvalidExpression")
	for _, want := range []string{"spec.creationCondition:1:", "| source.spec.apiEndpoint +", "^"} {
		if !strings.Contains(message, want) {
			t.Errorf("the message lacks %q:\n%s", want, message)
		}
	}
	f.exists(f.Dynamic.Resource(clusters), "edit-edit-a")
	f.Patch(f.Dynamic.Resource(secrets).Namespace("default"), "edit-a", `{"stringData":{"token":"rotated"}}`)
	f.token("edit-edit-a", "rotated", 5*time.Second)
	f.remove(f.Dynamic.Resource(policies), "edit")
}

// TestTypes: the schema of the kind, as the API server publishes it, finds mistakes before anything is evaluated; one
// that changes under a policy at work stops nothing.
func TestTypes(t *testing.T) {
	f := newFixture(t)
	startController(t)
	renamed := []string{"cluster.mcp.io", "typed.example.com", "name: mcp\n", "name: typed\n", "mcp-${", "typed-${"}
	f.ApplyFile("examples/mcp/rbac.yaml", "cluster.mcp.io", "typed.example.com", "clusterimport-mcp", "clusterimport-typed")
	f.ApplyFile("examples/mcp/crd.yaml", renamed...)
	f.ApplyFile("examples/mcp/policy.yaml", append(renamed, "source.spec.apiEndpoint", "source.spec.apiEndpiont")...)
	message := f.condition(f.Dynamic.Resource(policies), "typed", "Validated", "False", "InvalidExpression")
	for _, want := range []string{"undefined field 'apiEndpiont'", "| ", "^", "spec.template:"} {
		if !strings.Contains(message, want) {
			t.Errorf("the message lacks %q:\n%s", want, message)
		}
	}
	f.ApplyFile("examples/mcp/policy.yaml", renamed...)
	f.ApplyFile("examples/mcp/objects.yaml", renamed...)
	f.spec("typed-cluster-1", soon)
	f.ApplyFile("examples/mcp/crd.yaml", append(renamed, "apiEndpoint", "endpoint")...)
	f.eventually(20*time.Second, func(ctx context.Context) error {
		policy, err := f.Dynamic.Resource(policies).Get(ctx, "typed", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if status := fmt.Sprint(policy.Object["status"]); !strings.Contains(status, "warning: spec.template") {
			return fmt.Errorf("status is %s", status)
		}
		return nil
	})
	f.condition(f.Dynamic.Resource(policies), "typed", "Validated", "True", "Success")
	f.remove(f.Dynamic.Resource(policies), "typed")
}

// TestNameConflict: the second claimant of a name changes nothing, and gets the name when the first one goes.
func TestNameConflict(t *testing.T) {
	f := newFixture(t)
	f.ApplyFile("examples/mcp/crd.yaml")
	startController(t)
	f.mcpPolicy("clash")
	f.Patch(f.Dynamic.Resource(policies), "clash", `{"spec":{"nameTemplate":"clash"}}`)
	f.mcpCluster("clash-a", "of a", "True")
	f.token("clash", "of a", soon)
	f.mcpCluster("clash-b", "of b", "True")
	f.eventually(soon, func(ctx context.Context) error {
		policy, err := f.Dynamic.Resource(policies).Get(ctx, "clash", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if status := fmt.Sprint(policy.Object["status"]); !strings.Contains(status, "NameConflict") {
			return fmt.Errorf("status is %s", status)
		}
		return nil
	})
	f.token("clash", "of a", time.Second)
	f.remove(f.Dynamic.Resource(mcps), "clash-a")
	f.token("clash", "of b", time.Minute)
	f.remove(f.Dynamic.Resource(policies), "clash")
}
