package expr

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/cel-go/cel"

	"github.com/clusterimport/clusterimport/pkg/diag"
)

// mostBytes is what compiling, and what evaluating, any expression may allocate in all.
const mostBytes = 32 << 20

// grown binds v0 to first and each of n names more to step, in which V is the name before it.
func grown(n int, first, step, body string) string {
	for i := n; i > 0; i-- {
		body = fmt.Sprintf("cel.bind(v%d, %s, %s)", i, strings.ReplaceAll(step, "V", fmt.Sprintf("v%d", i-1)), body)
	}
	return "cel.bind(v0, " + first + ", " + body + ")"
}

// hostile are expressions that try to take time or memory. stops is the code of the diagnostic or error that stops
// them; those without one are evaluated, within bounds.
var hostile = map[string]struct {
	src   string
	stops diag.Code
}{
	"Cube":           {"lists.range(200).all(x, lists.range(200).all(y, lists.range(200).all(z, x + y + z >= 0)))", CodeTooExpensive},
	"Text":           {grown(20, `"xxxxxxxxxxxxxxxx"`, "V + V + V", "size(v20)"), CodeTooExpensive},
	"List":           {grown(20, "[1, 2]", "V + V + V", "size(v20)"), CodeTooExpensive},
	"ListLoop":       {grown(20, "[1, 2]", "V + V", "v20.map(x, x)"), CodeTooExpensive},
	"ListResult":     {grown(16, "[1, 2]", "V + V", "v16"), CodeTooExpensive},
	"Equal":          {grown(20, "[1, 1]", "[V, V, V]", "v20 == v20"), CodeTooExpensive},
	"EqualMap":       {grown(20, "{'a': 1}", "{'a': V, 'b': V, 'c': V}", "v20 != v20"), CodeTooExpensive},
	"EqualOptional":  {grown(20, "[1, 1]", "[V, V, V]", "optional.of(v20) == optional.of(v20)"), CodeTooExpensive},
	"In":             {grown(20, "[1, 1]", "[V, V, V]", "v20 in [v20]"), CodeTooExpensive},
	"Sets":           {grown(20, "[1, 1]", "[V, V, V]", "sets.contains([v20], [v20])"), CodeTooExpensive},
	"Distinct":       {grown(20, "[1, 1]", "[V, V, V]", "[v20, v20].distinct()"), CodeTooExpensive},
	"IndexOf":        {grown(20, "[1, 1]", "[V, V, V]", "[v20].indexOf(v20)"), CodeTooExpensive},
	"Flatten":        {grown(20, "[1, 1]", "[V, V, V]", "v20.flatten(30)"), CodeTooExpensive},
	"FormatDeep":     {grown(20, "[1, 1]", "[V, V, V]", "'%s'.format([v20])"), CodeTooExpensive},
	"MarshalDeep":    {grown(20, "[1, 1]", "[V, V, V]", "json.marshal(v20)"), CodeTooExpensive},
	"ResultDeep":     {grown(20, "[1, 1]", "[V, V, V]", "v20"), CodeTooExpensive},
	"Wide":           {grown(3, "['x']", "lists.range(300).map(i, V)", "v3 == v3"), CodeTooExpensive},
	"Range":          {"lists.range(1000000000)", CodeTooExpensive},
	"DistinctMany":   {"lists.range(50000).distinct()", CodeTooExpensive},
	"SortMany":       {"lists.range(50000).sort()", CodeTooExpensive},
	"SortByMany":     {"lists.range(50000).sortBy(x, -x)", CodeTooExpensive},
	"SetsMany":       {"sets.intersects(lists.range(20000), lists.range(20000).map(x, x + 100000))", CodeTooExpensive},
	"InMany":         {"lists.range(20000).all(x, !((x + 1000000) in lists.range(20000)))", CodeTooExpensive},
	"SliceMany":      {"lists.range(10000).all(x, lists.range(1000).slice(0, 1000) != [])", CodeTooExpensive},
	"Pattern":        {"'a'.matches('" + strings.Repeat("a{1000}", 500) + "')", CodeType},
	"PatternFind":    {"'a'.find('" + strings.Repeat("a{1000}", 500) + "')", CodeType},
	"PatternAll":     {"source.text.findAll('" + strings.Repeat("(a|b)", 1000) + "')", CodeType},
	"PatternRead":    {"source.text.matches(source.pattern)", CodeFunction},
	"PatternReadAll": {"source.text.findAll(source.pattern)", CodeFunction},
	"PatternFold":    {"'a'.matches('(?i)" + strings.Repeat(`[B-\\x{10FFFF}]`, 200) + "')", CodeType},
	"PatternClasses": {"'a'.matches('" + strings.Repeat(`\\pL`, 200) + "')", CodeType},
	"FoldRead":       {"source.text.matches(source.fold)", CodeTooExpensive},
	"CompileOften":   {"lists.range(10000).all(x, !('a' + string(x)).matches(source.classes))", CodeTooExpensive},
	"MatchLong":      {"source.big.matches('(a|b|ab)*c')", CodeTooExpensive},
	"FindAllLong":    {"source.big.findAll('a')", CodeTooExpensive},
	"MatchOften":     {"lists.range(10000).all(x, !source.text.matches('(a|b|ab)*c'))", CodeTooExpensive},
	"Replace":        {"source.big.replace('a', source.big)", CodeTooExpensive},
	"ReplaceNothing": {"source.text.replace('', source.big)", CodeTooExpensive},
	"Split":          {"source.big.split('')", CodeTooExpensive},
	"Join":           {"lists.range(1000).map(x, '').join(source.big)", CodeTooExpensive},
	"Format":         {"'" + strings.Repeat("%s", 200) + "'.format(lists.range(200).map(x, source.big))", CodeTooExpensive},
	"FormatDigits":   {"'%.1000000000f'.format([1.0])", CodeTooExpensive},
	"Decode":         {"base64.decode(source.big)", CodeTooExpensive},
	"Encode":         {"base64.encode(bytes(source.big))", CodeTooExpensive},
	"B64":            {"b64enc(source.big)", CodeTooExpensive},
	"JSON":           {"json.unmarshal(source.big)", CodeTooExpensive},
	"JSONDeep":       {"json.unmarshal('" + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "')", CodeTooExpensive},
	"JSONMany":       {"json.unmarshal('[' + lists.range(20000).map(x, '1').join(',') + ']')", CodeTooExpensive},
	"YAML":           {"yaml.unmarshal(source.big)", CodeTooExpensive},
	"YAMLDeep":       {"yaml.unmarshal('" + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "')", CodeTooExpensive},
	"YAMLAlias":      {`yaml.unmarshal("a: &a [1, 1]\nb: &b [*a, *a]\nc: [*b, *b]")`, CodeFunction},
	"Kubeconfig":     {"kubeconfig.server(source.big)", CodeTooExpensive},
	"Name":           {"dns.label(source.big)", CodeTooExpensive},
	"Long":           {"'" + strings.Repeat("x", 100<<10) + "'", CodeSyntax},
	"Parentheses":    {strings.Repeat("(", 10_000) + "1" + strings.Repeat(")", 10_000), CodeSyntax},
	"Lists":          {strings.Repeat("[", 150) + "1" + strings.Repeat("]", 150), CodeSyntax},
	"ManyLists":      {strings.Repeat("[", 7_000) + "1" + strings.Repeat("]", 7_000), CodeSyntax},
	"Selects":        {"source" + strings.Repeat(".a", 8_000), CodeSyntax},
	"Sums":           {"1" + strings.Repeat("+1", 8_000), CodeSyntax},
	"Nots":           {strings.Repeat("!", 16_000) + "true", ""},
	"Ands":           {"true" + strings.Repeat("&&true", 2_700), ""},
	"Ternaries":      {strings.Repeat("true?1:", 2_000) + "1", CodeSyntax},
	"Loops":          {strings.Repeat("[1].map(x,", 100) + "1" + strings.Repeat(")", 100), CodeSyntax},
	"LoopsWithin":    {strings.Repeat("[1,1].map(x,", 15) + "1" + strings.Repeat(")", 15), CodeTooExpensive},
	"ReadOften":      {"lists.range(300).map(x, lists.range(300).map(y, source.big))", CodeTooExpensive},
	"SubstringOften": {"lists.range(1000).all(x, source.big.substring(x) != '')", CodeTooExpensive},
	"SizeOften":      {"lists.range(10000).all(x, size(source.big) > x)", CodeTooExpensive},
	"BytesOften":     {"lists.range(10000).all(x, size(bytes(source.big)) > x)", CodeTooExpensive},
	"ContainsOften":  {"lists.range(1000).all(x, !source.big.contains('zzz'))", CodeTooExpensive},
	"IndexOften":     {"lists.range(1000).all(x, source.big.indexOf('zzz') < 0)", CodeTooExpensive},
	"ChoiceOften":    {"lists.range(1000).all(x, (source.big.contains('zzz') ? 1 : 2) > 0)", CodeTooExpensive},
	"URL":            {"url(source.big)", CodeTooExpensive},
	"Upper":          {"source.big.lowerAscii().upperAscii().trim() == ''", CodeTooExpensive},
	"Quote":          {"strings.quote(source.big).size() > 0", CodeTooExpensive},
	"Times":          {"lists.range(30000).all(x, string(timestamp(x)) != '')", CodeTooExpensive},
	"Zones":          {"lists.range(10000).all(x, timestamp(x).getHours('America/New_York') >= 0)", CodeTooExpensive},
}

