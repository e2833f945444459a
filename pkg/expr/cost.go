package expr

import (
	"math/bits"
	"strings"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"github.com/clusterimport/clusterimport/pkg/expr/library"
	"github.com/clusterimport/clusterimport/pkg/expr/plain"
)

// A unit of cost is about 50 nanoseconds: what selecting a field takes, or copying ten bytes of text. What a call costs
// follows from its arguments alone, so that it is known before the call: a single one could take all memory.
// Kubernetes' own estimator charges afterwards, takes the product of both lengths for a search, and nothing for values
// within values.

// callCost is what any call costs at least.
const callCost = 3

// charge is what a call costs by its arguments, at most a little more than maxCallCost.
type charge func(args []ref.Val) int

// charges are those of the functions whose cost depends on the length of their arguments.
var charges = map[string]charge{
	operators.Add:    addition,
	operators.Equals: comparison, operators.NotEquals: comparison,
	operators.Less: text(10), operators.LessEquals: text(10), operators.Greater: text(10), operators.GreaterEquals: text(10),
	operators.In: search,

	"contains": text(10), "startsWith": text(10), "endsWith": text(10),
	"bytes": text(10), "string": conversion, "int": text(10), "uint": text(10), "double": text(10), "bool": text(10),
	"duration": text(2), "timestamp": text(2),
	"lowerAscii": text(2), "upperAscii": text(2), "trim": text(5), "strings.quote": text(2),
	"charAt": text(2), "substring": text(2), "indexOf": textOrValues(2), "lastIndexOf": textOrValues(2),
	"reverse": textOrValues(2), "size": textOrValues(10),
	"replace": replacement, "split": splitting, "join": joining, "format": formatting,

	"base64.encode": text(5), "base64.decode": text(5),
	"url": text(2), "isURL": text(2), "ip": text(2), "isIP": text(2), "ip.isCanonical": text(2), "cidr": text(2), "isCIDR": text(2),
	"containsIP": text(2), "containsCIDR": text(2), "quantity": text(2), "isQuantity": text(2), "semver": text(2), "isSemver": text(2),
	"validate": text(1),

	"lists.range": counting, "flatten": values, "distinct": pairs(1), "sort": sorting, "@sortByAssociatedKeys": sorting,
	"isSorted": values, "sum": values, "min": values, "max": values, "includes": values, "slice": values,
	"sets.contains": pairs(2), "sets.intersects": pairs(2), "sets.equivalent": pairs(2),
	"math.@max": values, "math.@min": values, "cel.@mapInsert": values,

	"getDate": zone, "getDayOfMonth": zone, "getDayOfWeek": zone, "getDayOfYear": zone, "getFullYear": zone, "getMonth": zone,
	"getHours": zone, "getMinutes": zone, "getSeconds": zone, "getMilliseconds": zone,
}

// chargeOf is the charge of a function; nil is one that costs callCost.
func chargeOf(function string) charge {
	if library.Charges(function) {
		return func(args []ref.Val) int { return int(library.Cost(function, args)) } //nolint:gosec // bounded by its limits
	}
	return charges[function]
}

// staticCost is what an expression costs without the rounds of its loops and the charges of its calls.
func staticCost(e celast.Expr) int {
	cost := 1
	switch e.Kind() {
	case celast.CallKind:
		cost += callCost
		if call := e.AsCall(); call.IsMemberFunction() {
			cost += staticCost(call.Target())
		}
		for _, arg := range e.AsCall().Args() {
			cost += staticCost(arg)
		}
	case celast.SelectKind:
		cost += staticCost(e.AsSelect().Operand())
	case celast.ListKind:
		for _, item := range e.AsList().Elements() {
			cost += staticCost(item)
		}
	case celast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			cost += staticCost(entry.AsMapEntry().Key()) + staticCost(entry.AsMapEntry().Value())
		}
	case celast.ComprehensionKind:
		c := e.AsComprehension()
		cost += staticCost(c.IterRange()) + staticCost(c.AccuInit()) + staticCost(c.Result())
	default:
	}
	return cost
}

