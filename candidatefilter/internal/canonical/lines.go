package canonical

import "bytes"

// AppendLines reads a string of printable ASCII and line ends and appends what it
// means to dst. Line ends, quotes and backslashes are escaped in it, and nothing
// else is.
func (r *Reader) AppendLines(dst []byte) ([]byte, bool) {
	if !r.Is(`"`) {
		return dst, false
	}
	for r.at < len(r.text) {
		start := r.at
		for r.at < len(r.text) && inLine[r.text[r.at]] {
			r.at++
		}
		dst = append(dst, r.text[start:r.at]...)
		if r.Is(`"`) {
			return dst, true
		}
		if r.at+1 >= len(r.text) || r.text[r.at] != '\\' {
			return dst, false
		}
		meant := bytes.IndexByte(escaped, r.text[r.at+1])
		if meant < 0 {
			return dst, false
		}
		dst = append(dst, unescaped[meant])
		r.at += 2
	}
	return dst, false
}

// QuoteLines appends the string that AppendLines reads as text. It fails if text
// holds anything else.
func QuoteLines(dst, text []byte) ([]byte, bool) {
	dst = append(dst, '"')
	for len(text) > 0 {
		size := 0
		for size < len(text) && inLine[text[size]] {
			size++
		}
		dst = append(dst, text[:size]...)
		if size == len(text) {
			break
		}
		meant := bytes.IndexByte(unescaped, text[size])
		if meant < 0 {
			return dst, false
		}
		dst = append(dst, '\\', escaped[meant])
		text = text[size+1:]
	}
	return append(dst, '"'), true
}

// What is escaped, and how. The two are parallel.
var (
	unescaped = []byte("\r\n\"\\")
	escaped   = []byte(`rn"\`)
)

// The bytes that stand in such a string as they are.
var inLine = func() (set [256]bool) {
	for b := ' '; b <= '~'; b++ {
		set[b] = b != '"' && b != '\\'
	}
	return set
}()
