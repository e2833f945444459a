package sprig

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The kinds of words that delimitedCase tells apart. There is no word after the end of a text.
type wordKind int

const (
	noWord wordKind = iota
	numberWord
	capitalWord // capitals, or one capital and small letters
	smallWord
	connectorWord
	punctuationWord
	otherWord // among them letters without case
)

type word struct {
	kind wordKind
	text string
}

// is reports whether the word is of one of the kinds.
func (w word) is(kinds ...wordKind) bool {
	return slices.Contains(kinds, w.kind)
}

// delimiting writes the words of a text with a connector between them.
type delimiting struct {
	strings.Builder

	connector rune
	rest      string
}

// delimitedCase puts a connector between words and makes capitals small. Digits belong to the word before them
// unless small letters follow.
func delimitedCase(s string, connector rune) string {
	d := delimiting{connector: connector, rest: s}
	current := d.next()
	for d.rest != "" {
		if current.kind != connectorWord {
			d.write(current)
		}
		previous := current
		current = d.next()
		switch previous.kind {
		case numberWord:
			current = d.withDigits(current)
		case connectorWord:
			d.write(previous)
		case punctuationWord:
		default:
			current = d.afterLetters(current)
		}
	}
	d.write(current)
	return d.String()
}

// afterLetters goes on after a word of letters; it returns the word that is still to write.
func (d *delimiting) afterLetters(current word) word {
	switch {
	case current.kind != numberWord:
		d.separate(current, connectorWord, punctuationWord)
		return current
	case d.rest == "":
		return current
	}
	digits := current
	if current = d.next(); current.kind != smallWord {
		d.write(digits)
		d.separate(current, connectorWord, punctuationWord)
		return current
	}
	_, _ = d.WriteRune(d.connector)
	d.write(digits)
	return d.withDigits(current)
}

// withDigits writes what belongs to digits: small letters and more digits.
func (d *delimiting) withDigits(current word) word {
	for current.is(smallWord, numberWord) {
		d.write(current)
		current = d.next()
	}
	d.separate(current, noWord, connectorWord, punctuationWord)
	return current
}

// separate writes a connector unless the next word is of a kind that needs none.
func (d *delimiting) separate(next word, unless ...wordKind) {
	if !next.is(unless...) {
		_, _ = d.WriteRune(d.connector)
	}
}

func (d *delimiting) write(w word) {
	if !w.is(capitalWord, connectorWord) {
		_, _ = d.WriteString(w.text)
		return
	}
	for _, r := range w.text {
		switch {
		case isConnector(r):
			r = d.connector
		case unicode.IsUpper(r):
			r = unicode.ToLower(r)
		}
		_, _ = d.WriteRune(r)
	}
}

// next takes the first word off the text. Bytes that are no UTF-8 belong to what is before or after them.
func (d *delimiting) next() word {
	if d.rest == "" {
		return word{}
	}
	r, size := validRune(d.rest, utf8.RuneError)
	kind := kindOfRune(r)
	if kind == capitalWord {
		size = capitals(d.rest, size)
	} else {
		size = run(d.rest, size, r, func(r rune) bool {
			return kindOfRune(r) == kind || kind == punctuationWord && unicode.IsPunct(r)
		})
	}
	w := word{kind, d.rest[:size]}
	d.rest = d.rest[size:]
	return w
}

// capitals is the length of a word that starts with a capital of the given size. The last of several capitals
// belongs to the small letters that follow it.
func capitals(s string, size int) int {
	second, more := validRune(s[size:], 'A')
	switch {
	case more == 0:
		return size
	case kindOfRune(second) == smallWord:
		return run(s, size, second, isSmall)
	case !unicode.IsUpper(second):
		return size
	}
	lastSize := 0
	for size < len(s) {
		r, n := validRune(s[size:], second)
		if !unicode.IsUpper(r) {
			if isAlphabet(r) {
				size -= lastSize
			}
			break
		}
		size, lastSize = size+n, n
	}
	return size
}

func isSmall(r rune) bool { return isAlphabet(r) && !unicode.IsUpper(r) }

// run is the length of s as far as in holds, from the given size on.
func run(s string, size int, last rune, in func(rune) bool) int {
	for size < len(s) {
		r, n := validRune(s[size:], last)
		if !in(r) {
			break
		}
		size, last = size+n, r
	}
	return size
}

// validRune is the first character that is valid, and the size up to its end; without one it is the given.
func validRune(s string, without rune) (r rune, size int) {
	for size < len(s) {
		r, n := utf8.DecodeRuneInString(s[size:])
		if size += n; r != utf8.RuneError {
			return r, size
		}
	}
	return without, size
}

func kindOfRune(r rune) wordKind {
	switch {
	case r == utf8.RuneError:
		return noWord
	case isConnector(r):
		return connectorWord
	case unicode.IsPunct(r):
		return punctuationWord
	case unicode.IsUpper(r):
		return capitalWord
	case isAlphabet(r):
		return smallWord
	case unicode.IsNumber(r):
		return numberWord
	}
	return otherWord
}

// isAlphabet tells letters from Chinese characters, which have no case.
func isAlphabet(r rune) bool {
	chinese := r >= 0x4E00 && r <= 0x9FCC || r >= 0x3400 && r <= 0x4D85 || r >= 0x20000 && r <= 0x2B81D
	return unicode.IsLetter(r) && !chinese
}