// text charges a unit for so many bytes of text in the arguments.
func text(bytesPerUnit int) charge {
	return func(args []ref.Val) int {
		n := 0
		for _, arg := range args {
			n += length(arg)
		}
		return n / bytesPerUnit
	}
}

// length is the number of bytes of a text.
func length(val ref.Val) int {
	switch v := val.(type) {
	case types.String:
		return len(v)
	case types.Bytes:
		return len(v)
	default:
		return 0
	}
}

// items is the number of items or keys of a list or map.
func items(val ref.Val) int {
	if length(val) > 0 {
		return 0
	}
	if s, ok := val.(traits.Sizer); ok {
		if n, ok := s.Size().(types.Int); ok {
			return int(min(n, maxCallCost+1))
		}
	}
	return 0
}

func weight(val ref.Val) int { return plain.Weight(val, maxCallCost) }

// values charges for all values in the arguments.
func values(args []ref.Val) int {
	sum := 0
	for _, arg := range args {
		sum += weight(arg)
	}
	return sum
}

func textOrValues(bytesPerUnit int) charge {
	perText := text(bytesPerUnit)
	return func(args []ref.Val) int {
		if items(args[0]) > 0 && len(args) > 1 {
			return values(args)
		}
		return perText(args)
	}
}

// addition copies both operands; an accumulator grows by its second.
func addition(args []ref.Val) int {
	if _, ok := args[0].(traits.MutableLister); ok {
		return items(args[1])
	}
	return text(10)(args) + items(args[0]) + items(args[1])
}

// comparison ends with the smaller operand.
func comparison(args []ref.Val) int { return min(weight(args[0]), weight(args[1])) }

// search reads all of a list, or looks up a key.
func search(args []ref.Val) int {
	if _, ok := args[1].(traits.Mapper); ok {
		return length(args[0]) / 10
	}
	return weight(args[1])
}

func conversion(args []ref.Val) int {
	switch args[0].(type) {
	case types.Timestamp, types.Double, types.Duration:
		return 10
	default:
		return text(10)(args)
	}
}

// replacement makes, at worst, the new text at each place where the old one fits.
func replacement(args []ref.Val) int {
	if len(args) < 3 {
		return 0
	}
	in, old, by := length(args[0]), length(args[1]), length(args[2])
	return (in + (in/max(old, 1)+1)*by) / 5
}

// splitting makes a value of each part.
func splitting(args []ref.Val) int {
	in, isText := args[0].(types.String)
	separator, okSeparator := args[1].(types.String)
	if !isText || !okSeparator {
		return 0
	}
	return len(in)/10 + 3*strings.Count(string(in), string(separator))
}

func joining(args []ref.Val) int {
	separators := 0
	if len(args) > 1 {
		separators = items(args[0]) * length(args[1])
	}
	return weight(args[0]) + separators/10
}

// formatting prints its arguments, with as many digits as it is told to.
func formatting(args []ref.Val) int {
	pattern, _ := args[0].(types.String)
	digits, number := 0, 0
	for _, c := range []byte(pattern) {
		if c < '0' || c > '9' {
			digits, number = digits+number, 0
			continue
		}
		number = min(number*10+int(c-'0'), maxCallCost)
	}
	return len(pattern)/5 + digits + 2*values(args[1:])
}

func counting(args []ref.Val) int {
	n, _ := args[0].(types.Int)
	return 4 * int(max(0, min(n, maxCallCost)))
}

// sorting compares each item with as many others as their number has bits.
func sorting(args []ref.Val) int { return 2 * values(args) * bits.Len(uint(items(args[0]))) }

// pairs charges for comparing each value of n arguments, or of the first with itself, with each other.
func pairs(n int) charge {
	return func(args []ref.Val) int {
		first, second := weight(args[0]), weight(args[n-1])
		return min(first, maxCallCost) * min(second, maxCallCost) / 2
	}
}

// zone charges for finding a time zone by its name.
func zone(args []ref.Val) int { return 600 * (len(args) - 1) }
