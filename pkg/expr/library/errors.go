package library

import "github.com/clusterimport/clusterimport/pkg/expr/plain"

// Error is what a function of this package refuses its arguments with. All errors are constants, so that none can
// hold a value: the text may be shown to everybody. errors.AsType[Error] finds it in the error of an evaluation.
type Error = plain.Error

// Limits of texts and values, whatever an evaluation may still cost: they bound the work and memory of one call.
const (
	// maxJSON is the length of a JSON text in bytes.
	maxJSON = 1 << 20
	// maxYAML is the length of a YAML text in bytes; reading it takes many times its length.
	maxYAML = 512 << 10
	// maxKubeconfig is the length of a kubeconfig's YAML text in bytes.
	maxKubeconfig = 128 << 10
	// maxNameText is the length of a text that a name is made of in bytes.
	maxNameText = 64 << 10
	// maxDepth is how many lists and objects may stand in each other.
	maxDepth = 100
	// maxValues is how many values a document may have.
	maxValues = 20_000
)

// Errors of documents, for all functions that read or write them.
const (
	errTooLong = plain.ErrTooLong
	errTooDeep = plain.ErrTooDeep
	errTooMany = plain.ErrTooMany
	errNoJSON  = plain.ErrNoJSON
	errNumber  = plain.ErrNumber

	errTwice Error = "a key is given twice"
)
