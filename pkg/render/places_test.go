package render

import (
	"strings"
	"testing"
)

// TestPlaces shows that places are found whatever was asked for before.
func TestPlaces(t *testing.T) {
	text := "a\nbéc\n\n" + strings.Repeat("x", 5) + "\xff\n"
	cases := map[string]struct {
		line, column, want int
	}{
		"Start":     {1, 1, 0},
		"Character": {2, 3, 5},
		"Again":     {2, 2, 3},
		"Empty":     {3, 1, 7},
		"NoUTF8":    {4, 7, 14},
		"Back":      {1, 2, 1},
		"NextLine":  {1, 3, 2},
		"NoLine":    {9, 1, len(text)},
		"NoColumn":  {4, 99, len(text)},
	}
	for first := range cases {
		for second, tc := range cases {
			p := newPlaces(text)
			p.of(cases[first].line, cases[first].column)
			if got := p.of(tc.line, tc.column); got != tc.want {
				t.Errorf("after %s, %s is at %d, not %d", first, second, got, tc.want)
			}
		}
	}
}
