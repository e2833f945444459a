package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// finding is a diagnostic about a policy of a file.
type finding struct {
	File, Policy string
	// Line and Column are those of the file, counted from 1, columns in characters. Those of the diagnostic are of the
	// field's text.
	Line, Column int
	Diagnostic   diag.Diagnostic
}

// lintOptions are the flags of lint.
type lintOptions struct {
	output string
	crds   []string
	strict bool
}

func newLint() *cobra.Command {
	o := &lintOptions{}
	cmd := &cobra.Command{
		Use:   "lint [--crds CRDS] FILES...",
		Short: "Check policies without a cluster",
		Long: `Lint checks ClusterImportPolicies as an API server and the admission webhook would. FILES are files or folders of
manifests; - is stdin. Other objects in them are passed over, but CustomResourceDefinitions, there or with --crds, tell
the fields of their kinds, so that typos in expressions are found. Exit code 1 says that a policy has an error, with
--strict also a warning, or that there was no policy.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", "text", strings.Join(slices.Sorted(maps.Keys(lintFormats)), ", "))
	cmd.Flags().StringSliceVar(&o.crds, "crds", nil, "files or folders with CustomResourceDefinitions; - is stdin")
	cmd.Flags().BoolVar(&o.strict, "strict", false, "let warnings count as errors do")
	return cmd
}

func (o *lintOptions) run(cmd *cobra.Command, args []string) error {
	report, ok := lintFormats[o.output]
	if !ok {
		return fmt.Errorf("--output must be one of %s, not %q", strings.Join(slices.Sorted(maps.Keys(lintFormats)), ", "), o.output)
	}
	sources, err := readSources(args, cmd.InOrStdin())
	if err != nil {
		return err
	}
	defined, err := readDefinitions(o.crds, cmd.InOrStdin())
	if err != nil {
		return err
	}
	if err := sources.define(defined); err != nil {
		return err
	}
	findings := []finding{}
	policies := 0
	for _, s := range sources {
		if !s.isPolicy() {
			continue
		}
		policies++
		list, err := lintPolicy(cmd.Context(), s, defined)
		if err != nil {
			return err
		}
		findings = append(findings, s.findings(list)...)
	}
	if err := report(cmd.OutOrStdout(), findings); err != nil {
		return err
	}
	return o.conclude(cmd.ErrOrStderr(), policies, findings)
}

// conclude sums up for people, and says whether something was found. The sum is the same whatever the format.
func (o *lintOptions) conclude(stderr io.Writer, policies int, findings []finding) error {
	counts := map[diag.Severity]int{}
	for _, f := range findings {
		counts[f.Diagnostic.Severity]++
	}
	if policies == 0 {
		_, err := fmt.Fprintln(stderr, "there is no ClusterImportPolicy")
		return errors.Join(err, errFindings)
	}
	_, err := fmt.Fprintf(stderr, "%d policies, %d errors, %d warnings\n", policies, counts[diag.Error], counts[diag.Warning])
	if err == nil && (counts[diag.Error] > 0 || o.strict && counts[diag.Warning] > 0) {
		return errFindings
	}
	return err
}

// lintPolicy is all that is to be said of one policy.
func lintPolicy(ctx context.Context, s *source, defined definitions) (diag.List, error) {
	rules, err := policyRules()
	if err != nil {
		return nil, err
	}
	list := rules.check(ctx, s.object)
	typed, err := s.policy()
	if err != nil || typed.GroupVersionKind() != v1alpha1.ClusterImportPolicyKind {
		return list, nil //nolint:nilerr // a value of a wrong type, or another version: the rules have found it
	}
	_, found := policy.Compile(&typed.Spec, defined.types(ctx, &typed.Spec))
	said := func(d diag.Diagnostic) bool {
		return slices.ContainsFunc(list, func(before diag.Diagnostic) bool { return before.Field == d.Field })
	}
	for _, d := range found {
		if !said(d) { // that a name is missing is said once
			list = append(list, d)
		}
	}
	list = append(list, policy.Lint(&typed.Spec)...)
	return list, nil
}
