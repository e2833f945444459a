// Command clusterimport tries policies without a cluster. Installed as kubectl-clusterimport it is a plugin.
package main

import (
	"os"

	"github.com/clusterimport/clusterimport/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args, os.Stdin, os.Stdout, os.Stderr)) }
