package expr

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Units of cost that compiling a regular expression takes, measured: for each byte, for a class of Unicode such as \pL,
// and for each character of a range that is compared without regard to case, which Go folds one by one.
const (
	patternByteCost  = 10
	patternClassCost = 3_000
	patternFoldCost  = 3
)

var (
	// foldsCase is what makes a regular expression compare without regard to case.
	foldsCase = regexp.MustCompile(`\(\?[a-zA-Z]*i`)
	// rangeEnd is the end of a range that is no letter of ASCII: by its number, or as it is.
	rangeEnd = regexp.MustCompile(`-(?:\\x\{([0-9a-fA-F]*)\}|\\x([0-9a-fA-F]{2})|\\([0-7]{1,3})|([^\x00-\x7F]))`)
)

// PatternCost is what compiling a regular expression costs at most, or some number beyond what one call may cost. It
// looks at the text alone: some of a few kilobytes would take Go a second.
func PatternCost(pattern string) int {
	cost := patternByteCost * len(pattern)
	cost += patternClassCost * (strings.Count(pattern, `\p`) + strings.Count(pattern, `\P`))
	if !foldsCase.MatchString(pattern) {
		return cost
	}
	for cost <= maxCallCost { // beyond that nobody asks how much it is
		m := rangeEnd.FindStringSubmatch(pattern)
		if m == nil {
			break
		}
		cost += patternFoldCost * (lastOf(m) + 1)
		_, pattern, _ = strings.Cut(pattern, m[0])
	}
	return cost
}

// lastOf is the character that ends a range, as rangeEnd finds it.
func lastOf(m []string) int {
	if m[4] != "" {
		r, _ := utf8.DecodeRuneInString(m[4])
		return int(r)
	}
	number, base := m[1]+m[2], 16
	if m[3] != "" {
		number, base = m[3], 8
	}
	last, err := strconv.ParseInt(number, base, 32)
	if err != nil {
		return utf8.MaxRune
	}
	return int(min(last, utf8.MaxRune))
}
