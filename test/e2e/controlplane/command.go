package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"
)

// Main is the command: it runs a control plane as the arguments say until the context ends, and returns the
// exit code.
func Main(ctx context.Context, args []string) int {
	stderr := os.Stderr
	if err := run(ctx, args); err != nil && !errors.Is(err, pflag.ErrHelp) {
		_, _ = fmt.Fprintln(stderr, "controlplane:", err)
		return 1
	}
	return 0
}

func run(ctx context.Context, args []string) error {
	var o Options
	flags := pflag.NewFlagSet("controlplane", pflag.ContinueOnError)
	flags.StringVar(&o.Dir, "dir", "", "folder for data, certificates, ports and the log")
	flags.StringVar(&o.Kubeconfig, "kubeconfig", "", "file that gets the admin kubeconfig once the API server is ready")
	flags.IntVar(&o.Port, "port", 0, "port of the API server; 0 takes the one it had before, or a free one")
	flags.IntVar(&o.Verbosity, "v", 0, "log to stderr, this much, and not to controlplane.log in the folder")
	withParent := flags.Bool("with-parent", false, "stop when the process that started this one ends")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.Dir == "" || o.Kubeconfig == "" {
		return errors.New("--dir and --kubeconfig are needed")
	}
	if *withParent {
		ctx = UntilParentEnds(ctx)
	}
	if !flags.Changed("v") {
		if err := logTo(filepath.Join(o.Dir, "controlplane.log")); err != nil {
			return err
		}
	}
	return Run(ctx, o)
}

// logTo sends the logs of all parts to a file. Each of them (etcd's zap, klog, cobra) takes os.Stderr when it
// starts and has its own way to say otherwise, so the variable is what they share. The Go runtime does not use
// it: a panic is still seen on the real one.
func logTo(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	log, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	os.Stderr = log
	return nil
}
