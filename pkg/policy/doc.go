// Package policy turns the spec of a ClusterImportPolicy into a compiled Policy: which objects it selects, how
// they are named, what they refer to, when they are ready and which PediaCluster they give.
//
// Each field is written in one of two languages, which its text decides: a Go template when it contains "{{",
// else CEL. Both become the same kind of program here, and nothing outside this package can tell them apart.
//
// The package decides nothing about objects that exist: that is pkg/lifecycle.
package policy
