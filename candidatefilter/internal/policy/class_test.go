package policy

import (
	"net/netip"
	"testing"
)

// edges names the first and last address of every special block and the
// addresses right outside of it.
var edges = map[string]Class{
	"0.0.0.0": Unspecified, "0.0.0.1": Unspecified, "0.255.255.255": Unspecified, "1.0.0.0": Global,
	"9.255.255.255": Global, "10.0.0.0": Private, "10.255.255.255": Private, "11.0.0.0": Global,
	"100.63.255.255": Global, "100.64.0.0": Private, "100.127.255.255": Private, "100.128.0.0": Global,
	"126.255.255.255": Global, "127.0.0.0": Loopback, "127.0.0.1": Loopback, "127.255.255.255": Loopback, "128.0.0.0": Global,
	"169.253.255.255": Global, "169.254.0.0": LinkLocal, "169.254.169.254": LinkLocal, "169.254.255.255": LinkLocal, "169.255.0.0": Global,
	"172.15.255.255": Global, "172.16.0.0": Private, "172.31.255.255": Private, "172.32.0.0": Global,
	"191.255.255.255": Global, "192.0.0.0": Reserved, "192.0.0.9": Reserved, "192.0.0.170": Reserved, "192.0.0.255": Reserved, "192.0.1.0": Global,
	"192.0.1.255": Global, "192.0.2.0": Reserved, "192.0.2.255": Reserved, "192.0.3.0": Global,
	"192.31.195.255": Global, "192.31.196.0": Reserved, "192.31.196.255": Reserved, "192.31.197.0": Global,
	"192.52.192.255": Global, "192.52.193.0": Reserved, "192.52.193.255": Reserved, "192.52.194.0": Global,
	"192.88.98.255": Global, "192.88.99.0": Reserved, "192.88.99.255": Reserved, "192.88.100.0": Global,
	"192.167.255.255": Global, "192.168.0.0": Private, "192.168.255.255": Private, "192.169.0.0": Global,
	"192.175.47.255": Global, "192.175.48.0": Reserved, "192.175.48.255": Reserved, "192.175.49.0": Global,
	"198.17.255.255": Global, "198.18.0.0": Reserved, "198.19.255.255": Reserved, "198.20.0.0": Global,
	"198.51.99.255": Global, "198.51.100.0": Reserved, "198.51.100.255": Reserved, "198.51.101.0": Global,
	"203.0.112.255": Global, "203.0.113.0": Reserved, "203.0.113.255": Reserved, "203.0.114.0": Global,
	"223.255.255.255": Global, "224.0.0.0": Multicast, "233.252.0.0": Multicast, "239.255.255.255": Multicast, "240.0.0.0": Reserved,
	"255.255.255.254": Reserved, "255.255.255.255": Broadcast,

	"::": Unspecified, "::1": Loopback, "::2": Unspecified, "100::": Reserved, "100::ffff:ffff:ffff:ffff": Reserved,
	"100:0:0:1::": Reserved, "100:0:0:2::": Reserved, "200::": Reserved, "1fff:ffff::": Reserved, "2000::": Global,
	"2001:1::1": Reserved, "2001:1::2": Reserved, "2001:1::3": Reserved, "2001:2::": Reserved, "2001:2:0:ffff::": Reserved,
	"2001:3::1": Reserved, "2001:4:112::1": Reserved, "2001:10::1": Reserved, "2001:1f:ffff::": Reserved,
	"2001:20::1": Reserved, "2001:2f:ffff::": Reserved, "2001:30::1": Reserved, "2001:1ff:ffff::": Reserved, "2001:200::": Global,
	"2001:db7:ffff::": Global, "2001:db8::": Reserved, "2001:db8:ffff::": Reserved, "2001:db9::": Global,
	"2003::1": Global, "2620:4f:7fff::": Global, "2620:4f:8000::": Reserved, "2620:4f:8000:ffff::": Reserved, "2620:4f:8001::": Global,
	"3ffe:ffff::": Global, "3fff::": Reserved, "3fff:fff::": Reserved, "3fff:1000::": Global, "4000::": Reserved,
	"5f00::": Reserved, "5f00:ffff::": Reserved, "5f01::": Reserved, "8000::": Reserved, "fbff::": Reserved,
	"fc00::": Private, "fd12:3456::1": Private, "fdff:ffff::": Private, "fe00::": Reserved,
	"fe7f::": Reserved, "fe80::1": LinkLocal, "febf:ffff::": LinkLocal, "fec0::1": Private, "feff:ffff::": Private,
	"ff00::": Multicast, "ff02::fb": Multicast, "ffff:ffff::": Multicast,
	"64:ff9b:1::": Reserved, "64:ff9b:1:ffff::": Reserved, "64:ff9b:2::": Reserved, "64:ff9a::": Reserved,
	"2606:2800:220:1::7": Global, "2a00:1450:4001:80b::200e": Global,
}

