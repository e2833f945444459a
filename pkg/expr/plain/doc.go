// Package plain joins the two kinds of value that an evaluation handles: JSON values as the API machinery decodes
// them (map[string]any, []any, string, bool, int64, float64 and nil), and CEL's.
//
// JSON values become CEL values without a copy, and come back as themselves: nothing here changes one.
package plain
