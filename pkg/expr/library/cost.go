package library

import (
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// charge is what a function costs, in CEL units per ten bytes of text and per value. CEL's own string functions
// charge one unit for ten bytes, which is about ten nanoseconds a byte; the others are measured against it.
type charge struct {
	text, value uint64
}

// charges are those of each function. Values are those that JSON and YAML can have; what a kubeconfig has is behind
// base64, so its text is charged as if it were full of them.
var charges = map[string]charge{
	"b64enc":                {text: 1},
	"b64dec":                {text: 1},
	"dns.label":             {text: 2},
	"dns.subdomain":         {text: 2},
	"json.unmarshal":        {text: 1, value: 4},
	"json.marshal":          {text: 1, value: 4},
	"yaml.unmarshal":        {text: 4, value: 8},
	"yaml.marshal":          {text: 8, value: 16},
	"kubeconfig.server":     {text: 24},
	"kubeconfig.withServer": {text: 48},
	"kubeconfig.fromToken":  {text: 8},
}

// Charges reports whether a function is of this package.
func Charges(function string) bool {
	_, ok := charges[function]
	return ok
}

// Cost is what a call of a function of this package costs, in CEL units: at least one, and proportional to the text
// and the values in its arguments. What a function returns is in proportion to them and needs no further charge.
func Cost(function string, args []ref.Val) uint64 {
	c := charges[function]
	var m measure
	for _, arg := range args {
		m.add(arg, c.value > 0)
	}
	return 1 + (m.bytes+9)/10*c.text + m.values*c.value
}

// measure is the size of arguments.
type measure struct {
	bytes, values uint64
}

// add measures a value. It stops at the number of values that no function goes beyond, and so it is as bounded as
// the call that it charges for.
func (m *measure) add(val ref.Val, marked bool) {
	if m.values++; m.values > maxValues {
		return
	}
	switch v := val.(type) {
	case types.String:
		m.bytes += uint64(len(v))
		if marked {
			m.values += uint64(min(marks(string(v)), maxValues)) //nolint:gosec // not negative
		}
	case types.Bytes:
		m.bytes += uint64(len(v))
	case traits.Mapper:
		for it := v.Iterator(); it.HasNext() == types.True && m.values <= maxValues; {
			key := it.Next()
			m.add(key, false)
			m.add(v.Get(key), false)
		}
	case traits.Lister:
		for it := v.Iterator(); it.HasNext() == types.True && m.values <= maxValues; {
			m.add(it.Next(), false)
		}
	}
}
