package library_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/cel-go/ext"
)

const notJSON = "the text is not one JSON value"

func TestJSONUnmarshal(t *testing.T) {
	run(t, map[string]testCase{
		"Object": {
			reason: "A document becomes values with the types that it shows.",
			expr:   `json.unmarshal("{\"a\": [1, 1.5, \"x\", true, null], \"b\": {}}")`,
			want:   map[string]any{"a": []any{int64(1), 1.5, "x", true, nil}, "b": map[string]any{}},
		},
		"Field": {
			reason: "A field is selected as of any other object.",
			expr:   `json.unmarshal(source).spec.port == 6443`, vars: source(`{"spec": {"port": 6443}}`), want: true,
		},
		"Numbers": {
			reason: "What is written as a double stays one; what does not fit in an int becomes one.",
			expr:   `json.unmarshal("[1.0, 1e2, -0, 9223372036854775807, 9223372036854775808]")`,
			want:   []any{1.0, 100.0, int64(0), int64(9223372036854775807), 9223372036854775808.0},
		},
		"HugeNumber": {reason: "Infinity is not JSON.", expr: `json.unmarshal("1e999")`, wantErr: "a number does not fit in 64 bits"},
		"Scalar":     {reason: "A text may be one scalar.", expr: `json.unmarshal(" \"a\" ")`, want: "a"},
		"Null":       {reason: "null is null.", expr: `json.unmarshal("null") == null`, want: true},
		"Twice": {
			reason: "A document that says two things is refused.",
			expr:   `json.unmarshal("{\"a\": 1, \"a\": 1}")`, wantErr: "a key is given twice",
		},
		"Empty":       {reason: "No text is no value.", expr: `json.unmarshal("")`, wantErr: notJSON},
		"Two":         {reason: "A text is one value.", expr: `json.unmarshal("1 2")`, wantErr: notJSON},
		"Cut":         {reason: "A cut text is refused.", expr: `json.unmarshal("[1")`, wantErr: notJSON},
		"Comma":       {reason: "JSON has no comma at the end.", expr: `json.unmarshal("[1,]")`, wantErr: notJSON},
		"Mismatch":    {reason: "A bracket closes its own kind.", expr: `json.unmarshal("[1}")`, wantErr: notJSON},
		"KeyNoString": {reason: "Keys are strings.", expr: `json.unmarshal("{1: 2}")`, wantErr: notJSON},
		"Deep": {
			reason: "100 levels are read.",
			expr:   `size(json.unmarshal(source))`, vars: source(nested(100)), want: int64(1),
		},
		"TooDeep": {
			reason: "More are refused.",
			expr:   `json.unmarshal(source)`, vars: source(nested(101)), wantErr: "the value is nested too deeply",
		},
		"TooMany": {
			reason: "Values cost memory, however short.",
			expr:   `json.unmarshal(source)`, vars: source("[" + strings.Repeat("0,", 20_000) + "0]"),
			wantErr: "there are too many values",
		},
		"Long": {
			reason: "1 MiB is read.",
			expr:   `size(json.unmarshal(source))`, vars: source(`"` + strings.Repeat("a", 1<<20-2) + `"`), want: int64(1<<20 - 2),
		},
		"TooLong": {
			reason: "More is refused before it is read.",
			expr:   `json.unmarshal(source)`, vars: source(strings.Repeat(" ", 1<<20+1)), wantErr: "the text is too long",
		},
	})
}

