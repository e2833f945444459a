package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	strictjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/lifecycle"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// renderResult is what a policy makes of one source.
type renderResult struct {
	Source v1alpha1.DependentResource `json:"source"`
	// Selected and Ready are null when they could not be decided; Ready also when it was not asked for.
	Selected     *bool             `json:"selected"`
	Name         string            `json:"name"`
	References   []renderReference `json:"references"`
	Ready        *bool             `json:"ready"`
	PediaCluster map[string]any    `json:"pediaCluster"`
	Reason       string            `json:"reason"`
	Message      string            `json:"message"`
}

// renderReference is a reference and whether its object is among the manifests.
type renderReference struct {
	v1alpha1.DependentResource `json:",inline"`

	Key   string `json:"key"`
	Found bool   `json:"found"`
}

// renderOptions are the flags of render.
type renderOptions struct {
	policy, output string
	crds           []string
	showSecrets    bool
}

func newRender() *cobra.Command {
	o := &renderOptions{}
	cmd := &cobra.Command{
		Use:   "render -f POLICY [--crds CRDS] OBJECTS...",
		Short: "Show what a policy makes of objects",
		Long: `Render evaluates a ClusterImportPolicy on manifests, without a cluster. OBJECTS are files or folders of
manifests that hold sources and the objects they refer to; - is stdin. For each object of the policy's source
kind it prints one result. CustomResourceDefinitions, with --crds or among the objects, tell the fields of these
kinds, so that mistakes in the policy are found as they are in a cluster. Exit code 1 says that something could not be decided, or that nothing matched.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	cmd.Flags().StringVarP(&o.policy, "filename", "f", "", "file with one ClusterImportPolicy; - is stdin")
	cmd.Flags().StringVarP(&o.output, "output", "o", "yaml", "yaml or json")
	cmd.Flags().StringSliceVar(&o.crds, "crds", nil, "files or folders with CustomResourceDefinitions")
	cmd.Flags().BoolVar(&o.showSecrets, "show-secrets", false, "show values that come from Secrets")
	_ = cmd.MarkFlagRequired("filename")
	return cmd
}

func (o *renderOptions) run(cmd *cobra.Command, args []string) error {
	if o.output != "yaml" && o.output != "json" {
		return fmt.Errorf("--output must be yaml or json, not %q", o.output)
	}
	spec, err := readPolicy(o.policy, cmd.InOrStdin())
	if err != nil {
		return err
	}
	objects, err := readManifests(args, cmd.InOrStdin())
	if err != nil {
		return err
	}
	defined, err := o.definitions(objects)
	if err != nil {
		return err
	}
	compiled, list := policy.Compile(&spec.Spec, defined.types(cmd.Context(), &spec.Spec))
	if err := printDiagnostics(cmd.ErrOrStderr(), list); err != nil {
		return err
	}
	if compiled == nil {
		return errFindings
	}
	r := &renderer{policy: spec, compiled: compiled, objects: objects, names: map[string]v1alpha1.DependentResource{}}
	if !o.showSecrets {
		r.redactor = newRedactor(objects)
	}
	results := r.all(cmd.Context())
	if err := printResults(cmd.OutOrStdout(), o.output, results); err != nil {
		return err
	}
	if len(results) == 0 {
		_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "no object is one of %s\n", spec.Spec.Source.Resource)
		return errFindings
	}
	if r.undecided {
		return errFindings
	}
	return nil
}

// definitions are those of --crds and those among the objects, which --crds outweighs.
func (o *renderOptions) definitions(objects *manifests) (definitions, error) {
	defined, err := objects.definitions()
	if err != nil {
		return nil, err
	}
	given, err := readDefinitions(o.crds, nil)
	maps.Copy(defined, given)
	return defined, err
}

func readPolicy(path string, stdin io.Reader) (*v1alpha1.ClusterImportPolicy, error) {
	data, err := readInput(path, stdin)
	if err != nil {
		return nil, err
	}
	return decodePolicy(data)
}

func decodePolicy(data []byte) (*v1alpha1.ClusterImportPolicy, error) {
	data, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		return nil, fmt.Errorf("cannot read the policy: %w", err)
	}
	p := &v1alpha1.ClusterImportPolicy{}
	faults, err := strictjson.UnmarshalStrict(data, p)
	if err := errors.Join(append(faults, err)...); err != nil {
		return nil, fmt.Errorf("cannot read the policy: %w", err)
	}
	if gvk := p.GroupVersionKind(); gvk != v1alpha1.ClusterImportPolicyKind {
		return nil, fmt.Errorf("cannot read the policy: it is %s, not %s", gvk, v1alpha1.ClusterImportPolicyKind)
	}
	return p, nil
}

func readInput(path string, stdin io.Reader) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(path)
}

func printDiagnostics(w io.Writer, list diag.List) error {
	if len(list) == 0 {
		return nil
	}
	_, err := fmt.Fprintln(w, list)
	return err
}

func printResults(w io.Writer, format string, results []*renderResult) error {
	if results == nil {
		results = []*renderResult{}
	}
	if format == "json" {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(results)
	}
	out, err := yaml.Marshal(results)
	if err != nil {
		return err
	}
	_, err = w.Write(out)
	return err
}

// renderer evaluates one policy on many sources.
type renderer struct {
	policy   *v1alpha1.ClusterImportPolicy
	compiled *policy.Policy
	objects  *manifests
	// redactor hides what comes from Secrets; nil shows it.
	redactor *redactor
	// names are the names that sources have claimed.
	names     map[string]v1alpha1.DependentResource
	undecided bool
}

func (r *renderer) all(ctx context.Context) []*renderResult {
	var results []*renderResult
	for _, source := range r.objects.sources(r.policy.Spec.Source) {
		results = append(results, r.one(ctx, source))
	}
	return results
}

func (r *renderer) one(ctx context.Context, source *unstructured.Unstructured) *renderResult {
	gvr := r.objects.resource(source)
	out := &renderResult{References: []renderReference{}, Source: v1alpha1.DependentResource{
		Group: gvr.Group, Version: gvr.Version, Resource: gvr.Resource, Namespace: source.GetNamespace(), Name: source.GetName(),
	}}
	binding := r.compiled.Bind(source.Object)
	selected, err := r.compiled.Select(ctx, binding)
	if err != nil {
		return r.unknown(out, v1alpha1.ReasonSelectorFailed, err.Error())
	}
	if out.Selected = &selected; !selected {
		return out
	}
	if out.Name, err = r.compiled.Name(ctx, binding); err != nil {
		return r.unknown(out, lifecycle.NameReason(err), err.Error())
	}
	if holder, claimed := r.names[out.Name]; claimed {
		return r.unknown(out, v1alpha1.ReasonNameConflict, fmt.Sprintf("the name %q is claimed by %s", out.Name, holder))
	}
	r.names[out.Name] = out.Source
	r.cluster(ctx, out, source.Object)
	return out
}

// unknown says why a result is not complete.
func (r *renderer) unknown(out *renderResult, reason, message string) *renderResult {
	out.Reason, out.Message = reason, message
	r.undecided = true
	return out
}

// cluster resolves the references, asks for the condition and renders the PediaCluster, also one that waits
// for its condition: it is what will be created.
func (r *renderer) cluster(ctx context.Context, out *renderResult, source map[string]any) {
	resolution := lifecycle.Resolve(ctx, r.compiled, r.references(), source, r.objects.read)
	for _, ref := range resolution.References {
		out.References = append(out.References, renderReference{
			Key: ref.Key, DependentResource: ref.DependentResource, Found: r.objects.read(ref.DependentResource).Object != nil,
		})
	}
	switch obsolete, err := r.compiled.Obsolete(ctx, resolution.Binding); {
	case err != nil:
		reason, message := lifecycle.Explain(err, resolution, v1alpha1.ReasonDeletionConditionFailed)
		r.unknown(out, reason, message)
		return
	case obsolete:
		out.Reason, out.Message = v1alpha1.ReasonDeletionCondition, "the deletion condition is true"
		return
	}
	ready, err := r.compiled.Ready(ctx, resolution.Binding)
	if err != nil {
		reason, message := lifecycle.Explain(err, resolution, v1alpha1.ReasonCreationConditionFailed)
		r.unknown(out, reason, message)
		return
	}
	out.Ready = &ready
	if !ready {
		out.Reason, out.Message = v1alpha1.ReasonWaitCreationCondition, "the creation condition is false"
	}
	rendered, reason, message := lifecycle.Render(ctx, r.compiled, resolution, out.Name, r.policy.Spec.AllowInsecure)
	switch {
	case rendered != nil:
		out.PediaCluster = r.shown(rendered.Rendered)
	case ready:
		r.unknown(out, reason, message)
	}
}

// references are the policy's, with the version that a cluster would choose left open.
func (r *renderer) references() []v1alpha1.ReferenceResource {
	refs := make([]v1alpha1.ReferenceResource, len(r.policy.Spec.References))
	for i, ref := range r.policy.Spec.References {
		refs[i] = v1alpha1.ReferenceResource{Key: ref.Key, Group: ref.Group, Resource: ref.Resource}
		if len(ref.Versions) > 0 {
			refs[i].Version = ref.Versions[0]
		}
	}
	return refs
}

// shown is the object as it would be written.
func (r *renderer) shown(rendered *policy.Rendered) map[string]any {
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(rendered.Cluster)
	if err != nil {
		return nil
	}
	delete(object, "status")
	unstructured.RemoveNestedField(object, "metadata", "creationTimestamp")
	if r.redactor != nil {
		return r.redactor.cluster(object)
	}
	return object
}
