package library

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"github.com/google/cel-go/cel"
)

const (
	// maxLabel and maxSubdomain are the lengths of a DNS-1123 label and subdomain.
	maxLabel     = 63
	maxSubdomain = 253
	// hashLength is how much of a hash a cut name ends in: 50 bits.
	hashLength = 10

	errNoName Error = "the text has no letter and no digit that a DNS name can have"
)

// dnsFunctions declares the making of valid names:
//
//	dns.label(string) -> string
//	dns.subdomain(string) -> string
//
// A valid name stays as it is. In any other, A to Z become lower-case, each run of other characters becomes a dash,
// and dashes at the ends of a name (of a subdomain: of each label) and empty labels are dropped. A name that is too
// long is cut and ends in a dash and a hash of the whole text, so that two long texts get two names. Like Kubernetes,
// dns.subdomain bounds the name only, not each of its labels. A text with no letter or digit is an error, and so is
// one of more than maxNameText bytes.
func dnsFunctions() []cel.EnvOption {
	return []cel.EnvOption{
		textFunction("dns.label", "dns_label_string", dnsLabel),
		textFunction("dns.subdomain", "dns_subdomain_string", dnsSubdomain),
	}
}

func dnsLabel(text string) (string, error) {
	if len(text) > maxNameText {
		return "", errTooLong
	}
	return fitName(text, cleanLabel(text), maxLabel)
}

func dnsSubdomain(text string) (string, error) {
	if len(text) > maxNameText {
		return "", errTooLong
	}
	var name strings.Builder
	for part := range strings.SplitSeq(text, ".") {
		label := cleanLabel(part)
		if label == "" {
			continue
		}
		if name.Len() > 0 {
			name.WriteByte('.')
		}
		name.WriteString(label)
	}
	return fitName(text, name.String(), maxSubdomain)
}

// cleanLabel keeps letters, digits and dashes. It lowers ASCII letters only: other letters have lower-case forms
// that differ by language, and some of those are ASCII.
func cleanLabel(text string) string {
	var label strings.Builder
	invalid := false
	for i := range len(text) {
		c := text[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			invalid = true
			continue
		}
		if invalid {
			label.WriteByte('-')
			invalid = false
		}
		label.WriteByte(c)
	}
	return strings.Trim(label.String(), "-")
}

// fitName cuts a clean name to a length. The hash is of the original text: what cleaning or cutting makes equal
// differs in it.
func fitName(text, name string, length int) (string, error) {
	switch {
	case name == "":
		return "", errNoName
	case len(name) <= length:
		return name, nil
	}
	sum := sha256.Sum256([]byte(text))
	hash := strings.ToLower(base32.HexEncoding.EncodeToString(sum[:]))[:hashLength]
	return strings.TrimRight(name[:length-hashLength-1], "-.") + "-" + hash, nil
}
