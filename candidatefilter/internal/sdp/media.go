package sdp

import (
	"strings"

	"github.com/parley-rtc/parley/candidatefilter/internal/abnf"
	"github.com/parley-rtc/parley/services/contract"
)

// media writes one media section: m=, then its c=, b= and a= lines in this
// order, whatever order they came in.
func (s *sanitiser) media(l *lines) *Fault {
	m := l.next()
	if f := s.mediaLine(m); f != nil {
		return f
	}
	s.report.Sections++
	if f := s.connections(*l); f != nil {
		return f
	}
	for walk := *l; walk.inSection(); {
		if ln := walk.next(); ln.kind == 'b' {
			s.bandwidth(ln)
		}
	}
	for l.inSection() {
		ln := l.next()
		if ln.kind != 'a' {
			continue
		}
		if f := s.attribute(ln, true); f != nil {
			return f
		}
	}
	return nil
}

// inSection reports whether the next line belongs to the section so far.
func (l *lines) inSection() bool { return l.peek() != 0 && l.peek() != 'm' }

// connections writes the c= of a section, drops its i= and k=, and refuses what
// a section can't hold.
func (s *sanitiser) connections(l lines) *Fault {
	seen := false
	for l.inSection() {
		ln := l.next()
		switch ln.kind {
		case 'a', 'b':
		case 'i', 'k':
			s.remove()
		case 'c':
			if seen {
				return ln.fault("a second c= in one media section")
			}
			seen = true
			if f := s.connection(ln); f != nil {
				return f
			}
		default:
			return ln.fault("does not belong into a media section")
		}
	}
	return nil
}

// mediaLine writes m=. A port that would tell where the sender listens becomes
// 9; 0 stays, because it rejects or bundles the section (RFC 8829 section 5.2.1,
// RFC 9143 section 6).
func (s *sanitiser) mediaLine(ln line) *Fault {
	kind, rest, _ := strings.Cut(ln.value, " ")
	port, rest, _ := strings.Cut(rest, " ")
	protocol, formats, _ := strings.Cut(rest, " ")
	n, ok := abnf.Number(port, 65535)
	switch {
	case !isMediaKind(kind):
		return ln.fault("media must be audio, video, text, application or message")
	case !ok:
		return ln.fault("media port must be a number from 0 to 65535")
	case !isProtocol(protocol):
		return ln.fault("media protocol is not one of WebRTC")
	case !isFormats(formats):
		return ln.fault("media formats must be tokens separated by one space")
	}
	if n != 0 && n != discard && !s.open {
		s.report.add(contract.RuleSDPAddress)
		port = "9"
	}
	s.out = append(s.out, "m="...)
	s.out = append(s.out, kind...)
	s.out = append(s.out, ' ')
	s.out = append(s.out, port...)
	s.out = append(s.out, ' ')
	s.out = append(s.out, rest...)
	s.end()
	return nil
}

// isMediaKind knows the media of RFC 8866 section 8.2.1 that are not a file.
func isMediaKind(s string) bool {
	switch s {
	case "audio", "video", "text", "application", "message":
		return true
	}
	return false
}

// isProtocol knows what RFC 8829 section 5.1.2 asks endpoints to understand, and
// the older form of data channels.
func isProtocol(s string) bool {
	switch s {
	case "UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/TLS/RTP/SAVPF", "TCP/TLS/RTP/SAVP",
		"TCP/DTLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVP",
		"RTP/SAVPF", "RTP/SAVP", "RTP/AVPF", "RTP/AVP",
		"UDP/DTLS/SCTP", "TCP/DTLS/SCTP", "DTLS/SCTP":
		return true
	}
	return false
}

func isFormats(s string) bool {
	for more := true; more; {
		var format string
		format, s, more = strings.Cut(s, " ")
		if !abnf.IsToken(format) || holdsAddress(format) {
			return false
		}
	}
	return true
}