// TestHostile shows that every hostile expression is refused or stopped, and what it allocates is bounded.
func TestHostile(t *testing.T) {
	env := newTestEnv(t)
	if _, err := env.extension.implementations(); err != nil { // made once, and not by the first expression
		t.Fatal(err)
	}
	for name, tc := range hostile {
		t.Run(name, func(t *testing.T) {
			b := NewBinding(hostileSource(), nil)
			var p *Program
			var list diag.List
			compiling := allocated(func() { p, list = env.Compile(Whole("f", tc.src), cel.DynType) })
			var err error
			evaluating, began := uint64(0), time.Now()
			if p != nil {
				evaluating = allocated(func() { _, _, err = p.JSON(t.Context(), b) })
			}
			t.Logf("%d KiB to compile, %d KiB and %v to evaluate", compiling>>10, evaluating>>10, time.Since(began))
			if compiling > mostBytes || evaluating > mostBytes {
				t.Errorf("compiling takes %d KiB, evaluating %d KiB", compiling>>10, evaluating>>10)
			}
			if spent := b.Spent(); spent > costLimit {
				t.Errorf("it costs %d", spent)
			}
			if got := stoppedBy(list, err); got != tc.stops {
				t.Errorf("it is stopped by %q, not %q: %v%v", got, tc.stops, list, err)
			}
		})
	}
}

func hostileSource() map[string]any {
	return map[string]any{
		"text": strings.Repeat("ab", 100), "big": strings.Repeat("ab", 1_500_000), "pattern": strings.Repeat("a{1000}", 500),
		"fold": "(?i)" + strings.Repeat(`[B-\x{10FFFF}]`, 200), "classes": strings.Repeat(`\pL`, 20),
	}
}

func stoppedBy(list diag.List, err error) diag.Code {
	if errs := list.Errors(); len(errs) > 0 {
		return errs[0].Code
	}
	if failed, ok := errors.AsType[*Error](err); ok {
		return failed.Code()
	}
	return ""
}

// allocated is how many bytes f allocates in all.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
