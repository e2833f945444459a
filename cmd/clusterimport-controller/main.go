// Command clusterimport-controller imports clusters by ClusterImportPolicies.
package main

import (
	"os"

	"github.com/clusterimport/clusterimport/internal/app"
)

func main() { os.Exit(app.Main(os.Args[1:], os.Stdout, os.Stderr)) }
