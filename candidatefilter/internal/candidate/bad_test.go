package candidate

import (
	"errors"
	"strings"
	"testing"
)

// refused are inputs that must not parse, grouped by the fault that names the
// first thing wrong with them.
var refused = []struct {
	want  *Fault
	texts []string
}{
	{errEmpty, []string{
		"",
		"candidate:",
		"a=candidate:",
	}},
	{errByte, []string{
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host\r\n",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host\n",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host\r",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host\r\na=candidate:2 1 udp 1 10.0.0.1 5000 typ host",
		"candidate:1 1 udp 1 fe80::1%eth0\r\na=x 5000 typ host",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host\x00",
		"candidate:1 1 udp 1 93.184.216.34\x00.local 5000 typ host",
		"candidate:1\t1 udp 1 93.184.216.34 5000 typ host",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ\x0bhost",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host\x7f",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host \x1b[31m x",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host\u2028",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host\u2029x y",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host\u0085",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host\xff",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ\u00a0host",
		"candidate:1 1 udp 1 93.184.216.34 \uff15\uff10\uff10\uff10 typ host",
		"candidate:1 1 udp 1 93\u3002184\u3002216\u300234 5000 typ host",
		"candidate:1 1 udp 1 bücher.example 5000 typ host",
		"candidate:\u202e1 1 udp 1 93.184.216.34 5000 typ host",
		"\ufeffcandidate:1 1 udp 1 93.184.216.34 5000 typ host",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host ufrag абвг",
	}},
	{errSpace, []string{
		"candidate:1  1 udp 1 93.184.216.34 5000 typ host",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ  host",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host ",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host  generation 0",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host generation  0",
		"candidate: 1 1 udp 1 93.184.216.34 5000 typ host",
		" 1 1 udp 1 93.184.216.34 5000 typ host",
		" candidate:1 1 udp 1 93.184.216.34 5000 typ host",
		"candidate: ",
		" ",
	}},
	{errShort, []string{
		"candidate:1",
		"candidate:1 1",
		"candidate:1 1 udp",
		"candidate:1 1 udp 1",
		"candidate:1 1 udp 1 93.184.216.34",
		"candidate:1 1 udp 1 93.184.216.34 5000",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ",
	}},
	{errFoundation, []string{
		"candidate:candidate:1 1 udp 1 93.184.216.34 5000 typ host",
		"a=1 1 udp 1 93.184.216.34 5000 typ host",
		"a=a=candidate:1 1 udp 1 93.184.216.34 5000 typ host",
		"Candidate:1 1 udp 1 93.184.216.34 5000 typ host",
		"candidate:0123456789abcdef0123456789abcdef0 1 udp 1 93.184.216.34 5000 typ host",
		"candidate:a-b 1 udp 1 93.184.216.34 5000 typ host",
		"candidate:a_b 1 udp 1 93.184.216.34 5000 typ host",
		"candidate:10.0.0.1 1 udp 1 93.184.216.34 5000 typ host",
		"candidate:<script> 1 udp 1 93.184.216.34 5000 typ host",
	}},
	{errComponent, []string{
		"candidate:1 0 udp 1 93.184.216.34 5000 typ host",
		"candidate:1 257 udp 1 93.184.216.34 5000 typ host",
		"candidate:1 65537 udp 1 93.184.216.34 5000 typ host",
		"candidate:1 01 udp 1 93.184.216.34 5000 typ host",
		"candidate:1 +1 udp 1 93.184.216.34 5000 typ host",
		"candidate:1 -1 udp 1 93.184.216.34 5000 typ host",
		"candidate:1 1.0 udp 1 93.184.216.34 5000 typ host",
		"candidate:1 0x1 udp 1 93.184.216.34 5000 typ host",
		"candidate:1 one udp 1 93.184.216.34 5000 typ host",
		"candidate:1 18446744073709551617 udp 1 93.184.216.34 5000 typ host",
	}},
	{errTransport, []string{
		"candidate:1 1 ssltcp 1 93.184.216.34 443 typ host",
		"candidate:1 1 Udp 1 93.184.216.34 5000 typ host",
		"candidate:1 1 udp4 1 93.184.216.34 5000 typ host",
		"candidate:1 1 udpXYZ 1 93.184.216.34 5000 typ host",
		"candidate:1 1 tls 1 93.184.216.34 5000 typ host",
		"candidate:1 1 TCP/TLS 1 93.184.216.34 5000 typ host",
		"candidate:1 1 sctp 1 93.184.216.34 5000 typ host",
	}},
	{errPriority, []string{
		"candidate:1 1 udp 0 93.184.216.34 5000 typ host",
		"candidate:1 1 udp 2147483648 93.184.216.34 5000 typ host",
		"candidate:1 1 udp 4294967296 93.184.216.34 5000 typ host",
		"candidate:1 1 udp 99999999999 93.184.216.34 5000 typ host",
		"candidate:1 1 udp 007 93.184.216.34 5000 typ host",
		"candidate:1 1 udp -5 93.184.216.34 5000 typ host",
		"candidate:1 1 udp 1e3 93.184.216.34 5000 typ host",
	}},
	{errPort, []string{
		"candidate:1 1 udp 1 93.184.216.34 65536 typ host",
		"candidate:1 1 udp 1 93.184.216.34 -1 typ host",
		"candidate:1 1 udp 1 93.184.216.34 05000 typ host",
		"candidate:1 1 udp 1 93.184.216.34 +80 typ host",
		"candidate:1 1 udp 1 93.184.216.34 80,81 typ host",
		"candidate:1 1 udp 1 93.184.216.34 http typ host",
		"candidate:1 1 udp 1 93.184.216.34 4294967376 typ host",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ srflx raddr 10.0.0.1 rport 65536",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ srflx raddr 10.0.0.1 rport",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ srflx raddr 10.0.0.1 rport 0x50",
	}},
	{errType, []string{
		"candidate:1 1 udp 1 93.184.216.34 5000 host",
		"candidate:1 1 udp 1 93.184.216.34 5000 type host",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ Host",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ local",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ stun",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ unknown generation 0",
		"candidate:1 1 udp 1 93.184.216.34 5000 raddr 10.0.0.1 rport 9 typ srflx",
		"candidate:1 1 udp 1 93.184.216.34 5000 generation 0 typ host",
	}},
	{errAddress, []string{
		"candidate:1 1 udp 1 fe80::1%eth0 5000 typ host",
		"candidate:1 1 udp 1 fe80::1%25eth0 5000 typ host",
		"candidate:1 1 udp 1 fe80::1% 5000 typ host",
		"candidate:1 1 udp 1 10.0.0.1%lo 5000 typ host",
		"candidate:1 1 udp 1 [2606:2800:220:1::7] 5000 typ host",
		"candidate:1 1 udp 1 2606:2800:220:1:::7 5000 typ host",
		"candidate:1 1 udp 1 2606::220::7 5000 typ host",
		"candidate:1 1 udp 1 1:2:3:4:5:6:7:8:9 5000 typ host",
		"candidate:1 1 udp 1 1:2:3:4:5:6:7 5000 typ host",
		"candidate:1 1 udp 1 12345::1 5000 typ host",
		"candidate:1 1 udp 1 ::ffff:10.0.0.256 5000 typ host",
		"candidate:1 1 udp 1 ::ffff:10.0.0.010 5000 typ host",
		"candidate:1 1 udp 1 93.184.216.34:5000 5000 typ host",
		"candidate:1 1 udp 1 93.184.216.34/32 5000 typ host",
		"candidate:1 1 udp 1 http://93.184.216.34/ 5000 typ host",
		"candidate:1 1 udp 1 ada@93.184.216.34 5000 typ host",
		"candidate:1 1 udp 1 : 5000 typ host",
		"candidate:1 1 udp 1 \"10.0.0.1\" 5000 typ host",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ srflx raddr fe80::1%eth0 rport 9",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ srflx raddr",
	}},
	{errHostname, []string{
		"candidate:1 1 udp 1 example.com 5000 typ host",
		"candidate:1 1 udp 1 localhost 5000 typ host",
		"candidate:1 1 udp 1 metadata.google.internal 80 typ host",
		"candidate:1 1 udp 1 printer.local 631 typ host",
		"candidate:1 1 udp 1 127.1 5000 typ host",
		"candidate:1 1 udp 1 127.0.0 5000 typ host",
		"candidate:1 1 udp 1 0x7f000001 5000 typ host",
		"candidate:1 1 udp 1 0x7f.0.0.1 5000 typ host",
		"candidate:1 1 udp 1 2130706433 5000 typ host",
		"candidate:1 1 udp 1 0177.0.0.1 5000 typ host",
		"candidate:1 1 udp 1 010.0.0.1 5000 typ host",
		"candidate:1 1 udp 1 93.184.216.034 5000 typ host",
		"candidate:1 1 udp 1 93.184.216.34. 5000 typ host",
		"candidate:1 1 udp 1 93.184.216.256 5000 typ host",
		"candidate:1 1 udp 1 93.184.216.34.5 5000 typ host",
		"candidate:1 1 udp 1 10.0.0.1.nip.io 5000 typ host",
		"candidate:1 1 udp 1 4b2f1d1e-7d0e-1c7f-9a53-0f1f4f6c2b11.local 5000 typ host",
		"candidate:1 1 udp 1 4b2f1d1e-7d0e-4c7f-7a53-0f1f4f6c2b11.local 5000 typ host",
		"candidate:1 1 udp 1 4b2f1d1e-7d0e-4c7f-9a53-0f1f4f6c2b11.local. 5000 typ host",
		"candidate:1 1 udp 1 4b2f1d1e-7d0e-4c7f-9a53-0f1f4f6c2b11.LOCAL 5000 typ host",
		"candidate:1 1 udp 1 4b2f1d1e-7d0e-4c7f-9a53-0f1f4f6c2b11.invalid 5000 typ host",
		"candidate:1 1 udp 1 4b2f1d1e7d0e4c7f9a530f1f4f6c2b11.local 5000 typ host",
		"candidate:1 1 udp 1 a.4b2f1d1e-7d0e-4c7f-9a53-0f1f4f6c2b11.local 5000 typ host",
		"candidate:1 1 udp 1 4g2f1d1e-7d0e-4c7f-9a53-0f1f4f6c2b11.local 5000 typ host",
		"candidate:1 1 udp 1 4b2f1d1e-7d0e-4c7f-9a53-0f1f4f6c2b11.local.evil.example 5000 typ host",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ srflx raddr www.example.com rport 22222",
	}},
	{errRelated, []string{
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host raddr 0.0.0.0 rport 9",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ srflx raddr 10.0.0.1",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ srflx rport 9",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ srflx rport 9 raddr 10.0.0.1",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ srflx generation 0 raddr 10.0.0.1 rport 9",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ srflx raddr 10.0.0.1 rport 9 raddr 10.0.0.2 rport 9",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ srflx raddr 10.0.0.1 generation 0 rport 9",
	}},
	{errExtension, []string{
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host generation",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host x y z",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host generation 0 generation 0",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host ufrag abcd ufrag efgh",
		"candidate:1 1 tcp 1 93.184.216.34 9 typ host tcptype active tcptype passive",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host a=b c",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host a:b c",
	}},
	{errTCPType, []string{
		"candidate:1 1 tcp 1 93.184.216.34 5000 typ host",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host tcptype passive",
		"candidate:1 1 tcp 1 93.184.216.34 5000 typ host tcptype Active",
		"candidate:1 1 tcp 1 93.184.216.34 5000 typ host tcptype simultaneous",
	}},
	{errGeneration, []string{
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host generation -1",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host generation 4294967296",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host generation 00",
	}},
	{errUfrag, []string{
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host ufrag abc",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host ufrag ab-cd",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host ufrag 10.0.0.1",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host ufrag " + strings.Repeat("a", 257),
	}},
	{errNetwork, []string{
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host network-id 65536",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host network-id eth0",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host network-cost 1000",
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host network-cost 0.5",
	}},
	{errTooLong, []string{
		"candidate:1 1 udp 1 93.184.216.34 5000 typ host x " + strings.Repeat("y", MaxBytes),
		strings.Repeat("candidate:", 200),
	}},
}

func TestParse_refuses(t *testing.T) {
	for _, group := range refused {
		t.Run(group.want.Reason, func(t *testing.T) {
			for _, text := range group.texts {
				c, err := Parse(text)
				var got *Fault
				if !errors.As(err, &got) || got != group.want {
					t.Errorf("%q: got %v", text, err)
				}
				if c != (Candidate{}) {
					t.Errorf("%q: got %+v beside the error", text, c)
				}
			}
		})
	}
}

// A client's text must not reach a log through an error.
func TestFault_repeatsNoInput(t *testing.T) {
	for _, group := range refused {
		for _, text := range group.texts {
			_, err := Parse(text)
			if got, want := err.Error(), "candidate: "+group.want.Reason; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	}
}
