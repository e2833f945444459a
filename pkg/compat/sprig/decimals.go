package sprig

import (
	"math"
	"math/big"
	"strconv"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

var decimalFunctions = map[string]spec{
	"add1f": {"a", KindFloat, func(a args) (any, error) { return decimal(args{a[0], 1}, addDecimal) }},
	"addf":  {"a*", KindFloat, func(a args) (any, error) { return decimal(append(args{0}, a...), addDecimal) }},
	"subf":  {"aa*", KindFloat, func(a args) (any, error) { return decimal(a, subDecimal) }},
	"mulf":  {"aa*", KindFloat, func(a args) (any, error) { return decimal(a, mulDecimal) }},
	"divf":  {"aa*", KindFloat, func(a args) (any, error) { return decimal(a, divDecimal) }},
}

// maxDecimalBits bounds a product of many factors; one float takes about a thousand bits at most.
const maxDecimalBits = 1 << 14

var (
	errNotFinite = refuse("a number is infinite or NaN")
	errDecimals  = expr.Failuref(expr.CodeTooExpensive, "the result has too many digits")
)

func addDecimal(x, y *big.Rat) error { x.Add(x, y); return nil }
func subDecimal(x, y *big.Rat) error { x.Sub(x, y); return nil }
func mulDecimal(x, y *big.Rat) error { x.Mul(x, y); return nil }

// divDecimal rounds to 16 places, halves away from zero.
func divDecimal(x, y *big.Rat) error {
	if y.Sign() == 0 {
		return refuse("division by zero")
	}
	scale := big.NewInt(1e16)
	x.Quo(x, y)
	scaled, rest := new(big.Int).Mul(x.Num(), scale), new(big.Int)
	scaled.QuoRem(scaled, x.Denom(), rest)
	if rest.Abs(rest).Lsh(rest, 1).Cmp(x.Denom()) >= 0 {
		scaled.Add(scaled, big.NewInt(int64(x.Sign())))
	}
	x.SetFrac(scaled, scale)
	return nil
}

// decimal computes with the decimal digits that the floats print with, so 0.1 and 0.2 make 0.3.
func decimal(a args, f func(x, y *big.Rat) error) (any, error) {
	var out *big.Rat
	for _, v := range a {
		x, err := rational(toFloat64(v))
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = x
			continue
		}
		if err := f(out, x); err != nil {
			return nil, err
		}
		if out.Num().BitLen() > maxDecimalBits || out.Denom().BitLen() > maxDecimalBits {
			return nil, errDecimals
		}
	}
	result, _ := out.Float64()
	return result, nil
}

func rational(f float64) (*big.Rat, error) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, errNotFinite
	}
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'e', -1, 64))
	if !ok {
		return nil, errNotFinite
	}
	return r, nil
}
