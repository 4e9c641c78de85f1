package envelope

// traceparentSize is the length of a traceparent of version 00 (W3C Trace
// Context section 3.2.2): version, trace id, parent id and flags.
const traceparentSize = 2 + 1 + 32 + 1 + 16 + 1 + 2

// isTraceparent reports whether s is a traceparent that others can go on with:
// lower-case hex, neither id all zero, not version ff.
func isTraceparent(s []byte) bool {
	if len(s) != traceparentSize || s[0] == 'f' && s[1] == 'f' {
		return false
	}
	var trace, parent byte // all digits of the id, or-ed
	for i, c := range s {
		dash := i == 2 || i == 35 || i == 52
		switch {
		case dash != (c == '-'):
			return false
		case dash:
			continue
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		case i > 2 && i < 35:
			trace |= c ^ '0'
		case i > 35 && i < 52:
			parent |= c ^ '0'
		}
	}
	return trace != 0 && parent != 0
}
