package expr

import "github.com/clusterimport/clusterimport/pkg/expr/plain"

// Limits of what one expression may be and do. They bound what a policy's author can cost the controller.
const (
	// maxExpressionSize is the length of one expression in characters.
	maxExpressionSize = 64 << 10
	// maxParserDepth is how deep one expression may nest.
	maxParserDepth = 200
	// costLimit is what one evaluation may cost, in CEL's units: the limit that Kubernetes has for one call.
	// Conditions and templates of real policies cost a few hundred.
	costLimit = 1_000_000
	// interruptEvery is after how many steps of a comprehension the context is looked at.
	interruptEvery = 100
)

// resultLimits bound the result of an expression.
var resultLimits = plain.Limits{Values: 50_000, Bytes: 1 << 20, Depth: 64}
