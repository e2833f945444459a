package expr

import "github.com/clusterimport/clusterimport/pkg/expr/plain"

// Limits of what one expression may be and do. They bound what a policy's author can cost the controller.
const (
	// maxExpressionSize is the length of one expression in characters.
	maxExpressionSize = 16 << 10
	// maxParserDepth is how deep one expression may nest.
	maxParserDepth = 200
	// maxNesting is how many loops, names (cel.bind), lists and maps may stand in each other.
	maxNesting = 32
	// costLimit is what one evaluation may cost; see cost.go for the unit. Conditions and templates of real policies
	// cost a few hundred.
	costLimit = 1_000_000
	// maxCallCost is what one call may cost, which is known before it begins.
	maxCallCost = 250_000
)

// resultLimits bound the result of an expression.
var resultLimits = plain.Limits{Values: 50_000, Bytes: 1 << 20, Depth: 64}
