package sprig

import (
	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// refusal is why functions are refused, and what to write instead.
type refusal struct {
	code   diag.Code
	reason string
	names  []string
}

var refusals = []refusal{
	{
		"CT-ENV", "it reads the controller's environment: write the value into the policy, or keep it in a ConfigMap that the policy references",
		[]string{"env", "expandenv"},
	},
	{
		"CT-NETWORK", "it asks a name server each time: write the address, or use the name as it is",
		[]string{"getHostByName"},
	},
	{
		"CT-NONDET", "it depends on the time at which the policy runs, so the cluster would change without end: use a time that the source holds, such as metadata.creationTimestamp",
		[]string{
			"now", "ago", "date", "date_in_zone", "dateInZone", "date_modify", "dateModify", "must_date_modify",
			"mustDateModify", "htmlDate", "htmlDateInZone",
		},
	},
	{
		"CT-NONDET", "it gives another result each time, so the cluster would change without end: use something that stays, such as metadata.uid or a sha256sum of the name",
		[]string{"randAlphaNum", "randAlpha", "randAscii", "randNumeric", "randInt", "randBytes", "uuidv4", "shuffle"},
	},
	{
		"CT-NONDET", "it salts its result anew each time, so the cluster would change without end: keep the result in a Secret that the policy references",
		[]string{"bcrypt", "htpasswd", "encryptAES"},
	},
	{
		"CT-CRYPTO", "a policy makes and derives no keys: keep them in a Secret that the policy references",
		[]string{
			"genPrivateKey", "genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert",
			"genSignedCertWithKey", "buildCustomCert", "derivePassword", "decryptAES",
		},
	},
	{
		"CT-MUTATION", "it changes a map that others read: make a new one with dict, merge, pick or omit",
		[]string{"set", "unset"},
	},
	{
		"CT-UNSUPPORTED", "it works on times and durations of Go, which have no counterpart: use the text as the source holds it",
		[]string{"toDate", "mustToDate", "unixEpoch", "duration", "durationRound"},
	},
	{
		"CT-UNSUPPORTED", "it gives a Go object, which has no counterpart: use semverCompare, or splitList on the version",
		[]string{"semver"},
	},
	{
		"CT-UNSUPPORTED", "it gives the name of a Go type, which has no counterpart: use kindIs or kindOf",
		[]string{"typeOf", "typeIs", "typeIsLike"},
	},
	{
		"CT-UNSUPPORTED", "it only greets: write the text itself",
		[]string{"hello"},
	},
}

func refusedFunctions() map[string]Function {
	out := map[string]Function{}
	for _, r := range refusals {
		for _, name := range r.names {
			out[name] = Function{
				Name: name, Refused: r.code, Reason: r.reason, MaxArgs: -1,
				Call: func([]any) (any, error) {
					return nil, expr.Failuref(expr.CodeFunction, "%s is refused: %s", name, r.reason)
				},
			}
		}
	}
	return out
}
