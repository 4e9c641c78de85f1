package abnf

import "strings"

// IsHex reports whether b is a hexadecimal digit of either case.
func IsHex(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F'
}

// IsAlphanumeric reports whether b is an ASCII letter or digit.
func IsAlphanumeric(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// IsICEChars reports whether s is low to high ice-chars (RFC 8839 section 5.1).
func IsICEChars(s string, low, high int) bool {
	if len(s) < low || len(s) > high {
		return false
	}
	for i := 0; i < len(s); i++ {
		if b := s[i]; !IsAlphanumeric(b) && b != '+' && b != '/' {
			return false
		}
	}
	return true
}

// IsToken reports whether s is a token (RFC 8866 section 9).
func IsToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if !IsAlphanumeric(s[i]) && strings.IndexByte("!#$%&'*+-.^_`{|}~", s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

// Number reads a decimal number up to high. A sign is refused, and so is a
// leading zero, which some parsers take for octal.
func Number(s string, high uint64) (uint64, bool) {
	if s == "" || s[0] == '0' && len(s) > 1 {
		return 0, false
	}
	var n uint64
	for i := 0; i < len(s); i++ {
		digit := uint64(s[i] - '0')
		if digit > 9 || digit > high || n > (high-digit)/10 {
			return 0, false
		}
		n = n*10 + digit
	}
	return n, true
}
