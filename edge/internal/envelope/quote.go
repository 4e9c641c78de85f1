package envelope

import (
	"unicode/utf16"
	"unicode/utf8"
)

// appendUnescaped appends what the inside of a JSON string means. The scanner
// has checked it. Half of a surrogate pair becomes U+FFFD.
func appendUnescaped(dst, inside []byte) []byte {
	for i := 0; i < len(inside); {
		c := inside[i]
		if c != '\\' {
			dst = append(dst, c)
			i++
			continue
		}
		c = inside[i+1]
		i += 2
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r, size := unescapeUnit(inside[i:])
			dst = utf8.AppendRune(dst, r)
			i += size
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

// unescapeUnit reads the four digits behind \u, and the other half of a
// surrogate pair behind them.
func unescapeUnit(in []byte) (r rune, size int) {
	r, _ = hexUnit(in)
	if !utf16.IsSurrogate(r) {
		return r, 4
	}
	if len(in) >= 10 && in[4] == '\\' && in[5] == 'u' {
		low, _ := hexUnit(in[6:])
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, 10
		}
	}
	return utf8.RuneError, 4
}

// hexUnit reads four hexadecimal digits.
func hexUnit(in []byte) (r rune, ok bool) {
	if len(in) < 4 {
		return 0, false
	}
	for _, c := range in[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// appendQuoted appends s as a JSON string. Only what must be escaped is, and
// what isn't UTF-8 becomes U+FFFD.
func appendQuoted[T ~string | ~[]byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	done := 0 // up to here s is in dst
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := decodeRune(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, s[done:i]...)
				dst = utf8.AppendRune(dst, utf8.RuneError)
				done = i + 1
			}
			i += size
			continue
		}
		dst = append(dst, s[done:i]...)
		dst = appendEscaped(dst, c)
		i++
		done = i
	}
	dst = append(dst, s[done:]...)
	return append(dst, '"')
}

// decodeRune reads the first rune of s, which isn't empty, without a conversion
// of all of s.
func decodeRune[T ~string | ~[]byte](s T) (rune, int) {
	var head [utf8.UTFMax]byte
	n := copy(head[:], s)
	return utf8.DecodeRune(head[:n])
}

// appendEscaped appends the escape sequence of a character below space, a quote
// or a backslash.
func appendEscaped(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	default:
		return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
	}
}

// quotedSize is how many bytes appendQuoted makes of the first rune of s, which
// isn't empty, and size is how long that rune is in s.
func quotedSize(s []byte) (quoted, size int) {
	switch c := s[0]; {
	case c >= utf8.RuneSelf:
		r, size := utf8.DecodeRune(s)
		return utf8.RuneLen(r), size
	case c == '"', c == '\\', c == '\b', c == '\f', c == '\n', c == '\r', c == '\t':
		return 2, 1
	case c < ' ':
		return 6, 1
	default:
		return 1, 1
	}
}
