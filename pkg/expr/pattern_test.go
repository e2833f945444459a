package expr

import "testing"

// TestPatternCost shows what makes a regular expression expensive to compile.
func TestPatternCost(t *testing.T) {
	cases := map[string]struct {
		reason, pattern string
		least, most     int
	}{
		"Plain":    {"each byte costs", "^(a|b)+-[0-9]*$", 150, 150},
		"Class":    {"a class of Unicode costs as much as hundreds of bytes", `\pL\P{Greek}`, 6_000, 6_200},
		"Fold":     {"a range without regard to case costs its characters", `(?i)[a-\x{ffff}]`, 3 * 0xffff, 3*0xffff + 1_000},
		"Octal":    {"however its end is written", `(?s-i)(?mi)[a-\777]`, 3 * 0o777, 3*0o777 + 1_000},
		"Literal":  {"also as it is", "(?i)[a-\U00010000]", 3 * 0x10000, 3*0x10000 + 1_000},
		"Huge":     {"a number that is none counts as the last character", `(?i)[a-\x{fffffffffff}]`, 3 * 0x10ffff, 3*0x10ffff + 1_000},
		"NoFold":   {"with regard to case it costs nothing", `(?s)[a-\x{10ffff}]`, 1, 200},
		"ASCII":    {"ranges of ASCII cost nothing", `(?i)[a-z0-9]`, 1, 200},
		"NoPrefix": {"other groups say nothing of case", `(?:x)(?P<i>[a-\x{10ffff}])`, 1, 400},
	}
	for name, tc := range cases {
		if got := PatternCost(tc.pattern); got < tc.least || got > tc.most {
			t.Errorf("%s: %s: %s costs %d, not %d to %d", name, tc.reason, tc.pattern, got, tc.least, tc.most)
		}
	}
}
