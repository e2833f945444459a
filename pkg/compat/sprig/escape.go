package sprig

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

var htmlReplacer = strings.NewReplacer(
	"\x00", "\uFFFD", `"`, "&#34;", "'", "&#39;", "&", "&amp;", "<", "&lt;", ">", "&gt;",
)

func escapeHTML(s string) string { return htmlReplacer.Replace(s) }

func escapeQuery(s string) string { return url.QueryEscape(s) }

// escapeJS escapes as the function js does: quotes, what HTML could take for its own, and what does not print.
func escapeJS(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\\' || r == '\'' || r == '"':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || strings.ContainsRune("<>&=", r) || r >= utf8.RuneSelf && !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}
