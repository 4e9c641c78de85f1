package canonical

import "bytes"

// Reader is where in a text the reading has come. It borrows the text. After a
// method has reported false the place is undefined.
type Reader struct {
	text []byte
	at   int
}

// Read starts at the beginning of text.
func Read(text []byte) Reader { return Reader{text: text} }

// At is how many bytes were read.
func (r *Reader) At() int { return r.at }

// Ended reports whether all was read.
func (r *Reader) Ended() bool { return r.at == len(r.text) }

// Is reads word if it comes next; otherwise the place stays.
func (r *Reader) Is(word string) bool {
	end := r.at + len(word)
	if end > len(r.text) || string(r.text[r.at:end]) != word {
		return false
	}
	r.at = end
	return true
}

// Quoted reads a string without escapes and returns its inside. What bytes there
// are but quotes and backslashes isn't looked at: the caller must.
func (r *Reader) Quoted() (inside []byte, ok bool) {
	if !r.Is(`"`) {
		return nil, false
	}
	size := bytes.IndexByte(r.text[r.at:], '"')
	if size < 0 {
		return nil, false
	}
	inside = r.text[r.at : r.at+size]
	r.at += size + 1
	return inside, bytes.IndexByte(inside, '\\') < 0
}

// Plain is Quoted for a string of printable ASCII.
func (r *Reader) Plain() (inside []byte, ok bool) {
	if inside, ok = r.Quoted(); !ok {
		return nil, false
	}
	for _, b := range inside {
		if b < ' ' || b > '~' {
			return nil, false
		}
	}
	return inside, true
}

// Number reads the digits of a number up to high, without a sign or a leading
// zero.
func (r *Reader) Number(high uint64) bool {
	start := r.at
	var n uint64
	for ; r.at < len(r.text); r.at++ {
		digit := uint64(r.text[r.at] - '0')
		if digit > 9 {
			break
		}
		if digit > high || n > (high-digit)/10 {
			return false
		}
		n = n*10 + digit
	}
	return r.at == start+1 || r.at > start && r.text[start] != '0'
}
