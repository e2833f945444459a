package sprig

import (
	"crypto/sha1" //nolint:gosec // a checksum that policies use, not a safeguard
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"hash/adler32"
	"strconv"
)

var encodingFunctions = map[string]spec{
	"b64enc": {"s", KindString, onText(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) })},
	"b32enc": {"s", KindString, onText(func(s string) string { return base32.StdEncoding.EncodeToString([]byte(s)) })},
	"b64dec": {"s", KindString, onText(func(s string) string {
		return textOrError(base64.StdEncoding.DecodeString(s))
	})},
	"b32dec": {"s", KindString, onText(func(s string) string {
		return textOrError(base32.StdEncoding.DecodeString(s))
	})},
	"sha1sum": {"s", KindString, onText(func(s string) string {
		sum := sha1.Sum([]byte(s)) //nolint:gosec // see the import
		return hex.EncodeToString(sum[:])
	})},
	"sha256sum": {"s", KindString, onText(func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return hex.EncodeToString(sum[:])
	})},
	"sha512sum": {"s", KindString, onText(func(s string) string {
		sum := sha512.Sum512([]byte(s))
		return hex.EncodeToString(sum[:])
	})},
	"adler32sum": {"s", KindString, onText(func(s string) string {
		return strconv.FormatUint(uint64(adler32.Checksum([]byte(s))), 10)
	})},
}

// textOrError gives the words of the error in place of a text that cannot be decoded, as templates have it. The
// words name a position, nothing of the text.
func textOrError(decoded []byte, err error) string {
	if err != nil {
		return err.Error()
	}
	return string(decoded)
}
