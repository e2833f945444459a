// Package render turns the text of a policy's fields into values: text with ${…} into a name, YAML with ${…}
// into an object.
//
// YAML is parsed once, when a policy is compiled; a value can therefore fill a scalar but never change the
// structure of the document. The package owns that text format. What a PediaCluster or a policy is, it does
// not know: it checks documents against a schema that it is given.
package render
