// Package library is the functions that this project adds to CEL: base64 text, DNS names, kubeconfigs, JSON and YAML.
//
// Every function is pure, deterministic and safe for concurrent use, and works in proportion to the size of its
// arguments, which Cost charges for. Arguments may come from a Secret: an error is one of this package's constant
// texts, an Error, and never holds anything of a value.
//
// The package owns these functions and the limits of what they read. It refuses to own the environment they are
// declared in, the limits of an evaluation and the types of objects: that is pkg/expr.
package library