func TestClassify_blocks(t *testing.T) {
	for text, want := range edges {
		if got := Classify(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}

// wrap puts an IPv4 address into each of the IPv6 forms that carry one.
func wrap(v4 [4]byte) map[string]netip.Addr {
	at := func(prefix string, i int, mask byte) netip.Addr {
		b := netip.MustParseAddr(prefix).As16()
		for j, octet := range v4 {
			b[i+j] = octet ^ mask
		}
		return netip.AddrFrom16(b)
	}
	return map[string]netip.Addr{
		"mapped":           at("::ffff:0:0", 12, 0),
		"compatible":       at("::", 12, 0),
		"translated":       at("::ffff:0:0:0", 12, 0),
		"teredo":           at("2001:0:4136:e378:8000:63bf::", 12, 0xff),
		"nat64":            at("64:ff9b::", 12, 0),
		"6to4":             at("2002::", 2, 0),
		"6to4 with suffix": at("2002::1:0:0:0:1", 2, 0),
		"isatap":           at("2606:2800:220:1:0:5efe::", 12, 0),
		"isatap universal": at("2606:2800:220:1:200:5efe::", 12, 0),
	}
}

func TestClassify_carriersAreWhatTheyCarry(t *testing.T) {
	for text, want := range edges {
		v4 := netip.MustParseAddr(text)
		if !v4.Is4() || text == "0.0.0.0" || text == "0.0.0.1" { // :: and ::1 have a meaning of their own
			continue
		}
		for form, ip := range wrap(v4.As4()) {
			want := want
			if want == Global {
				switch form {
				case "mapped", "compatible", "translated", "teredo":
					want = Reserved
				}
			}
			if got := Classify(ip); got != want {
				t.Errorf("%s of %s (%s): got %v, want %v", form, v4, ip, got, want)
			}
		}
	}
}

func TestClassify_refusesWhatIsNoAddressOfTheInternet(t *testing.T) {
	for name, ip := range map[string]netip.Addr{
		"zero":              {},
		"zone":              netip.MustParseAddr("2606:2800:220:1::7%eth0"),
		"link-local ISATAP": netip.MustParseAddr("fe80::5efe:5db8:d822"),
	} {
		if got := Classify(ip); got == Global {
			t.Errorf("%s: got Global", name)
		}
	}
}

func TestClass_Rule(t *testing.T) {
	for c := Global; c <= Reserved; c++ {
		if got, want := c.Rule() == "", c == Global; got != want {
			t.Errorf("%v: got rule %q", c, c.Rule())
		}
		if c != Global && !c.Rule().Known() {
			t.Errorf("%v: rule %q is not in the list", c, c.Rule())
		}
	}
}

func FuzzClassify(f *testing.F) {
	for text := range edges {
		b := netip.MustParseAddr(text).As16()
		f.Add(b[:])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 16 {
			return
		}
		v4 := netip.AddrFrom4([4]byte(b))
		v6 := netip.AddrFrom16([16]byte(b))
		for _, ip := range []netip.Addr{v4, v6} {
			if Classify(ip) == Global && obviouslyLocal(ip) {
				t.Errorf("%s is Global", ip)
			}
		}
		if Classify(v4) == Global {
			return
		}
		for form, ip := range wrap(v4.As4()) {
			if Classify(ip) == Global {
				t.Errorf("%s of %s (%s) is Global", form, v4, ip)
			}
		}
	})
}

// obviouslyLocal is what the standard library knows by itself.
func obviouslyLocal(ip netip.Addr) bool {
	return ip.IsPrivate() || ip.IsLoopback() || ip.IsUnspecified() || ip.IsMulticast() ||
		ip.IsLinkLocalUnicast() || ip.IsInterfaceLocalMulticast() || !ip.IsGlobalUnicast()
}

func BenchmarkClassify(b *testing.B) {
	for _, text := range []string{"93.184.216.34", "2606:2800:220:1::7"} {
		b.Run(text, func(b *testing.B) {
			ip := netip.MustParseAddr(text)
			for b.Loop() {
				if Classify(ip) != Global {
					b.Fatal("not global")
				}
			}
		})
	}
}
