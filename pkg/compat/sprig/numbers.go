package sprig

import (
	"math"
	"strconv"
	"strings"
)

var numberFunctions = map[string]spec{
	"add":       {"a*", KindInt, reduceFrom(0, func(x, y int64) int64 { return x + y })},
	"add1":      {"a", KindInt, func(a args) (any, error) { return toInt64(a[0]) + 1, nil }},
	"sub":       {"aa", KindInt, func(a args) (any, error) { return toInt64(a[0]) - toInt64(a[1]), nil }},
	"mul":       {"aa*", KindInt, reduce(func(x, y int64) int64 { return x * y })},
	"div":       {"aa", KindInt, divide(func(x, y int64) int64 { return x / y })},
	"mod":       {"aa", KindInt, divide(func(x, y int64) int64 { return x % y })},
	"max":       {"aa*", KindInt, reduce(func(x, y int64) int64 { return max(x, y) })},
	"biggest":   {"aa*", KindInt, reduce(func(x, y int64) int64 { return max(x, y) })},
	"min":       {"aa*", KindInt, reduce(func(x, y int64) int64 { return min(x, y) })},
	"maxf":      {"aa*", KindFloat, reduceFloat(math.Max)},
	"minf":      {"aa*", KindFloat, reduceFloat(math.Min)},
	"ceil":      {"a", KindFloat, func(a args) (any, error) { return math.Ceil(toFloat64(a[0])), nil }},
	"floor":     {"a", KindFloat, func(a args) (any, error) { return math.Floor(toFloat64(a[0])), nil }},
	"round":     {"aif*", KindFloat, round},
	"until":     {"i", KindList, until},
	"untilStep": {"iii", KindList, func(a args) (any, error) { return steps(a.num(0), a.num(1), a.num(2)) }},
	"seq":       {"i*", KindString, seq},
}

func reduceFrom(start int64, f func(x, y int64) int64) func(args) (any, error) {
	return func(a args) (any, error) {
		out := start
		for _, v := range a {
			out = f(out, toInt64(v))
		}
		return out, nil
	}
}

func reduce(f func(x, y int64) int64) func(args) (any, error) {
	return func(a args) (any, error) {
		return reduceFrom(toInt64(a[0]), f)(a[1:])
	}
}

func reduceFloat(f func(x, y float64) float64) func(args) (any, error) {
	return func(a args) (any, error) {
		out := toFloat64(a[0])
		for _, v := range a[1:] {
			out = f(out, toFloat64(v))
		}
		return out, nil
	}
}

func divide(f func(x, y int64) int64) func(args) (any, error) {
	return func(a args) (any, error) {
		y := toInt64(a[1])
		if y == 0 {
			return nil, refuse("division by zero")
		}
		return f(toInt64(a[0]), y), nil
	}
}

// round rounds to a number of places; the third argument is the fraction from which on it rounds up.
func round(a args) (any, error) {
	from := .5
	if len(a) > 2 {
		from = a.float(2)
	}
	scale := math.Pow(10, float64(a.num(1)))
	scaled := scale * toFloat64(a[0])
	if _, fraction := math.Modf(scaled); fraction >= from {
		return math.Ceil(scaled) / scale, nil
	}
	return math.Floor(scaled) / scale, nil
}

func until(a args) (any, error) {
	if stop := a.num(0); stop < 0 {
		return steps(0, stop, -1)
	}
	return steps(0, a.num(0), 1)
}

// digits is how many characters a number has at most.
func digits(n int) int {
	count := 2 // one, and its sign
	for ; n > 9 || n < -9; n /= 10 {
		count++
	}
	return count
}

// steps are the numbers from start towards stop, which is not one of them; none if step leads away.
func steps(start, stop, step int) ([]any, error) {
	count := 0
	if err := eachStep(start, stop, step, func(int) { count++ }); err != nil {
		return nil, err
	}
	out := make([]any, 0, count)
	_ = eachStep(start, stop, step, func(n int) { out = append(out, n) }) // as before
	return out, nil
}

func eachStep(start, stop, step int, do func(n int)) error {
	if step == 0 || (stop < start) != (step < 0) {
		return nil
	}
	for i, n := start, 0; step > 0 && i < stop || step < 0 && i > stop; i, n = i+step, n+1 {
		if n == maxItems {
			return errListTooLong
		}
		do(i)
	}
	return nil
}

// seq prints numbers from one to its argument, from its first to its second, or from its first by its second to
// its third, the last one included.
func seq(a args) (any, error) {
	var start, step, end int
	switch len(a) {
	case 1:
		start, end = 1, a.num(0)
	case 2:
		start, end = a.num(0), a.num(1)
	case 3:
		start, step, end = a.num(0), a.num(1), a.num(2)
	default:
		return "", nil
	}
	beyond := 1
	if end < start {
		beyond = -1
	}
	switch {
	case len(a) < 3:
		step = beyond
	case end < start && step > 0:
		return "", nil
	}
	size := 0
	if err := eachStep(start, end+beyond, step, func(n int) { size += 1 + digits(n) }); err != nil {
		return nil, err
	}
	var b strings.Builder
	b.Grow(size)
	_ = eachStep(start, end+beyond, step, func(n int) { // as before
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.Itoa(n))
	})
	return b.String(), nil
}
