// Package sprig owns the functions that a Go template may call, the plain ones of text/template and those of
// the sprig library, as functions on plain Go values. The result, value or error, is the one that a template gets.
//
// Values are string, bool, int (what a constant and the functions marked GoInt give), int64 (what data holds),
// float64, []any, map[string]any, nil (an explicit null) and Absent (no value at all). Arguments are checked as
// text/template checks them: a parameter of a fixed type takes that type only, a map parameter takes an absent
// map as an empty one, and every other parameter takes anything.
//
// Functions are pure, bounded in time and memory, change no argument, never panic and may be called concurrently.
// What they differ in from the originals is deliberate:
//
//   - has, without, uniq and deepEqual compare numbers by value and lists by their items, not by Go type;
//   - keys and values are sorted by key, and merge leaves its first argument as it is;
//   - a slice has no spare capacity: slice, and append after it, reach no item beyond the end of a list;
//   - the lists and maps of texts that split, splitList and others give are lists and maps of anything;
//   - a result is a mebibyte of text or a hundred thousand items at most, printf takes no width from an argument,
//     and a pattern or a constraint has a bounded size.
//
// The package refuses to own what a template means: it parses none, knows no CEL and decides about no policy. It
// has no function that reads the environment, the network, a clock or a source of randomness, makes a key or
// changes a map: Lookup says of those why they are refused.
package sprig
