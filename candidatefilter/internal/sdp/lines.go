package sdp

import "strings"

// line is one line: "k=value".
type line struct {
	number int // from 1
	kind   byte
	value  string
}

// lines walks over the lines of a text that check has passed. It is a value:
// a copy walks again from where it was made.
type lines struct {
	rest   string
	number int // of the line that next returned last
}

// next returns the next line. There must be one: ask peek.
func (l *lines) next() line {
	var raw string
	raw, l.rest = cutLine(l.rest)
	l.number++
	return line{number: l.number, kind: raw[0], value: raw[2:]}
}

// peek returns the kind of the next line, 0 at the end.
func (l *lines) peek() byte {
	if l.rest == "" {
		return 0
	}
	return l.rest[0]
}

// cutLine cuts the first line and its end off a text. A CR at the very end is not
// part of a line end, and so stays in the line.
func cutLine(text string) (raw, rest string) {
	raw, rest, ended := strings.Cut(text, "\n")
	if ended {
		raw = strings.TrimSuffix(raw, "\r")
	}
	return raw, rest
}

// check looks at the form of a text, once and before anything is written: its
// size, its line ends, its bytes, and that every line is "k=value". A line ends
// in CRLF or LF, the last one may have no end; a lone CR is a fault, because
// parsers differ over it.
func check(text string, lim Limits) *Fault {
	if len(text) > lim.Bytes {
		return &Fault{Reason: "longer than the limit in bytes"}
	}
	if text == "" {
		return &Fault{Reason: "empty"}
	}
	number, sections := 0, 0
	for text != "" {
		var raw string
		raw, text = cutLine(text)
		if number++; number > lim.Lines {
			return &Fault{Reason: "more lines than the limit"}
		}
		if reason := checkLine(raw, lim); reason != "" {
			return &Fault{number, reason}
		}
		if raw[0] == 'm' {
			if sections++; sections > lim.Sections {
				return &Fault{Line: number, Reason: "more media sections than the limit"}
			}
		}
	}
	return nil
}

func checkLine(raw string, lim Limits) string {
	switch {
	case len(raw) > lim.LineBytes:
		return "longer than the limit of one line"
	case len(raw) < 2 || raw[1] != '=':
		return "not of the form k=value"
	case strings.IndexByte("vosiuepcbtrzkma", raw[0]) < 0:
		return "unknown kind of line"
	}
	// Free text may be UTF-8 (RFC 8866 section 5): such lines never go on.
	free := strings.IndexByte("siuep", raw[0]) >= 0
	for i := 2; i < len(raw); i++ {
		if b := raw[i]; b < ' ' || b == 0x7f || b > 0x7f && !free {
			return "only printable ASCII is allowed"
		}
	}
	return ""
}
