package canonical

// maxDepth is how deep a value may be nested. Edges take less of a whole frame
// (contract.MaxJSONDepth), encoding/json far more.
const maxDepth = 32

// The bytes that may stand in a string as they are.
var inString = func() (set [256]bool) {
	for b := ' '; b < 256; b++ {
		set[b] = b != '"' && b != '\\'
	}
	return set
}()

// Value reads one JSON value (RFC 8259) without space around it; inside it may
// have space. Bytes over 0x7f in strings pass, as they do in encoding/json.
func (r *Reader) Value() bool { return r.value(maxDepth) }

// value reads a value of at most so many levels.
func (r *Reader) value(levels int) bool {
	if r.at == len(r.text) {
		return false
	}
	switch r.text[r.at] {
	case '{':
		return levels > 0 && r.object(levels-1)
	case '[':
		return levels > 0 && r.array(levels-1)
	case '"':
		return r.str()
	case 't':
		return r.Is("true")
	case 'f':
		return r.Is("false")
	case 'n':
		return r.Is("null")
	default:
		return r.number()
	}
}

func (r *Reader) object(levels int) bool {
	r.at++
	if r.space(); r.Is("}") {
		return true
	}
	for {
		if !r.str() {
			return false
		}
		if r.space(); !r.Is(":") {
			return false
		}
		if r.space(); !r.value(levels) {
			return false
		}
		if r.space(); !r.Is(",") {
			return r.Is("}")
		}
		r.space()
	}
}

func (r *Reader) array(levels int) bool {
	r.at++
	if r.space(); r.Is("]") {
		return true
	}
	for {
		if !r.value(levels) {
			return false
		}
		if r.space(); !r.Is(",") {
			return r.Is("]")
		}
		r.space()
	}
}

func (r *Reader) space() {
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ' ', '\t', '\r', '\n':
			r.at++
		default:
			return
		}
	}
}

// str reads a string with any escapes.
func (r *Reader) str() bool {
	if !r.Is(`"`) {
		return false
	}
	for r.at < len(r.text) {
		b := r.text[r.at]
		if inString[b] {
			r.at++
			continue
		}
		if b == '"' {
			r.at++
			return true
		}
		if b != '\\' || !r.escape() {
			return false
		}
	}
	return false
}

func (r *Reader) escape() bool {
	rest := r.text[r.at+1:]
	if len(rest) == 0 {
		return false
	}
	switch rest[0] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		r.at += 2
		return true
	case 'u':
		if len(rest) < 5 {
			return false
		}
		for _, b := range rest[1:5] {
			if b-'0' > 9 && b|0x20-'a' > 5 {
				return false
			}
		}
		r.at += 6
		return true
	}
	return false
}

func (r *Reader) number() bool {
	r.Is("-")
	if !r.Is("0") && !r.digits() {
		return false
	}
	if r.Is(".") && !r.digits() {
		return false
	}
	if r.Is("e") || r.Is("E") {
		if !r.Is("+") {
			r.Is("-")
		}
		return r.digits()
	}
	return true
}

func (r *Reader) digits() bool {
	start := r.at
	for r.at < len(r.text) && r.text[r.at]-'0' <= 9 {
		r.at++
	}
	return r.at > start
}
