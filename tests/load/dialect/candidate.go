package dialect

import (
	"bytes"
	"strconv"
)

// AppendCandidateText appends the text of the n-th candidate of a peer, as a
// browser writes it (RFC 8839 section 5.1). The foundation is n and the priority
// tells the peer, so that whoever gets it knows whose it is and which one; the
// ports come from both, so that no text is like another one. Every member is
// such that a server that parses the text and writes it anew writes the same.
func AppendCandidateText(dst []byte, peer, n int) []byte {
	dst = append(dst, "candidate:"...)
	dst = strconv.AppendInt(dst, int64(n), 10)
	dst = append(dst, " 1 udp "...)
	dst = strconv.AppendInt(dst, firstPriority+int64(peer), 10)
	dst = append(dst, " 198.51."...)
	dst = strconv.AppendInt(dst, int64(peer>>8&255), 10)
	dst = append(dst, '.')
	dst = strconv.AppendInt(dst, int64(peer&255), 10)
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, port(peer, n), 10)
	dst = append(dst, " typ srflx raddr 192.168.1.20 rport "...)
	dst = strconv.AppendInt(dst, port(n, peer), 10)
	dst = append(dst, " generation 0 ufrag "...)
	dst = appendFragment(dst, peer)
	return append(dst, " network-id 1 network-cost 10"...)
}

// firstPriority is near that of a server reflexive candidate (RFC 8445 section
// 5.1.2).
const firstPriority = 1_677_700_000

// port mixes two numbers into a port above the well-known ones.
func port(a, b int) int64 {
	mixed := uint32(a)*2654435761 ^ uint32(b)*2246822519
	return 1024 + int64(mixed>>8%64_000)
}

// appendFragment appends the username fragment of a peer: at least 4 characters
// (RFC 8839 section 5.4).
func appendFragment(dst []byte, peer int) []byte {
	dst = append(dst, "pB"...)
	return strconv.AppendInt(dst, int64(peer)+10_000, 10)
}

// appendInit appends the RTCIceCandidateInit of a candidate.
func appendInit(dst []byte, peer, n int) []byte {
	dst = append(dst, `{"candidate":"`...)
	dst = AppendCandidateText(dst, peer, n)
	dst = append(dst, `","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"`...)
	dst = appendFragment(dst, peer)
	return append(dst, `"}`...)
}

// ParseCandidateText tells whose candidate a text is and which one. ok is false
// if nobody of the bench sent it.
func ParseCandidateText(text []byte) (peer, n int, ok bool) {
	rest, found := bytes.CutPrefix(text, []byte("candidate:"))
	if !found {
		return 0, 0, false
	}
	number, rest, found := bytes.Cut(rest, []byte(" 1 udp "))
	if !found {
		return 0, 0, false
	}
	priority, _, _ := bytes.Cut(rest, []byte(" "))
	n, ok = digits(number)
	if !ok {
		return 0, 0, false
	}
	value, ok := digits(priority)
	if !ok || value < firstPriority {
		return 0, 0, false
	}
	return value - firstPriority, n, true
}

// digits reads a number without making a string of it.
func digits(text []byte) (n int, ok bool) {
	if len(text) == 0 || len(text) > 15 {
		return 0, false
	}
	for _, b := range text {
		if b < '0' || b > '9' {
			return 0, false
		}
		n = n*10 + int(b-'0')
	}
	return n, true
}

// sdp is a description of a data channel, as a browser makes it (RFC 8829,
// RFC 8841).
func sdp(peer int, kind Kind) string {
	setup := "actpass"
	if kind == Answer {
		setup = "active"
	}
	return "v=0\r\no=- " + strconv.Itoa(4611731400430051336+peer) + " 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n" +
		"a=extmap-allow-mixed\r\na=msid-semantic: WMS\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n" +
		"a=ice-ufrag:" + string(appendFragment(nil, peer)) + "\r\na=ice-pwd:7sFvz2gdLkEwjZEr1c9YyPqM\r\na=ice-options:trickle\r\n" +
		"a=fingerprint:sha-256 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:3D:41:2C:6F:9E:0D:7A:58:11:C4:66:90\r\n" +
		"a=setup:" + setup + "\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n"
}