func TestJSONMarshal(t *testing.T) {
	run(t, map[string]testCase{
		"Object": {
			reason: "Keys are in their order, nothing is escaped for HTML, and there are no spaces.",
			expr:   `json.marshal({"b": [dyn(1), 1.5, null, true, 2u], "a": dyn("<&>日")})`,
			want:   `{"a":"<&>日","b":[1,1.5,null,true,2]}`,
		},
		"Kinds": {
			reason: "Bytes, times and durations have the form that Kubernetes' JSON gives them.",
			expr:   `json.marshal([dyn(b"a"), timestamp("2026-01-02T03:04:05Z"), duration("90m")])`,
			want:   `["YQ==","2026-01-02T03:04:05Z","1h30m0s"]`,
		},
		"Optionals": {
			reason: "An optional is its value, and without one its key or item is dropped.",
			expr:   `json.marshal([{"a": optional.of(1), "b": optional.none()}])`, want: `[{"a":1}]`,
		},
		"NoValue":   {reason: "There is nothing to write.", expr: `json.marshal(optional.none())`, wantErr: "the value has no JSON form"},
		"NaN":       {reason: "JSON has no NaN.", expr: `json.marshal(double("NaN"))`, wantErr: "the value has no JSON form"},
		"Infinity":  {reason: "JSON has no infinity.", expr: `json.marshal([-double("Inf")])`, wantErr: "the value has no JSON form"},
		"Type":      {reason: "A type is no JSON value.", expr: `json.marshal(int)`, wantErr: "the value has no JSON form"},
		"KeyNumber": {reason: "The keys of JSON are strings.", expr: `json.marshal({1: 2})`, wantErr: "the keys of an object must be strings"},
		"TooLong": {
			reason: "Texts are bounded.",
			expr:   `json.marshal(source)`, vars: source(strings.Repeat("a", 1<<20+1)), wantErr: "the text is too long",
		},
		"TooLongEscaped": {
			reason: "Escapes count.",
			expr:   `json.marshal(source)`, vars: source(strings.Repeat("\x01", 1<<19)), wantErr: "the text is too long",
		},
		"TooLongKeys": {
			reason: "Keys count.",
			expr:   `json.marshal(source)`, vars: source(map[string]any{strings.Repeat("a", 1<<20+1): 1}), wantErr: "the text is too long",
		},
		"TooMany": {
			reason: "Values are bounded.",
			expr:   `json.marshal(source)`, vars: source(make([]bool, 20_001)), wantErr: "there are too many values",
		},
		"TooDeep": {
			reason: "Levels are bounded.",
			expr:   `json.marshal({"a": [{"b": json.unmarshal(source)}]})`, vars: source(nested(98)), wantErr: "the value is nested too deeply",
		},
		"RoundTrip": {
			reason: "What is written is read as the same value.",
			expr:   `json.unmarshal(json.marshal(source)) == source`,
			vars:   source(map[string]any{"a": []any{int64(1), 2.5, "\u2028\x00", nil, true}}), want: true,
		},
	})
}

// TestLazyLists holds that a list that is far larger than its expression is not walked to its end.
func TestLazyLists(t *testing.T) {
	expr := "[1, 1]"
	for range 25 {
		expr = "cel.bind(l, " + expr + ", l + l)"
	}
	for _, function := range []string{"json.marshal", "yaml.marshal"} {
		_, err := evaluate(t, newEnv(t, ext.Bindings()), function+"("+expr+")", nil)
		if err == nil || err.Error() != "there are too many values" {
			t.Errorf("%s: error %v", function, err)
		}
	}
}

// nested is a JSON text of so many levels.
func nested(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }

// FuzzJSON compares with the standard library, which reads more: keys that are given twice, and more of everything.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{"a": [1, 2.5, "x\u0000", null]}`, "[1,]", "[1 2]", "{", "1e999", `{"a":1,"a":2}`, "\xff", nested(101), "-"} {
		f.Add(seed)
	}
	env := newEnv(f)
	program := compile(f, env, "json.unmarshal(source)")
	again := compile(f, env, "json.unmarshal(json.marshal(json.unmarshal(source)))")
	f.Fuzz(func(t *testing.T, text string) {
		got, _, err := program.Eval(source(text))
		if err != nil {
			if err.Error() == notJSON && json.Valid([]byte(text)) {
				t.Errorf("%q is JSON: %v", text, err)
			}
			return
		}
		var want any
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatalf("%q is not JSON: %v", text, err)
		}
		if !reflect.DeepEqual(floats(native(got)), want) {
			t.Errorf("%q is read as %v, want %v", text, native(got), want)
		}
		if back, _, err := again.Eval(source(text)); err != nil || !reflect.DeepEqual(floats(native(back)), want) {
			t.Errorf("%q does not survive being written: %v, error %v", text, back, err)
		}
	})
}

// floats makes all numbers what the standard library makes of them.
func floats(value any) any {
	switch v := value.(type) {
	case int64:
		return float64(v)
	case []any:
		for i := range v {
			v[i] = floats(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = floats(v[key])
		}
	}
	return value
}
