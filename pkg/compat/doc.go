// Package compat translates the Go-template fields of Clusterpedia's policies into CEL, so that they are
// checked once, bounded in cost and evaluated like every other expression. Nothing here, or anywhere else in
// the product, executes a Go template.
//
// The result of a translated field is what text/template with Clusterpedia's function set prints; what cannot
// be translated is refused with a code and a place. A second form is what a person would have written: it is shown and
// never run, and says what it assumes. The package owns the translation and the helper functions
// that translated expressions call (tpl.*). It parses templates with text/template/parse, documents with
// pkg/render, and evaluates with pkg/expr.
package compat
