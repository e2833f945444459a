package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"
)

// Main is the command: it runs a control plane as the arguments say until the context ends, and returns the
// exit code.
func Main(ctx context.Context, args []string) int {
	stderr := os.Stderr
	if err := run(ctx, args, &stderr); err != nil && !errors.Is(err, pflag.ErrHelp) {
		_, _ = fmt.Fprintln(stderr, "controlplane:", err)
		return 1
	}
	return 0
}

// run sets stderr to what errors are for, once logs go elsewhere.
func run(ctx context.Context, args []string, stderr **os.File) error {
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
		kept, err := logTo(filepath.Join(o.Dir, "controlplane.log"))
		if err != nil {
			return err
		}
		*stderr = kept
	}
	return Run(ctx, o)
}

// logTo sends all that is written to stderr to a file instead, and returns what stderr was. The file descriptor
// is what the parts have in common: etcd's client opens its log before main runs, and klog, zap and cobra have
// their own ways to say otherwise. A panic is written to both.
func logTo(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	kept, err := unix.FcntlInt(uintptr(unix.Stderr), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot keep stderr: %w", err)
	}
	if err := unix.Dup2(int(log.Fd()), unix.Stderr); err != nil {
		return nil, fmt.Errorf("cannot redirect stderr: %w", err)
	}
	stderr := os.NewFile(uintptr(kept), "stderr")
	return stderr, debug.SetCrashOutput(stderr, debug.CrashOptions{})
}
