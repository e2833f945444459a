package library

import (
	"bytes"
	"encoding/json"
	"runtime"
	"strings"
	"testing"
	"time"

	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

func TestProbe(t *testing.T) {
	const m = 1 << 20
	rep := func(s string) string { return strings.Repeat(s, m/len(s)) }
	in := map[string]string{
		"flow":      "[" + rep("a,") + "a]",
		"flow20k":   "[" + strings.Repeat("a,", 20000) + "a]",
		"map20k":    "{" + strings.Repeat("a: {},", 20000) + "a: b}",
		"big":       "a: " + rep("A"),
		"bigb64nl":  "a: |\n" + rep("  AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"),
		"folded":    "a: " + rep("A B "),
		"quoted":    "a: \"" + rep("\\u0041") + "\"",
		"squoted":    "a: '" + rep("''") + "'",
		"deepflow":  strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
		"deepflow+": strings.Repeat("[", 9000) + strings.Repeat("a,", 20000) + strings.Repeat("]", 9000),
		"deepblock": strings.Repeat("- ", 9000) + "a",
		"deepmap": strings.Repeat("{a: ", 9000) + strings.Repeat("}", 9000),
		"explicit":    rep("? "),
		"comments":  "a: b\n" + rep("#\n"),
		"comment":   "a: b\n# " + rep("A"),
		"blank":     "a: b\n" + rep("\n"),
		"plainlines": "a: b\n" + rep(" c\n"),
		"tags":      "a: " + rep("!"),
		"docs":      "a: b\n" + rep("---\n"),
		"percent":   rep("%a\n"),
		"intlong":   "a: " + rep("1"),
		"floatlong": "a: 1." + rep("1"),
		"colons":    "a: " + rep(":"),
		"manykeys": func() string { var b strings.Builder; for i := range 20000 { b.WriteString("k"); b.WriteString(strings.Repeat("x", i%40)); b.WriteString(time.Duration(i).String()); b.WriteString(": 1\n") }; return b.String() }(),
	}
	for name, s := range in {
		for _, v := range []string{"sigs", "v3"} {
			var a, b runtime.MemStats
			runtime.ReadMemStats(&a)
			start := time.Now()
			var err error
			if v == "sigs" {
				_, err = yaml.YAMLToJSONStrict([]byte(s))
			} else {
				var n yamlv3.Node
				err = yamlv3.NewDecoder(bytes.NewReader([]byte(s))).Decode(&n)
			}
			d := time.Since(start)
			runtime.ReadMemStats(&b)
			e := "ok"
			if err != nil {
				e = err.Error()
				if len(e) > 70 { e = e[:70] }
			}
			t.Logf("%-10s %-4s %8d B %10s %6.1f MiB %s", name, v, len(s), d.Round(time.Millisecond/10), float64(b.TotalAlloc-a.TotalAlloc)/m, e)
		}
	}
	s := "[" + rep("[],") + "[]]"
	start := time.Now()
	var x any
	_ = json.Unmarshal([]byte(s), &x)
	t.Log("json", time.Since(start))
}
