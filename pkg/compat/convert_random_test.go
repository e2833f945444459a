package compat_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/cel-go/cel"

	"github.com/clusterimport/clusterimport/pkg/compat"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/render"
)

// convertedTemplates is how many random templates are converted for a seed.
const convertedTemplates = 700

// TestConvertRandom converts random templates. Each conversion compiles, and where it gives something else than the
// template does, one of its assumptions says so.
func TestConvertRandom(t *testing.T) {
	fresh := uint64(time.Now().UnixNano())
	for _, seed := range []uint64{1, fresh} {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			c := &conversions{comparison: &comparison{generator: newGenerator(seed, 3), open: languageEnv(t), typed: typedEnv(t)}, kinds: map[compat.AssumptionKind]int{}}
			for range convertedTemplates / slower {
				c.template(t)
			}
			t.Logf("%d converted, %d stay; %d evaluations, %d differ, by these assumptions: %v", c.converted, c.stay, c.evaluations, c.assumed, c.kinds)
			if c.converted < c.stay/5 {
				t.Errorf("only %d of %d are converted", c.converted, c.converted+c.stay)
			}
		})
	}
}

// conversions counts.
type conversions struct {
	*comparison

	converted, stay, assumed int
	kinds                    map[compat.AssumptionKind]int
}

func (c *conversions) template(t *testing.T) {
	t.Helper()
	env := c.open
	if c.conforming = c.one(2); c.conforming {
		env = c.typed
	}
	src := c.generator.template()
	exact, err := translate(env, src)
	if err != nil {
		t.Fatalf("%s\nis refused: %v", src, err)
	}
	text := c.conversion(compat.ConvertText(env, "field", src))
	condition := c.conversion(compat.ConvertCondition(env, "field", src))
	var data []map[string]any
	for range randomData {
		data = append(data, c.data())
	}
	if text != nil {
		compiled, list := render.ParseText(env, "field", text.Text)
		if compiled == nil {
			t.Fatalf("%s\nis converted to\n%s\n%s", src, text.Text, list)
		}
		for _, d := range data {
			got, err := compiled.Text(t.Context(), binding(d))
			c.compare(t, src, text, d, exact.printed(t, d), outcome{got, err})
		}
	}
	if condition != nil {
		compiled, list := env.Compile(expr.Whole("field", condition.Text), cel.BoolType)
		if compiled == nil {
			t.Fatalf("%s\nis converted to\n%s\n%s", src, condition.Text, list)
		}
		for _, d := range data {
			c.compare(t, src, condition, d, exact.truth(t, d), translation{condition: compiled}.truth(t, d))
		}
	}
}

func (c *conversions) conversion(converted *compat.Conversion, _ any) *compat.Conversion {
	if converted == nil {
		c.stay++
	} else {
		c.converted++
	}
	return converted
}

// compare holds an outcome of converted CEL against that of the template.
func (c *conversions) compare(t *testing.T, src string, converted *compat.Conversion, data map[string]any, want, got outcome) {
	t.Helper()
	c.evaluations++
	if got.same(want) {
		return
	}
	c.assumed++
	for _, a := range converted.Assumptions {
		if explains(a.Kind, want, got) || a.Kind == compat.AssumesKind && hasNull(data) {
			c.kinds[a.Kind]++
			return
		}
	}
	c.reportf(t, "%s\nis converted to\n%s\nwhich differs with %v\nwant %v\ngot  %v\nassumptions %v", src, converted.Text, data, want, got, converted.Assumptions)
}

// hasNull reports whether a null is anywhere in data: to a template it equals what is absent, and it is of no kind.
func hasNull(data any) bool {
	switch v := data.(type) {
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), hasNull)
	case []any:
		return slices.ContainsFunc(v, hasNull)
	default:
		return v == nil
	}
}

// explains reports whether an assumption that does not hold may have this effect.
func explains(kind compat.AssumptionKind, want, got outcome) bool {
	switch kind {
	case compat.AssumesErrors:
		return want.err != nil && got.err == nil
	case compat.AssumesObject, compat.AssumesIndex, compat.AssumesKind:
		return want.err != nil || got.err != nil
	case compat.AssumesOneMatch:
		return want.text == "false" && got.text == "true"
	case compat.AssumesPresent, compat.AssumesList, compat.AssumesScalar, compat.AssumesASCII, compat.AssumesBase64:
		return true
	default:
		return false
	}
}
