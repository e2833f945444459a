package library

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
)

const (
	errNotBase64   Error = "the text is not base64 (standard alphabet, padded, no line breaks)"
	errBase64Bytes Error = "the base64 text does not decode to UTF-8 text; use base64.decode for bytes"
)

// base64Functions declares base64 over text, for the data of Secrets:
//
//	b64enc(string) -> string    string.b64enc() -> string
//	b64dec(string) -> string    string.b64dec() -> string
//
// b64dec is strict: the standard alphabet, padded, no line breaks, as the API server writes it. What it decodes must
// be UTF-8 text; base64.decode of the encoders library is for bytes.
func base64Functions() []cel.EnvOption {
	return []cel.EnvOption{
		suffixFunction("b64enc", encodeBase64),
		suffixFunction("b64dec", decodeBase64Text),
	}
}

// suffixFunction declares name(string) -> string and string.name() -> string.
func suffixFunction(name string, f func(string) (string, error)) cel.EnvOption {
	args := []*cel.Type{cel.StringType}
	return cel.Function(name,
		cel.Overload(name+"_string", args, cel.StringType, cel.UnaryBinding(ofText(f))),
		cel.MemberOverload("string_"+name, args, cel.StringType, cel.UnaryBinding(ofText(f))))
}

func encodeBase64(text string) (string, error) {
	return base64.StdEncoding.EncodeToString([]byte(text)), nil
}

func decodeBase64Text(text string) (string, error) {
	raw, err := decodeBase64(text)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(raw) {
		return "", errBase64Bytes
	}
	return string(raw), nil
}

// decodeBase64 refuses line breaks, which the decoder of the standard library skips even when it is strict.
func decodeBase64(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, errNotBase64
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, errNotBase64
	}
	return raw, nil
}
