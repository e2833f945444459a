package compat

import (
	"slices"
	"strings"

	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// function is one template function over Go values.
type function struct {
	min, max int // number of arguments; max < 0 is any number
	// truth says that the result is always a bool.
	truth bool
	call  func(args []any) (any, error)
}

// refused are the functions that no policy may call, by the code that says why.
var refused = map[diag.Code][]string{
	CodeEnv:     {"env", "expandenv"},
	CodeNetwork: {"getHostByName"},
	CodeNondeterministic: {
		"now", "date", "dateInZone", "date_in_zone", "dateModify", "date_modify", "mustDateModify", "must_date_modify",
		"htmlDate", "htmlDateInZone", "ago", "randAlpha", "randAlphaNum", "randAscii", "randBytes", "randInt",
		"randNumeric", "uuidv4", "shuffle", "bcrypt", "htpasswd", "encryptAES",
	},
	CodeCrypto: {
		"genCA", "genCAWithKey", "genPrivateKey", "genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert",
		"genSignedCertWithKey", "buildCustomCert", "derivePassword", "decryptAES",
	},
	CodeMutation: {"set", "unset"},
}

// refusals says why, for each code of refused.
var refusals = map[diag.Code]string{
	CodeEnv:              "reads the controller's environment",
	CodeNetwork:          "uses the network",
	CodeNondeterministic: "gives another result each time",
	CodeCrypto:           "makes or uses secret keys",
	CodeMutation:         "changes its argument",
}

// untranslated are the functions of Clusterpedia's templates that are known but not supported.
var untranslated = strings.Fields(`abbrev abbrevboth add1f addf adler32sum b32dec b32enc base biggest camelcase
	ceil chunk clean compact deepCopy deepEqual dig dir divf duration durationRound ext floor hello initials
	isAbs kebabcase kindIs kindOf max maxf merge mergeOverwrite min minf mod mulf mustAppend mustChunk mustCompact
	mustDeepCopy mustFirst mustFromJson mustHas mustInitial mustLast mustMerge mustMergeOverwrite mustPrepend
	mustPush mustRegexFind mustRegexFindAll mustRegexMatch mustRegexReplaceAll mustRegexReplaceAllLiteral
	mustRegexSplit mustRest mustReverse mustSlice mustToDate mustToJson mustToPrettyJson mustToRawJson mustUniq
	mustWithout osBase osClean osDir osExt osIsAbs plural regexFind regexFindAll regexQuoteMeta regexReplaceAll
	regexReplaceAllLiteral regexSplit round semver semverCompare seq sha1sum sha256sum sha512sum slice snakecase
	sortAlpha split splitn subf swapcase title toDate toDecimal toPrettyJson toRawJson toStrings typeIs
	typeIsLike typeOf unixEpoch until untilStep untitle urlJoin urlParse wrap wrapWith all any append atoi concat
	div float64 int int64 initial mul omit pick pluck prepend push rest reverse sub substr uniq values without
	add add1 call html js urlquery println`)

// stubs let the parser know the functions; none is ever called.
var stubs = func() map[string]any {
	known := map[string]any{}
	stub := func(...any) string { return "" }
	for name := range templateFunctions {
		known[name] = stub
	}
	for _, names := range refused {
		for _, name := range names {
			known[name] = stub
		}
	}
	for _, name := range untranslated {
		known[name] = stub
	}
	return known
}()

// refusalOf returns why a known function cannot be called.
func refusalOf(name string) (diag.Code, string) {
	for code, names := range refused {
		if slices.Contains(names, name) {
			return code, refusals[code]
		}
	}
	return CodeUnsupported, "is not supported"
}

// templateFunctions are the functions that translate.
var templateFunctions = map[string]function{
	"eq": {2, -1, true, eq}, "ne": {2, 2, true, ne},
	"lt": {2, 2, true, ordered(func(c int) bool { return c < 0 })},
	"le": {2, 2, true, ordered(func(c int) bool { return c <= 0 })},
	"gt": {2, 2, true, ordered(func(c int) bool { return c > 0 })},
	"ge": {2, 2, true, ordered(func(c int) bool { return c >= 0 })},

	"not":   {1, 1, true, func(a []any) (any, error) { return !truth(a[0]), nil }},
	"empty": {1, 1, true, func(a []any) (any, error) { return !truth(a[0]), nil }},
	"index": {1, -1, false, index},
	"len":   {1, 1, false, length},
	"print": {0, -1, false, printAll}, "printf": {1, -1, false, printFormatted},

	"default":  {1, 2, false, defaultTo},
	"coalesce": {0, -1, false, coalesce},
	"ternary":  {3, 3, false, ternary},
	"fail":     {1, 1, false, func([]any) (any, error) { return nil, expr.Failuref(expr.CodeFunction, "fail was called") }},

	"get": {2, 2, false, get}, "hasKey": {2, 2, true, hasKey}, "dict": {0, -1, false, dict}, "keys": {1, -1, false, keysOf},
	"list": {0, -1, false, list}, "tuple": {0, -1, false, list},
	"first": {1, 1, false, first}, "last": {1, 1, false, last}, "has": {2, 2, true, has},
	"join": {2, 2, false, join},

	"hasPrefix": {2, 2, true, strings2(func(a, b string) any { return strings.HasPrefix(b, a) })},
	"hasSuffix": {2, 2, true, strings2(func(a, b string) any { return strings.HasSuffix(b, a) })},
	"contains":  {2, 2, true, strings2(func(a, b string) any { return strings.Contains(b, a) })},

	"trimPrefix": {2, 2, false, strings2(func(a, b string) any { return strings.TrimPrefix(b, a) })},
	"trimSuffix": {2, 2, false, strings2(func(a, b string) any { return strings.TrimSuffix(b, a) })},
	"trimAll":    {2, 2, false, strings2(func(a, b string) any { return strings.Trim(b, a) })},
	"trimall":    {2, 2, false, strings2(func(a, b string) any { return strings.Trim(b, a) })},
	"splitList":  {2, 2, false, strings2(func(a, b string) any { return anyList(strings.Split(b, a)) })},

	"lower":   {1, 1, false, strings1(strings.ToLower)},
	"upper":   {1, 1, false, strings1(strings.ToUpper)},
	"trim":    {1, 1, false, strings1(strings.TrimSpace)},
	"nospace": {1, 1, false, strings1(func(s string) string { return strings.Join(strings.Fields(s), "") })},
	"b64enc":  {1, 1, false, strings1(b64enc)}, "b64dec": {1, 1, false, strings1(b64dec)},

	"replace": {3, 3, false, replace}, "trunc": {2, 2, false, trunc}, "repeat": {2, 2, false, repeat},
	"indent": {2, 2, false, indent}, "nindent": {2, 2, false, nindent}, "cat": {0, -1, false, cat},
	"quote": {0, -1, false, quote}, "squote": {0, -1, false, squote}, "toString": {1, 1, false, toString},
	"toJson": {1, 1, false, toJSON}, "fromJson": {1, 1, false, fromJSON}, "regexMatch": {2, 2, true, regexMatch},
}
