package library_test

import (
	"testing"
)

const (
	notBase64   = "the text is not base64 (standard alphabet, padded, no line breaks)"
	base64Bytes = "the base64 text does not decode to UTF-8 text; use base64.decode for bytes"
)

func TestBase64(t *testing.T) {
	run(t, map[string]testCase{
		"Encode": {
			reason: "Text becomes base64 with padding.",
			expr:   `b64enc("hello")`, want: "aGVsbG8=",
		},
		"EncodeMember": {
			reason: "The member form is the same function.",
			expr:   `"hello".b64enc()`, want: "aGVsbG8=",
		},
		"EncodeUTF8": {
			reason: "Text is encoded as UTF-8, in the standard alphabet.",
			expr:   `b64enc("é?>")`, want: "w6k/Pg==",
		},
		"EncodeNothing": {
			reason: "No text has no base64.",
			expr:   `b64enc("")`, want: "",
		},
		"Decode": {
			reason: "The data of a Secret becomes text.",
			expr:   `b64dec(source.data.token)`,
			vars:   source(map[string]any{"data": map[string]any{"token": "aGVsbG8="}}), want: "hello",
		},
		"DecodeMember": {
			reason: "The member form is the same function.",
			expr:   `"w6k/Pg==".b64dec()`, want: "é?>",
		},
		"DecodeNothing": {
			reason: "An empty value of a Secret is the empty text.",
			expr:   `b64dec("")`, want: "",
		},
		"DecodeText": {
			reason: "A space is not in the alphabet.",
			expr:   `b64dec("not base64")`, wantErr: notBase64,
		},
		"DecodeLines": {
			reason: "A line break is what base64(1) adds and Secrets never have.",
			expr:   `b64dec("aGVs\nbG8=")`, wantErr: notBase64,
		},
		"DecodeUnpadded": {
			reason: "Missing padding is a cut value.",
			expr:   `b64dec("aGVsbG8")`, wantErr: notBase64,
		},
		"DecodeTrailingBits": {
			reason: "Only one text stands for given bytes.",
			expr:   `b64dec("aGVsbG9=")`, wantErr: notBase64,
		},
		"DecodeURLAlphabet": {
			reason: "The URL alphabet is another encoding.",
			expr:   `b64dec("w6k_Pg==")`, wantErr: notBase64,
		},
		"DecodeBytes": {
			reason: "CEL strings are UTF-8; the error says what to use for bytes.",
			expr:   `b64dec("//79")`, wantErr: base64Bytes,
		},
		"RoundTrip": {
			reason: "Decoding undoes encoding.",
			expr:   `"a: b\nc: 日".b64enc().b64dec()`, want: "a: b\nc: 日",
		},
	})
}
