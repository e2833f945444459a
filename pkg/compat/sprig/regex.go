package sprig

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

var regexFunctions = map[string]spec{
	"regexMatch":                 {"ss", KindBool, regexMatch},
	"mustRegexMatch":             {"ss", KindBool, mustRegexMatch},
	"regexFind":                  {"ss", KindString, regexFind},
	"mustRegexFind":              {"ss", KindString, regexFind},
	"regexFindAll":               {"ssi", KindList, regexFindAll},
	"mustRegexFindAll":           {"ssi", KindList, regexFindAll},
	"regexReplaceAll":            {"sss", KindString, regexReplaceAll},
	"mustRegexReplaceAll":        {"sss", KindString, regexReplaceAll},
	"regexReplaceAllLiteral":     {"sss", KindString, regexReplaceAllLiteral},
	"mustRegexReplaceAllLiteral": {"sss", KindString, regexReplaceAllLiteral},
	"regexSplit":                 {"ssi", KindList, regexSplit},
	"mustRegexSplit":             {"ssi", KindList, regexSplit},
	"regexQuoteMeta":             {"s", KindString, onText(regexp.QuoteMeta)},
}

// The limits of regular expressions. Matching takes at most as many steps as the pattern has instructions for each
// byte of the text.
const (
	maxPattern   = 4096 // bytes
	maxProgram   = 4096 // instructions
	maxScanSteps = 1 << 20

	maxPatternCost = 200_000 // of expr's units, to compile it
)

var (
	errBadPattern   = refuse("the pattern is not a regular expression")
	errPatternLarge = expr.Failuref(expr.CodeTooExpensive, "the pattern is too large")
	errTextForRegex = expr.Failuref(expr.CodeTooExpensive, "the text is too large for the pattern")
)

// pattern is a regular expression, with what it costs for one byte of a text.
type pattern struct {
	*regexp.Regexp

	steps int
	// flat says that finding all matches scans a text a few times at most, not once for each match.
	flat bool
}

func compilePattern(source string) (pattern, error) {
	tree, err := parsePattern(source)
	if err != nil {
		return pattern{}, err
	}
	steps := programSize(tree)
	if steps > maxProgram {
		return pattern{}, errPatternLarge
	}
	compiled, err := regexp.Compile(source)
	if err != nil {
		return pattern{}, errBadPattern
	}
	return pattern{compiled, steps, isFlat(tree)}, nil
}

// parsePattern parses a pattern if that takes no time.
func parsePattern(source string) (*syntax.Regexp, error) {
	if len(source) > maxPattern || expr.PatternCost(source) > maxPatternCost {
		return nil, errPatternLarge
	}
	tree, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return nil, errBadPattern
	}
	return tree, nil
}

// patternFor compiles a pattern to find one match in s.
func patternFor(source, s string) (pattern, error) {
	p, err := compilePattern(source)
	if err == nil && p.steps*len(s) > maxScanSteps {
		err = errTextForRegex
	}
	return p, err
}

// programSize bounds the number of instructions that a pattern compiles to.
func programSize(tree *syntax.Regexp) int {
	size := 1
	for _, sub := range tree.Sub {
		size = min(size+1+programSize(sub), maxProgram+1)
	}
	switch tree.Op {
	case syntax.OpLiteral:
		size += len(tree.Rune)
	case syntax.OpRepeat:
		size = min(size*(1+max(tree.Min, tree.Max)), maxProgram+1)
	default:
	}
	return size
}

// isFlat reports whether a pattern is a sequence in which only single characters repeat without a bound. A search
// for such a pattern looks no further than where its match ends, or where no other can.
func isFlat(tree *syntax.Regexp) bool {
	switch tree.Op {
	case syntax.OpConcat, syntax.OpCapture:
		for _, sub := range tree.Sub {
			if !isFlat(sub) {
				return false
			}
		}
		return true
	case syntax.OpStar, syntax.OpPlus:
		return isCharacter(tree.Sub[0])
	case syntax.OpRepeat:
		return isCharacter(tree.Sub[0])
	default:
		return isBounded(tree)
	}
}

func isCharacter(tree *syntax.Regexp) bool {
	switch tree.Op {
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return true
	case syntax.OpLiteral:
		return len(tree.Rune) == 1
	default:
		return false
	}
}

// isBounded reports whether all matches of a pattern are short.
func isBounded(tree *syntax.Regexp) bool {
	if tree.Op == syntax.OpStar || tree.Op == syntax.OpPlus || tree.Op == syntax.OpRepeat {
		return false
	}
	for _, sub := range tree.Sub {
		if !isBounded(sub) {
			return false
		}
	}
	return true
}

// matches are the places of the first n matches in s, all if n is negative.
func (p pattern) matches(s string, n int) ([][]int, error) {
	limit, refusal := maxItems, errListTooLong
	if affordable := maxScanSteps / max(p.steps*len(s), 1); !p.flat && affordable < limit {
		limit, refusal = affordable, errTextForRegex
	}
	if n < 0 || n > limit {
		n = limit + 1
	}
	found := p.FindAllStringIndex(s, n)
	if len(found) > limit {
		return nil, refusal
	}
	return found, nil
}

// regexMatch takes a bad pattern for one that matches nothing.
func regexMatch(a args) (any, error) {
	out, err := mustRegexMatch(a)
	if errors.Is(err, errBadPattern) {
		return false, nil
	}
	return out, err
}

func mustRegexMatch(a args) (any, error) {
	p, err := patternFor(a.text(0), a.text(1))
	if err != nil {
		return nil, err
	}
	return p.MatchString(a.text(1)), nil
}

func regexFind(a args) (any, error) {
	p, err := patternFor(a.text(0), a.text(1))
	if err != nil {
		return nil, err
	}
	return p.FindString(a.text(1)), nil
}

func regexFindAll(a args) (any, error) {
	s := a.text(1)
	p, err := patternFor(a.text(0), s)
	if err != nil {
		return nil, err
	}
	found, err := p.matches(s, a.num(2))
	if err != nil || found == nil {
		return []any(nil), err
	}
	out := make([]any, len(found))
	for i, at := range found {
		out[i] = s[at[0]:at[1]]
	}
	return out, nil
}

func regexReplaceAll(a args) (any, error) {
	return a.replaceMatches((*regexp.Regexp).ReplaceAllString, strings.Count(a.text(2), "$"))
}

func regexReplaceAllLiteral(a args) (any, error) {
	return a.replaceMatches((*regexp.Regexp).ReplaceAllLiteralString, 0)
}

// replaceMatches replaces all matches. References into a match give no more than the match each.
func (a args) replaceMatches(replace func(p *regexp.Regexp, s, to string) string, references int) (any, error) {
	s, to := a.text(1), a.text(2)
	p, err := patternFor(a.text(0), s)
	if err != nil {
		return nil, err
	}
	found, err := p.matches(s, -1)
	if err != nil {
		return nil, err
	}
	if len(s)*(1+references)+len(found)*len(to) > maxFormatted {
		return nil, errTextTooLarge
	}
	return replace(p.Regexp, s, to), nil
}

func regexSplit(a args) (any, error) {
	s, n := a.text(1), a.num(2)
	p, err := patternFor(a.text(0), s)
	if err != nil {
		return nil, err
	}
	if _, err := p.matches(s, n); err != nil {
		return nil, err
	}
	return listOf(p.Split(s, n)), nil
}
