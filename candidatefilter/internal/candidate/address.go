package candidate

import (
	"net/netip"
	"strings"

	"github.com/parley-rtc/parley/candidatefilter/internal/abnf"
)

// Address is where a candidate can be reached: an IP address without a zone, or
// the mDNS name that a browser put in its place. The zero Address is none.
type Address struct {
	IP   netip.Addr // invalid for an mDNS name
	Name string     // "<UUIDv4>.local", or empty
}

// Valid reports whether there is an address at all.
func (a Address) Valid() bool { return a.IP.IsValid() || a.Name != "" }

// Append writes the address to dst.
func (a Address) Append(dst []byte) []byte {
	if a.Name != "" {
		return append(dst, a.Name...)
	}
	return a.IP.AppendTo(dst)
}

// parseAddress accepts what netip accepts without a zone, and the names that
// browsers make for mDNS. All else that could be a name is one for a resolver,
// which also reads "127.1", "0x7f000001" and "2130706433" as addresses; so
// those are names here, and never pass.
func parseAddress(s string) (Address, *Fault) {
	if isMDNSName(s) {
		return Address{Name: s}, nil
	}
	if strings.IndexByte(s, '%') < 0 {
		if ip, err := netip.ParseAddr(s); err == nil {
			return Address{IP: ip}, nil
		}
	}
	if isHostname(s) {
		return Address{}, errHostname
	}
	return Address{}, errAddress
}

// isMDNSName matches a version 4 UUID (RFC 9562 section 5.4) and ".local", the
// one form of name that draft-ietf-mmusic-mdns-ice-candidates allows.
func isMDNSName(s string) bool {
	const uuid = "xxxxxxxx-xxxx-4xxx-Nxxx-xxxxxxxxxxxx"
	if len(s) != len(uuid)+len(".local") || s[len(uuid):] != ".local" {
		return false
	}
	for i := 0; i < len(uuid); i++ {
		b := s[i]
		switch uuid[i] {
		case 'x':
			if !abnf.IsHex(b) {
				return false
			}
		case 'N':
			if strings.IndexByte("89abAB", b) < 0 {
				return false
			}
		default:
			if b != uuid[i] {
				return false
			}
		}
	}
	return true
}

// isHostname is wider than RFC 1123 on purpose: it only decides how a refusal
// is named.
func isHostname(s string) bool {
	for i := 0; i < len(s); i++ {
		if b := s[i]; !abnf.IsAlphanumeric(b) && b != '.' && b != '-' && b != '_' {
			return false
		}
	}
	return s != ""
}
