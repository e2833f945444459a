// Package cli is the clusterimport command: it tries policies on manifests, without a cluster, and prepares a cluster for
// the controller.
//
// Exit codes are the same for every verb and format: 0 all is well, 1 something was found, 2 the command was
// not used as it must be or its input could not be read.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/component-base/version"
)

// The exit codes.
const (
	exitOK       = 0
	exitFindings = 1
	exitUsage    = 2
)

// errFindings ends a command whose output has said what it found.
var errFindings = errors.New("findings")

// Main runs the command line args, whose first item is the name of the program, and returns the exit code.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	root := newRoot(args[0])
	root.SetArgs(args[1:])
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	switch err := root.ExecuteContext(ctx); {
	case err == nil:
		return exitOK
	case errors.Is(err, errFindings):
		return exitFindings
	default:
		_, _ = fmt.Fprintln(stderr, "error:", err)
		return exitUsage
	}
}

func newRoot(program string) *cobra.Command {
	root := &cobra.Command{
		Use:           "clusterimport",
		Short:         "Try ClusterImportPolicies, and prepare a cluster for them",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          needVerb,
	}
	if strings.HasPrefix(filepath.Base(program), "kubectl-") {
		root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl clusterimport"}
	}
	root.AddCommand(newRender(), newEval(), newLint(), newConvert(), newRBAC(), newCRDs(), newPolicies(), newVersion())
	return root
}

// newGroup is a command that has only verbs.
func newGroup(use, short string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: needVerb}
	cmd.AddCommand(verbs...)
	return cmd
}

// needVerb says what verbs there are.
func needVerb(cmd *cobra.Command, _ []string) error {
	return errors.Join(cmd.Help(), errors.New("a verb is needed"))
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), version.Get().GitVersion)
			return err
		},
	}
}
