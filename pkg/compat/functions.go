package compat

import (
	"github.com/clusterimport/clusterimport/pkg/compat/sprig"
)

// stubs let the parser know the functions; none is ever called.
var stubs = func() map[string]any {
	known := map[string]any{}
	for _, name := range sprig.Names() {
		known[name] = func(...any) string { return "" }
	}
	return known
}()
