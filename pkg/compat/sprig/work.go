package sprig

import (
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/expr/plain"
)

// works are the functions that take more than to read their arguments and to make their result, with what they take in
// units of cost, which are 50 nanoseconds.
var works = map[string]func(a args) int{
	"uniq": comparisons, "mustUniq": comparisons, "without": comparisons, "mustWithout": comparisons,
	"regexMatch": matching, "mustRegexMatch": matching, "regexFind": matching, "mustRegexFind": matching,
	"regexFindAll": matchingAll, "mustRegexFindAll": matchingAll, "regexSplit": matchingAll, "mustRegexSplit": matchingAll,
	"regexReplaceAll": matchingAll, "mustRegexReplaceAll": matchingAll,
	"regexReplaceAllLiteral": matchingAll, "mustRegexReplaceAllLiteral": matchingAll,
	"camelcase": slowText, "snakecase": slowText, "kebabcase": slowText, "swapcase": slowText, "title": slowText, "untitle": slowText,
	"nospace": slowText, "initials": slowText, "quote": slowText, "squote": slowText, "js": escaping,
	"add": slowText, "add1": slowText, "sub": slowText, "mul": slowText, "div": slowText, "mod": slowText, "max": slowText,
	"biggest": slowText, "min": slowText, "maxf": slowText, "minf": slowText, "ceil": slowText, "floor": slowText, "round": slowText,
	"int": slowText, "int64": slowText, "float64": slowText, "atoi": slowText,
	"toPrettyJson": slowText, "mustToPrettyJson": slowText, "dict": printedKeys,
}

// bounding gives a work function the number of arguments that it counts on; any other number is refused by the call.
func (f Function) bounding(work func(a args) int) func([]any) int {
	return func(in []any) int {
		if len(in) < f.MinArgs {
			return 0
		}
		return work(in)
	}
}

// slowText is what looking at each character of texts takes, or making an error of a text that is no number.
func slowText(a args) int {
	n := 0
	for _, v := range a {
		n += 2 * (plain.WeightOfJSON(v, maxWork) - 1) // a number costs nothing
	}
	return n
}

// escaping is what writing each character anew takes.
func escaping(a args) int { return 2 * slowText(a) }

// printedKeys are every second argument, printed.
func printedKeys(a args) int {
	n := 0
	for i := 0; i < len(a); i += 2 {
		n += 4 * plain.WeightOfJSON(a[i], maxWork)
	}
	return n
}

// comparisons are those of each list and map of a list with each other, or with each of the other arguments.
func comparisons(a args) int {
	list, _ := a[0].([]any)
	composites := 0
	for _, item := range list {
		if _, ok := scalar(item); !ok {
			composites++
		}
	}
	others := len(a) - 1
	if others == 0 {
		others = composites
	}
	return 2 * min(composites*others, maxWork)
}

// stepsPerUnit is how many steps of a match take a unit.
const stepsPerUnit = 12

// matching compiles a pattern and finds one match.
func matching(a args) int {
	cost, steps := patternWork(a)
	return cost + steps*len(a.text(1))/stepsPerUnit
}

// matchingAll finds the matches once to count them and once to use them. Where a match may not be found but by reading
// all of the text, it may be read for each of its bytes.
func matchingAll(a args) int {
	cost, steps := patternWork(a)
	text := len(a.text(1))
	return cost + 2*(text+min(steps*text*(1+text), maxScanSteps)/stepsPerUnit)
}

// patternWork is what compiling a pattern takes, and its steps; none if it is refused.
func patternWork(a args) (cost, steps int) {
	source := a.text(0)
	if len(source) > maxPattern {
		return 0, 0
	}
	cost = expr.PatternCost(source)
	tree, err := parsePattern(source)
	if err != nil {
		return cost, 0
	}
	steps = programSize(tree)
	return cost + compiling*steps, steps
}

// compiling is what an instruction of a pattern takes to be compiled.
const compiling = 10
