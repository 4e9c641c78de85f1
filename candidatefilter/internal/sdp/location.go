package sdp

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/parley-rtc/parley/candidatefilter/internal/abnf"
	"github.com/parley-rtc/parley/candidatefilter/internal/policy"
	"github.com/parley-rtc/parley/services/contract"
)

// discard is the port that stands for none yet (RFC 8840 section 4.1.1).
const discard = 9

// location is "IN IP4 address" or "IN IP6 address" as c=, o= and a=rtcp have it.
type location struct {
	family, text string
	ip           netip.Addr // zero if text isn't an address of the family
}

// parseLocation reads a location. What stands in place of the address may be
// anything without a space, since RFC 8866 allows names and multicast scopes.
func parseLocation(s string) (location, bool) {
	s, ok := strings.CutPrefix(s, "IN ")
	family, text, found := strings.Cut(s, " ")
	if !ok || !found || text == "" || strings.Contains(text, " ") {
		return location{}, false
	}
	if family != "IP4" && family != "IP6" {
		return location{}, false
	}
	loc := location{family: family, text: text}
	if ip, err := netip.ParseAddr(text); err == nil && ip.Zone() == "" && ip.Is4() == (family == "IP4") {
		loc.ip = ip
	}
	return loc, true
}

// appendLocation writes loc, blanked if the policy asks for it, and reports
// whether that took an address out.
func (s *sanitiser) appendLocation(loc location) (told bool) {
	unspecified := loc.ip.IsValid() && loc.ip.IsUnspecified()
	if s.open && loc.ip.IsValid() && (unspecified || policy.Classify(loc.ip).Unicast()) {
		s.out = append(s.out, "IN "...)
		s.out = append(s.out, loc.family...)
		s.out = append(s.out, ' ')
		s.out = loc.ip.AppendTo(s.out)
		return false
	}
	s.out = append(s.out, "IN IP4 0.0.0.0"...)
	return !unspecified
}

// connection writes c=.
func (s *sanitiser) connection(ln line) *Fault {
	loc, ok := parseLocation(ln.value)
	if !ok {
		return ln.fault("connection must be IN, IP4 or IP6, and an address")
	}
	s.out = append(s.out, "c="...)
	if s.appendLocation(loc) {
		s.report.add(contract.RuleSDPAddress)
	}
	s.end()
	return nil
}

// origin writes o=. The session's id and version stay, and so does the address
// 127.0.0.1 that Chrome writes to say nothing.
func (s *sanitiser) origin(ln line) *Fault {
	login, rest, _ := strings.Cut(ln.value, " ")
	id, rest, _ := strings.Cut(rest, " ")
	version, rest, _ := strings.Cut(rest, " ")
	loc, ok := parseLocation(rest)
	if login == "" || !isUint64(id) || !isUint64(version) || !ok {
		return ln.fault("origin must be a name, two numbers, IN, IP4 or IP6, and an address")
	}
	if login != "-" && !isFirefox(login) {
		s.remove()
		login = "-"
	}
	s.out = append(s.out, "o="...)
	for _, field := range [...]string{login, id, version} {
		s.out = append(s.out, field...)
		s.out = append(s.out, ' ')
	}
	if loc.family == "IP4" && loc.text == "127.0.0.1" {
		s.out = append(s.out, "IN IP4 127.0.0.1"...)
	} else if s.appendLocation(loc) {
		s.report.add(contract.RuleSDPAddress)
	}
	s.end()
	return nil
}

// isFirefox reports whether the login of o= is Firefox's product name. It tells
// the browser, as the rest of its offers does anyway, and pages look for it.
func isFirefox(login string) bool {
	version, ok := strings.CutPrefix(login, "mozilla...THIS_IS_SDPARTA-")
	return ok && abnf.IsToken(version) && !holdsAddress(version)
}

// rtcp writes a=rtcp (RFC 3605): a port, and maybe a location.
func (s *sanitiser) rtcp(value string) {
	port, where, hasWhere := strings.Cut(value, " ")
	n, ok := abnf.Number(port, 65535)
	loc, located := parseLocation(where)
	if !ok || hasWhere != located {
		s.remove()
		return
	}
	told := false
	if n != 0 && n != discard && !s.open {
		n, told = discard, true
	}
	s.out = append(s.out, "a=rtcp:"...)
	s.out = strconv.AppendUint(s.out, n, 10)
	if located {
		s.out = append(s.out, ' ')
		told = s.appendLocation(loc) || told
	}
	if told {
		s.report.add(contract.RuleSDPAddress)
	}
	s.end()
}
