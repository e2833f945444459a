package expr

import (
	"slices"
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	k8slibrary "k8s.io/apiserver/pkg/cel/library"

	"github.com/clusterimport/clusterimport/pkg/expr/library"
)

// ExtensionPrefix begins the names of functions that extensions add: their calls are charged by what they read.
const ExtensionPrefix = "tpl."

// costs charges function calls in proportion to the text they read. It takes Kubernetes' charges where it has
// them, but for contains: Kubernetes charges the product of both lengths, which a search does not cost and
// which would refuse to look for a certificate in a kubeconfig.
type costs struct{}

// CallCost implements CEL's ActualCostEstimator.
func (costs) CallCost(function, overload string, args []ref.Val, result ref.Val) *uint64 {
	// What a function makes counts too: a range makes a list of a number.
	if function == "contains" || strings.HasPrefix(function, ExtensionPrefix) {
		return perByte(append(slices.Clip(args), result))
	}
	if cost, ok := library.Cost(function, args); ok {
		return &cost
	}
	return (&k8slibrary.CostEstimator{}).CallCost(function, overload, args, result)
}

// perByte charges a tenth of a unit for each character of text, as CEL's own string functions do.
func perByte(args []ref.Val) *uint64 {
	var size uint64
	for _, arg := range args {
		if s, ok := arg.(traits.Sizer); ok {
			if n, ok := s.Size().(types.Int); ok {
				size += uint64(max(n, 0))
			}
		}
	}
	cost := size/10 + 1
	return &cost
}
