package sprig

import (
	"math"
	"strconv"
)

var castFunctions = map[string]spec{
	"int":       {"a", KindInt, func(a args) (any, error) { return int(toInt64(a[0])), nil }},
	"int64":     {"a", KindInt, func(a args) (any, error) { return toInt64(a[0]), nil }},
	"float64":   {"a", KindFloat, func(a args) (any, error) { return toFloat64(a[0]), nil }},
	"atoi":      {"s", KindInt, atoi},
	"toDecimal": {"a", KindInt, toDecimal},
}

// atoi gives zero for what is no number, and the nearest int for one that is too large.
func atoi(a args) (any, error) {
	n, _ := strconv.Atoi(a.text(0))
	return n, nil
}

// toDecimal reads the octal digits of a printed value, such as a file mode.
func toDecimal(a args) (any, error) {
	s, err := textOf(a[0])
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseInt(s, 8, 64)
	if err != nil {
		return int64(0), nil //nolint:nilerr // what is no number is zero
	}
	return n, nil
}

// toInt64 makes an integer of any value, zero of what is none. The prefixes 0x, 0b and 0 are those of Go.
func toInt64(v any) int64 {
	if n, ok := integer(v); ok {
		return n
	}
	switch v := v.(type) {
	case float64:
		return truncated(v)
	case bool:
		if v {
			return 1
		}
	case string:
		if n, err := strconv.ParseInt(withoutZeroFraction(v), 0, 64); err == nil {
			return n
		}
	}
	return 0
}

// truncated gives the least integer for a float that has none, as a 64-bit PC does, on every machine.
func truncated(f float64) int64 {
	if f >= math.MinInt64 && f < -math.MinInt64 {
		return int64(f)
	}
	return math.MinInt64
}

// withoutZeroFraction cuts ".0", ".00" and so on, the dots after it too.
func withoutZeroFraction(s string) string {
	zero := false
	for i := len(s) - 1; i >= 0; i-- {
		switch {
		case s[i] == '0':
			zero = true
		case s[i] == '.' && zero:
			return s[:i]
		case s[i] != '.':
			return s
		}
	}
	return s
}

// toFloat64 makes a float of any value, zero of what is none.
func toFloat64(v any) float64 {
	if n, ok := integer(v); ok {
		return float64(n)
	}
	switch v := v.(type) {
	case float64:
		return v
	case bool:
		if v {
			return 1
		}
	case string:
		if f, err := strconv.ParseFloat(v, 64); err == nil {
			return f
		}
	}
	return 0
}
