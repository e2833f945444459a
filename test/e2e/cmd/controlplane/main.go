// Command controlplane runs a Kubernetes control plane on loopback until it is told to stop.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/clusterimport/clusterimport/test/e2e/controlplane"
)

func main() { os.Exit(run()) }

func run() int {
	// The API server listens for the first signal too and then drains for a minute; this process does not wait.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return controlplane.Main(ctx, os.Args[1:])
}
