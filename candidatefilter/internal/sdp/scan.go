package sdp

import "github.com/parley-rtc/parley/candidatefilter/internal/abnf"

// holdsAddress reports whether somewhere in s stands what reads as an IP
// address: four numbers with a dot between, eight groups of hexadecimal digits
// with a colon between, or digits beside "::". It takes too much for an address
// rather than too little: neither what surrounds it nor the size of a number is
// asked.
func holdsAddress(s string) bool { return holdsIPv4(s) || holdsIPv6(s) }

func holdsIPv4(s string) bool {
	numbers := 0 // joined by dots, up to here
	for i := 0; i < len(s); i++ {
		switch {
		case isDigit(s[i]):
			if i == 0 || !isDigit(s[i-1]) {
				numbers++
			}
			if numbers == 4 {
				return true
			}
		case s[i] != '.' || i == 0 || !isDigit(s[i-1]):
			numbers = 0
		}
	}
	return false
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func holdsIPv6(s string) bool {
	groups := 0 // complete and joined by colons, up to here
	for i := 0; i < len(s); {
		digits := 0
		for i < len(s) && abnf.IsHex(s[i]) {
			digits++
			i++
		}
		if digits == 0 || digits > 4 {
			groups = 0
		} else if groups++; groups == 8 {
			return true
		}
		if i >= len(s) {
			break
		}
		if s[i] != ':' {
			groups = 0
			i++
			continue
		}
		if i++; i < len(s) && s[i] == ':' && besideHex(s, i) {
			return true
		}
	}
	return false
}

// besideHex reports whether a hexadecimal digit stands right before or after
// the "::" whose second colon is at i.
func besideHex(s string, i int) bool {
	return i+1 < len(s) && abnf.IsHex(s[i+1]) || i >= 2 && abnf.IsHex(s[i-2])
}
