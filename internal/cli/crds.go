package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset/typed/apiextensions/v1"

	"github.com/clusterimport/clusterimport/api/crd"
	"github.com/clusterimport/clusterimport/internal/crds"
)

func newCRDs() *cobra.Command {
	return newGroup("crds", "Print or apply the CustomResourceDefinitions", newCRDsPrint(), newCRDsApply())
}

func newCRDsPrint() *cobra.Command {
	return &cobra.Command{
		Use: "print [NAME...]", Short: "Print the built-in CustomResourceDefinitions as YAML",
		ValidArgs: crd.Names,
		RunE: func(cmd *cobra.Command, names []string) error {
			for _, name := range named(names) {
				document, err := crd.YAML(name)
				if err != nil {
					return err
				}
				if _, err := cmd.OutOrStdout().Write(document); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// named are the definitions of these names, without any all.
func named(names []string) []string {
	if len(names) == 0 {
		return crd.Names
	}
	return names
}

// crdsApplyOptions are the flags of crds apply.
type crdsApplyOptions struct {
	connection

	dryRun  bool
	timeout time.Duration
}

func newCRDsApply() *cobra.Command {
	o := &crdsApplyOptions{}
	cmd := &cobra.Command{
		Use:   "apply [NAME...]",
		Short: "Bring the built-in CustomResourceDefinitions into a cluster",
		Long: `Apply creates the definitions that the cluster lacks, adds what the cluster's lack, and waits until their kinds are
served. Nothing is removed: fields, versions and values that only the cluster's definitions know stay, so that neither
a newer release nor a newer Clusterpedia is taken backwards. Exit code 1 says that a definition of the cluster cannot
serve this release; it is left as it is.`,
		ValidArgs: crd.Names,
		RunE:      func(cmd *cobra.Command, names []string) error { return o.run(cmd, names) },
	}
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "let the API server check everything and change nothing")
	cmd.Flags().DurationVar(&o.timeout, "timeout", time.Minute, "how long to wait for the API server in all")
	o.addFlags(cmd.Flags())
	return cmd
}

func (o *crdsApplyOptions) run(cmd *cobra.Command, names []string) error {
	config, err := o.config()
	if err != nil {
		return err
	}
	client, err := apiextensionsv1.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), o.timeout)
	defer cancel()
	refused := false
	for _, name := range named(names) {
		builtin, err := crds.Builtin(name)
		if err != nil {
			return err
		}
		result, err := crds.Apply(ctx, client.CustomResourceDefinitions(), builtin, o.dryRun)
		if err != nil {
			return err
		}
		refused = refused || result.Outcome == crds.Refused
		if err := o.print(cmd.OutOrStdout(), result); err != nil {
			return err
		}
	}
	if refused {
		return errFindings
	}
	return nil
}

// print says what was done, in kubectl's words.
func (o *crdsApplyOptions) print(w io.Writer, r crds.Result) error {
	var text string
	switch {
	case r.Outcome == crds.Refused:
		text = ": " + r.Plan.Incompatible + "; it is left as it is"
	case o.dryRun:
		text = " (dry run)"
	}
	if _, err := fmt.Fprintf(w, "customresourcedefinition.apiextensions.k8s.io/%s %s%s\n", r.Name, r.Outcome, text); err != nil {
		return err
	}
	if r.Plan == nil || r.Outcome == crds.Refused {
		return nil
	}
	for _, group := range []struct {
		what  string
		paths []string
	}{{"adds", r.Plan.Missing}, {"keeps", r.Plan.Beyond}, {"keeps its own", r.Plan.Differs}} {
		for _, path := range group.paths {
			if _, err := fmt.Fprintf(w, "  %s %s\n", group.what, path); err != nil {
				return err
			}
		}
	}
	return nil
}
