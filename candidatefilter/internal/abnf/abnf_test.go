package abnf

import (
	"math"
	"strings"
	"testing"
)

func TestNumber(t *testing.T) {
	tests := []struct {
		in   string
		high uint64
		want uint64
		ok   bool
	}{
		{"0", 0, 0, true},
		{"1", 0, 0, false},
		{"256", 256, 256, true},
		{"257", 256, 0, false},
		{"7", 5, 0, false},
		{"17", 5, 0, false},
		{"18446744073709551615", math.MaxUint64, math.MaxUint64, true},
		{"18446744073709551616", math.MaxUint64, 0, false},
		{"99999999999999999999", math.MaxUint64, 0, false},
		{strings.Repeat("1", 4096), math.MaxUint64, 0, false},
		{"", 9, 0, false},
		{"00", 9, 0, false},
		{"01", 9, 0, false},
		{"+1", 9, 0, false},
		{"-1", 9, 0, false},
		{" 1", 9, 0, false},
		{"1 ", 9, 0, false},
		{"0x1", 99, 0, false},
		{"1_0", 99, 0, false},
		{"\uff11", 99, 0, false},
		{"/", 99, 0, false},
		{":", 99, 0, false},
	}
	for _, tt := range tests {
		if got, ok := Number(tt.in, tt.high); got != tt.want || ok != tt.ok {
			t.Errorf("%q up to %d: got %d, %v, want %d, %v", tt.in, tt.high, got, ok, tt.want, tt.ok)
		}
	}
}

func TestIsICEChars(t *testing.T) {
	for in, want := range map[string]bool{
		"abcd": true, "AZ09+/": true, "": false, "abc": false, "abcdefg": false,
		"ab-d": false, "ab d": false, "ab=d": false, "abc\n": false, "abcé": false,
	} {
		if got := IsICEChars(in, 4, 6); got != want {
			t.Errorf("%q: got %v, want %v", in, got, want)
		}
	}
}

func TestIsToken(t *testing.T) {
	for in, want := range map[string]bool{
		"ice-ufrag": true, "a.b_c": true, "!#$%&'*+-.^_`{|}~": true,
		"": false, "a b": false, "a:b": false, "a/b": false, "a=b": false, "a@b": false, "a\x00": false, "é": false,
	} {
		if got := IsToken(in); got != want {
			t.Errorf("%q: got %v, want %v", in, got, want)
		}
	}
}
