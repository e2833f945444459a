package compat_test

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"text/template"

	"github.com/Masterminds/sprig/v3"

	"github.com/clusterimport/clusterimport/pkg/compat"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// outcome is what a field comes to: its text, or an error.
type outcome struct {
	text string
	err  error
}

func (o outcome) String() string {
	if o.err != nil {
		return fmt.Sprintf("error: %v", o.err)
	}
	return strconv.Quote(o.text)
}

func (o outcome) same(other outcome) bool {
	return (o.err != nil) == (other.err != nil) && (o.err != nil || o.text == other.text)
}

// truth is the outcome as a condition: upstream's test of the text.
func (o outcome) truth() outcome {
	if o.err != nil {
		return o
	}
	return outcome{text: strconv.FormatBool(strings.ToLower(strings.TrimSpace(o.text)) == "true")}
}

// original is a template as Clusterpedia executes it, without the HTML escaping.
type original struct{ *template.Template }

var (
	functions = sprig.TxtFuncMap()
	bare      = template.New("field").Funcs(functions).Funcs(template.FuncMap{"fieldOr": fieldOr})
)

func parseOriginal(src string) (original, error) {
	t, err := template.Must(bare.Clone()).Parse(src)
	return original{t}, err
}

func (o original) execute(data map[string]any) outcome {
	var out bytes.Buffer
	if err := o.Execute(&out, data); err != nil {
		return outcome{err: err}
	}
	return outcome{text: strings.ReplaceAll(out.String(), "<no value>", "")}
}

// root is the data of a template.
func root(source map[string]any, references map[string]any) map[string]any {
	return map[string]any{"source": source, "references": references}
}

// binding is the same data as the variables of an expression.
func binding(data map[string]any) *expr.Binding {
	source, _ := data["source"].(map[string]any)
	references, _ := data["references"].(map[string]any)
	var keys []string
	for key := range references {
		keys = append(keys, key)
	}
	b := expr.NewBinding(source, keys)
	for key, object := range references {
		fields, _ := object.(map[string]any)
		b.SetReference(key, fields)
	}
	return b
}

// translation is a field translated in both of its uses.
type translation struct {
	text, condition *expr.Program
}

// translate translates a field, as a text and as a condition. The outcomes of a refused one are errors.
func translate(env *expr.Env, src string) (translation, error) {
	text, list := compat.Text(env, "field", src)
	if text == nil {
		return translation{}, errors.New(list.String())
	}
	condition, list := compat.Condition(env, "field", src)
	if condition == nil {
		return translation{}, errors.New(list.String())
	}
	return translation{text, condition}, nil
}

func (tr translation) printed(t *testing.T, data map[string]any) outcome {
	t.Helper()
	text, err := tr.text.Text(t.Context(), binding(data))
	return outcome{text, err}
}

func (tr translation) truth(t *testing.T, data map[string]any) outcome {
	t.Helper()
	truth, err := tr.condition.Bool(t.Context(), binding(data))
	return outcome{strconv.FormatBool(truth), err}
}
