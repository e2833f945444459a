// Command controlplane runs a Kubernetes control plane on loopback until it is told to stop.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/clusterimport/clusterimport/test/e2e/controlplane"
)

func main() { os.Exit(run()) }

func run() int {
	var o controlplane.Options
	pflag.StringVar(&o.Dir, "dir", "", "folder for data, certificates and ports")
	pflag.StringVar(&o.Kubeconfig, "kubeconfig", "", "file that gets the admin kubeconfig once the API server is ready")
	pflag.IntVar(&o.Port, "port", 0, "port of the API server; 0 takes a free one, or the one it had before")
	withParent := pflag.Bool("with-parent", false, "stop when the process that started this one ends")
	pflag.Parse()
	// The API server listens for the first signal too and then drains for a minute; this process does not wait.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *withParent {
		ctx = controlplane.UntilParentEnds(ctx)
	}
	if err := controlplane.Run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "controlplane:", err)
		return 1
	}
	return 0
}
