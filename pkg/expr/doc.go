// Package expr is the project's CEL: one environment per scope, expressions that are checked once and then
// evaluated against many objects, and errors that say where without saying what was read.
//
// Expressions see the JSON that `kubectl get -o json` shows. A Schema finds mistakes when an expression is
// compiled; it never changes a result, because programs run untyped over plain values.
//
// The package owns the CEL environment, its types and its limits. It knows neither policies nor Kubernetes
// clients, and evaluation is pure: no clock, no I/O, no logging.
package expr
