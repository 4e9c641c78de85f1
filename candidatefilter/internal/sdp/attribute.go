package sdp

import (
	"strings"

	"github.com/parley-rtc/parley/candidatefilter/internal/abnf"
	"github.com/parley-rtc/parley/candidatefilter/internal/policy"
	"github.com/parley-rtc/parley/services/contract"
)

// treatment says what happens to an attribute.
type treatment uint8

const (
	drop        treatment = iota // not on the list
	flag                         // stays, if it has no value
	text                         // stays, if it has a value without an address
	ufrag                        // must match its grammar
	password                     // must match its grammar
	fingerprint                  // must match its grammar, if its hash is known
	setup                        // must match its grammar
	candidates                   // judged by package policy
	rtcp                         // blanked like c=
	source                       // a=ssrc: its CNAME may name a person
)

// treat is the allow-list: every attribute that WebRTC endpoints negotiate with
// (RFC 8829 section 5, and the drafts that browsers and pion have shipped) and
// that has no place for an address. Names are compared exactly, as RFC 8866
// section 5.13 wants it.
func treat(name string) treatment {
	switch name {
	case "rtcp-mux", "rtcp-mux-only", "rtcp-rsize", "bundle-only", "extmap-allow-mixed", "cryptex",
		"sendrecv", "sendonly", "recvonly", "inactive",
		"end-of-candidates", "ice-lite", "ice-mismatch", "remote-net-estimate":
		return flag
	case "group", "mid", "msid", "msid-semantic", "ssrc-group", "rid", "simulcast",
		"rtpmap", "fmtp", "rtcp-fb", "extmap", "ptime", "maxptime", "framerate", "imageattr", "packetization",
		"sctp-port", "sctpmap", "max-message-size", "sctp-init",
		"ice-options", "ice-pacing", "tls-id", "identity", "content", "label":
		return text
	case "ice-ufrag":
		return ufrag
	case "ice-pwd":
		return password
	case "fingerprint":
		return fingerprint
	case "setup":
		return setup
	case "candidate":
		return candidates
	case "rtcp":
		return rtcp
	case "ssrc":
		return source
	}
	return drop
}

// attribute writes a=. section says whether it is one of a media section.
func (s *sanitiser) attribute(ln line, section bool) *Fault {
	name, value, hasValue := strings.Cut(ln.value, ":")
	if !abnf.IsToken(name) {
		return ln.fault("attribute name must be a token")
	}
	keep := false
	switch treat(name) {
	case drop:
	case flag:
		keep = !hasValue
	case text:
		keep = value != "" && !holdsAddress(value)
	case ufrag:
		if keep = abnf.IsICEChars(value, 4, 256); !keep {
			return ln.fault("ice-ufrag must be 4 to 256 letters, digits, + or /")
		}
	case password:
		if keep = abnf.IsICEChars(value, 22, 256); !keep {
			return ln.fault("ice-pwd must be 22 to 256 letters, digits, + or /")
		}
	case fingerprint:
		hash, digest, _ := strings.Cut(value, " ")
		size := digestSize(hash)
		if keep = size > 0; keep && !isHexPairs(digest, size) {
			return ln.fault("fingerprint must be as many pairs of hexadecimal digits as its hash has bytes, with : between")
		}
	case setup:
		if keep = isSetup(value); !keep {
			return ln.fault("setup must be active, passive, actpass or holdconn")
		}
	case candidates:
		s.candidate(ln, section)
		return nil
	case rtcp:
		s.rtcp(value)
		return nil
	case source:
		s.source(ln, value)
		return nil
	}
	if keep {
		s.write('a', ln.value)
	} else {
		s.remove()
	}
	return nil
}

// candidate writes a=candidate if the candidate may pass. Outside of a media
// section there is none (RFC 8839 section 5.1), though some parsers read it.
func (s *sanitiser) candidate(ln line, section bool) {
	if !section {
		s.remove()
		return
	}
	start := len(s.out)
	out, verdict, err := policy.AppendCandidate(append(s.out, "a="...), ln.value, s.policy)
	refused := verdict.Drop
	switch {
	case err != nil:
		refused = contract.RuleBadCandidate
	case refused == "" && s.report.Candidates >= s.lim.Candidates:
		refused = contract.RuleTooManyCandidates
	}
	if refused != "" {
		s.report.add(refused)
		s.out = out[:start]
		return
	}
	s.out = out
	s.end()
	s.report.Candidates++
	if verdict.Blanked {
		s.report.add(contract.RuleRelatedAddress)
	}
}

// source writes a=ssrc (RFC 5576 section 4.1). A CNAME of the form user@host
// (RFC 3550 section 6.5.1) loses its host.
func (s *sanitiser) source(ln line, value string) {
	id, rest, _ := strings.Cut(value, " ")
	name, value, _ := strings.Cut(rest, ":")
	_, ok := abnf.Number(id, 1<<32-1)
	switch name {
	case "cname", "msid", "mslabel", "label", "fmtp", "previous-ssrc":
	default:
		ok = false
	}
	if !ok || value == "" || holdsAddress(value) {
		s.remove()
		return
	}
	at := strings.IndexByte(value, '@')
	if name != "cname" || at < 0 {
		s.write('a', ln.value)
		return
	}
	s.remove()
	if at > 0 {
		s.write('a', ln.value[:len(ln.value)-len(value)+at])
	}
}

// digestSize returns the bytes of a hash of RFC 8122 section 5, 0 for others: a
// peer ignores a fingerprint by a hash that it doesn't know.
func digestSize(hash string) int {
	switch hash {
	case "sha-256":
		return 32
	case "sha-1":
		return 20
	case "sha-224":
		return 28
	case "sha-384":
		return 48
	case "sha-512":
		return 64
	}
	return 0
}

// isHexPairs reports whether s is size pairs of hexadecimal digits. RFC 8122 asks
// for capitals; parsers take both cases. Were the size not asked, an IPv6 address
// would be a digest of eight bytes.
func isHexPairs(s string, size int) bool {
	if len(s) != 3*size-1 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if i%3 == 2 {
			if s[i] != ':' {
				return false
			}
		} else if !abnf.IsHex(s[i]) {
			return false
		}
	}
	return true
}

// isSetup is the role of RFC 4145 section 4.
func isSetup(s string) bool {
	switch s {
	case "active", "passive", "actpass", "holdconn":
		return true
	}
	return false
}
