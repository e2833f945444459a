package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/bundle"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

func newPolicies() *cobra.Command {
	return newGroup("policies", "Apply or delete the policies of a release", newPoliciesApply(), newPoliciesDelete())
}

// release is what the verbs of policies have in common.
type release struct {
	connection

	name    string
	timeout time.Duration
}

func (r *release) bind(cmd *cobra.Command, timeout time.Duration) {
	cmd.Flags().StringVar(&r.name, "release", "clusterimport", "name of the release that the policies belong to")
	cmd.Flags().DurationVar(&r.timeout, "timeout", timeout, "how long to wait for the API server in all")
	r.addFlags(cmd.Flags())
}

func (r *release) bundle() (*bundle.Bundle, error) {
	config, err := r.config()
	if err != nil {
		return nil, err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &bundle.Bundle{Client: client.Resource(v1alpha1.ClusterImportPolicyResource), Release: r.name}, nil
}

// policiesApplyOptions are the flags of policies apply.
type policiesApplyOptions struct {
	release
	bundle.ApplyOptions
}

func newPoliciesApply() *cobra.Command {
	o := &policiesApplyOptions{}
	cmd := &cobra.Command{
		Use:   "apply POLICIES...",
		Short: "Make a cluster have the policies of a release",
		Long: `Apply brings ClusterImportPolicies into a cluster and marks them as the release's. POLICIES are files or folders. All
must compile, or none is applied. A policy of the same name that somebody else made is left as it is, and so is one that
the release had before: to delete it deletes the clusters that it imported.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	cmd.Flags().BoolVar(&o.Adopt, "adopt", false, "take over policies of the same name that somebody else made")
	cmd.Flags().BoolVar(&o.Prune, "prune", false, "delete the release's policies that are not given any more, and what they imported")
	cmd.Flags().BoolVar(&o.DryRun, "dry-run", false, "let the API server check everything and change nothing")
	o.bind(cmd, time.Minute)
	return cmd
}

func (o *policiesApplyOptions) run(cmd *cobra.Command, args []string) error {
	m, err := readManifests(args, cmd.InOrStdin())
	if err != nil {
		return err
	}
	if err := compileAll(cmd.ErrOrStderr(), m.objects); err != nil {
		return err
	}
	b, err := o.bundle()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), o.timeout)
	defer cancel()
	results, err := applyServed(ctx, b, m.objects, o.ApplyOptions)
	for _, r := range results {
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "clusterimportpolicy.policy.clusterpedia.io/%s %s\n", r.Name, spoken(r.Outcome, o.DryRun)); err != nil {
			return err
		}
	}
	return err
}

// applyServed applies the policies as soon as the API server serves their kind, which it may just have been told of.
func applyServed(ctx context.Context, b *bundle.Bundle, policies []*unstructured.Unstructured, o bundle.ApplyOptions) ([]bundle.Result, error) {
	var results []bundle.Result
	var failure error
	err := wait.PollUntilContextCancel(ctx, time.Second, true, func(ctx context.Context) (bool, error) {
		results, failure = b.Apply(ctx, policies, o)
		return !apierrors.IsNotFound(failure), nil
	})
	return results, errors.Join(failure, err)
}

// compileAll refuses what is no policy, or does not compile.
func compileAll(w io.Writer, objects []*unstructured.Unstructured) error {
	found := false
	for _, o := range objects {
		if gvk := o.GroupVersionKind(); gvk != v1alpha1.ClusterImportPolicyKind {
			return fmt.Errorf("%s %q is no %s", gvk, o.GetName(), v1alpha1.ClusterImportPolicyKind)
		}
		p := &v1alpha1.ClusterImportPolicy{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, p, true); err != nil {
			return fmt.Errorf("cannot read the policy %q: %w", o.GetName(), err)
		}
		if compiled, list := policy.Compile(&p.Spec, policy.Types{}); compiled == nil {
			found = true
			if _, err := fmt.Fprintf(w, "the policy %q is not valid:\n%s\n", o.GetName(), list); err != nil {
				return err
			}
		}
	}
	if found {
		return errFindings
	}
	return nil
}

// spoken says what was done with a policy.
func spoken(outcome bundle.Outcome, dryRun bool) string {
	text := string(outcome)
	switch outcome {
	case bundle.Foreign:
		text = "was not made by this release: it is left as it is (--adopt takes it over)"
	case bundle.Kept:
		text = "is not one of this release any more: it is left as it is, and imports go on (--prune deletes it and what it imported)"
	case bundle.Applied, bundle.Deleted:
	}
	if dryRun {
		text += " (dry run)"
	}
	return text
}

func newPoliciesDelete() *cobra.Command {
	r := &release{}
	cmd := &cobra.Command{
		Use:   "delete",
		Short: "Delete the policies of a release, and what they imported",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b, err := r.bundle()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), r.timeout)
			defer cancel()
			results, err := b.Delete(ctx)
			for _, result := range results {
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "clusterimportpolicy.policy.clusterpedia.io/%s %s\n", result.Name, result.Outcome); err != nil {
					return err
				}
			}
			return err
		},
	}
	r.bind(cmd, 2*time.Minute)
	return cmd
}
