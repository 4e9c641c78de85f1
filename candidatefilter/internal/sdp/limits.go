package sdp

// Limits bounds what [Sanitise] accepts. Every field must be positive. A
// description over one of the first four is refused; candidates over the last
// are dropped.
type Limits struct {
	Bytes      int // length of the description
	Lines      int // number of lines
	LineBytes  int // length of one line without its end
	Sections   int // number of m= lines
	Candidates int // candidates that go on, over all sections
}

// DefaultLimits returns limits that a browser's offer with a dozen video
// sections and all its codecs stays under.
func DefaultLimits() Limits {
	return Limits{
		Bytes:      128 << 10,
		Lines:      4096,
		LineBytes:  4096,
		Sections:   64,
		Candidates: 64,
	}
}

// Growth is the most bytes by which one line gets longer: a candidate of one
// address family that gets a related address, an expanded mapped address and a
// line end of two bytes.
const Growth = len(" raddr 0.0.0.0 rport 9") + 8
