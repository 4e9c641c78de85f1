package conn

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/services/contract"
)

// exchange is one case: the bytes a client sends, in pieces, and the frames an
// echo server answers, up to the close frame, of which only the code counts.
type exchange struct {
	name string
	sent [][]byte
	want []frame
	code contract.CloseCode // of the close frame
}

// fine is an exchange that ends as the client closes it.
func fine(name string, want []frame, sent ...[]byte) exchange {
	return exchange{name, append(sent, masked(true, ws.OpClose, "\x03\xe8")), want, contract.CloseNormal}
}

// broken is an exchange that the server ends.
func broken(name string, code contract.CloseCode, want []frame, sent ...[]byte) exchange {
	return exchange{name, sent, want, code}
}

func whole(s string) []byte  { return masked(true, ws.OpText, s) }
func begin(s string) []byte  { return masked(false, ws.OpText, s) }
func middle(s string) []byte { return masked(false, ws.OpContinuation, s) }
func last(s string) []byte   { return masked(true, ws.OpContinuation, s) }
func ping(s string) []byte   { return masked(true, ws.OpPing, s) }
func pong(s string) []byte   { return masked(true, ws.OpPong, s) }

func bytewise(b []byte) [][]byte {
	var all [][]byte
	for i := range b {
		all = append(all, b[i:i+1])
	}
	return all
}

// run plays the exchange against an echo server over TCP.
func (e exchange) run(t *testing.T) {
	t.Helper()
	c, p := overTCP(t, roomy())
	echoed := make(chan struct{})
	go func() {
		defer close(echoed)
		for {
			s, err := c.Read()
			if err != nil {
				return
			}
			if err := c.Send(s); err != nil && !errors.Is(err, ErrClosed) {
				t.Errorf("echo: %v", err)
			}
		}
	}()
	go func() {
		for _, piece := range e.sent {
			if _, err := p.nc.Write(piece); err != nil {
				return // the server ended it before all was sent, as it may
			}
		}
	}()
	for i := 0; ; i++ {
		got, err := p.read()
		if err != nil {
			t.Fatalf("frame %d: %v, want a close frame with %d", i, err, e.code)
		}
		if got.op == ws.OpClose {
			if i != len(e.want) {
				t.Errorf("%d frames before the close frame, want %d", i, len(e.want))
			}
			if code := closeCode(got.payload); code != e.code {
				t.Errorf("close code %d (%q), want %d", code, got.payload, e.code)
			}
			break
		}
		if i >= len(e.want) || got != e.want[i] {
			t.Fatalf("frame %d is %v, want %v", i, got, e.want[min(i, len(e.want)):])
		}
	}
	if got, err := p.read(); !errors.Is(err, io.EOF) {
		t.Errorf("behind the close frame: %v, %v, want the end of the stream", got, err)
	}
	p.nc.Close()
	c.Wait()
	<-echoed
}

func closeCode(payload string) contract.CloseCode {
	if payload == "" {
		return closeNoCode
	}
	return contract.CloseCode(payload[0])<<8 | contract.CloseCode(payload[1])
}

func runAll(t *testing.T, all []exchange) {
	t.Helper()
	for _, e := range all {
		t.Run(e.name, e.run)
	}
}

// The cases below follow the groups of the Autobahn test suite.

func TestAutobahn_1_framing(t *testing.T) {
	var all []exchange
	for _, n := range []int{0, 125, 126, 127, 128, 65535, 65536} {
		s := strings.Repeat("*", n)
		all = append(all, fine(fmt.Sprint("text of ", n), []frame{text(s)}, whole(s)))
	}
	chopped := strings.Repeat("*", 65536)
	all = append(all,
		fine("text in pieces of 997", []frame{text(chopped)}, slices.Collect(slices.Chunk(whole(chopped), 997))...),
		broken("binary", contract.CloseUnsupported, nil, masked(true, ws.OpBinary, "\x00\xff")),
		broken("empty binary", contract.CloseUnsupported, nil, masked(true, ws.OpBinary, "")),
		broken("text not masked", closeProtocol, nil, raw(ws.Header{Fin: true, OpCode: ws.OpText}, "x")),
		broken("length over 63 bits", closeProtocol, nil, []byte{0x81, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}),
	)
	runAll(t, all)
}

func TestAutobahn_2_pings(t *testing.T) {
	binary := "\x00\xff\xfe\xfd\xfc\xfb\x00\xff"
	long := strings.Repeat("\xfe", 125)
	answer := func(s string) frame { return frame{ws.OpPong, s} }
	ten := exchange{}
	for i := range 10 {
		ten.sent = append(ten.sent, ping(fmt.Sprint("payload-", i)))
		ten.want = append(ten.want, answer(fmt.Sprint("payload-", i)))
	}
	runAll(t, []exchange{
		fine("empty", []frame{answer("")}, ping("")),
		fine("text", []frame{answer("Hello, world!")}, ping("Hello, world!")),
		fine("binary", []frame{answer(binary)}, ping(binary)),
		fine("125 bytes", []frame{answer(long)}, ping(long)),
		broken("126 bytes", closeProtocol, nil, ping(long+"\xfe")),
		fine("125 bytes, bytewise", []frame{answer(long)}, bytewise(ping(long))...),
		fine("an unasked pong", nil, pong("")),
		fine("an unasked pong with text", nil, pong("unsolicited pong payload")),
		fine("an unasked pong, then a ping", []frame{answer("ping payload")}, pong("unsolicited"), ping("ping payload")),
		fine("ten", ten.want, ten.sent...),
		fine("ten, bytewise", ten.want, bytewise(slices.Concat(ten.sent...))...),
	})
}

func TestAutobahn_3_reserved_bits(t *testing.T) {
	hello := []frame{text("Hello, world!")}
	with := func(rsv byte, op ws.OpCode, payload string) []byte {
		return raw(ws.Header{Fin: true, Rsv: rsv, OpCode: op, Masked: true, Mask: [4]byte{1, 2, 3, 4}}, payload)
	}
	broken := func(name string, want []frame, sent ...[]byte) exchange {
		return broken(name, closeProtocol, want, sent...)
	}
	runAll(t, []exchange{
		broken("text with 1", nil, with(1, ws.OpText, "Hello, world!")),
		broken("text with 2 behind a text", hello, whole("Hello, world!"), with(2, ws.OpText, "Hello, world!"), ping("")),
		broken("text with 3 in one piece", hello, slices.Concat(whole("Hello, world!"), with(3, ws.OpText, "Hello, world!"), ping(""))),
		broken("text with 4, bytewise", hello, bytewise(slices.Concat(whole("Hello, world!"), with(4, ws.OpText, "Hello, world!"), ping("")))...),
		broken("empty binary with 5", nil, with(5, ws.OpBinary, "")),
		broken("ping with 6", nil, with(6, ws.OpPing, "Hello, world!")),
		broken("close with 7", nil, with(7, ws.OpClose, "")),
	})
}

func TestAutobahn_4_opcodes(t *testing.T) {
	hello := []frame{text("Hello, world!")}
	var all []exchange
	for _, op := range []ws.OpCode{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		bad, badLong := masked(true, op, ""), masked(true, op, "reserved opcode payload")
		all = append(all,
			broken(fmt.Sprintf("%x", byte(op)), closeProtocol, nil, bad),
			broken(fmt.Sprintf("%x with text", byte(op)), closeProtocol, nil, badLong),
			broken(fmt.Sprintf("%x behind a text", byte(op)), closeProtocol, hello, whole("Hello, world!"), bad, ping("")),
			broken(fmt.Sprintf("%x, bytewise", byte(op)), closeProtocol, hello,
				bytewise(slices.Concat(whole("Hello, world!"), badLong, ping("")))...),
		)
	}
	runAll(t, all)
}

func TestAutobahn_5_fragments(t *testing.T) {
	one := []frame{text("fragment1fragment2")}
	pinged := []frame{{ws.OpPong, "ping payload"}, text("fragment1fragment2")}
	five := slices.Concat(begin("fragment1"), middle("fragment2"), ping("pongme 1!"), middle("fragment3"),
		middle("fragment4"), ping("pongme 2!"), last("fragment5"))
	fiveWant := []frame{{ws.OpPong, "pongme 1!"}, {ws.OpPong, "pongme 2!"}, text("fragment1fragment2fragment3fragment4fragment5")}
	broken := func(name string, want []frame, sent ...[]byte) exchange {
		return broken(name, closeProtocol, want, sent...)
	}
	runAll(t, []exchange{
		broken("a ping in two", nil, masked(false, ws.OpPing, "fragment1"), last("fragment2")),
		broken("a pong in two", nil, masked(false, ws.OpPong, "fragment1"), last("fragment2")),
		fine("a text in two", one, begin("fragment1"), last("fragment2")),
		fine("a text in two, in one piece", one, slices.Concat(begin("fragment1"), last("fragment2"))),
		fine("a text in two, bytewise", one, bytewise(slices.Concat(begin("fragment1"), last("fragment2")))...),
		fine("a ping in between", pinged, begin("fragment1"), ping("ping payload"), last("fragment2")),
		fine("a ping in between, in one piece", pinged, slices.Concat(begin("fragment1"), ping("ping payload"), last("fragment2"))),
		fine("a ping in between, bytewise", pinged, bytewise(slices.Concat(begin("fragment1"), ping("ping payload"), last("fragment2")))...),
		broken("the last one first", nil, last("non-continuation"), whole("Hello, world!")),
		broken("the last one first, in one piece", nil, slices.Concat(last("non-continuation"), whole("Hello, world!"))),
		broken("the last one first, bytewise", nil, bytewise(slices.Concat(last("non-continuation"), whole("Hello, world!")))...),
		broken("a middle one first", nil, middle("non-continuation"), whole("Hello, world!")),
		broken("a middle one first, in one piece", nil, slices.Concat(middle("non-continuation"), whole("Hello, world!"))),
		broken("a middle one first, bytewise", nil, bytewise(slices.Concat(middle("non-continuation"), whole("Hello, world!")))...),
		broken("one more behind the last", one, begin("fragment1"), last("fragment2"), middle("fragment3"), whole("fragment4")),
		broken("a middle one first, twice", nil, middle("fragment1"), begin("fragment2"), last("fragment3")),
		broken("the last one first, twice", nil, last("fragment1"), begin("fragment2"), last("fragment3")),
		broken("a text inside a text", nil, begin("fragment1"), whole("fragment2")),
		fine("five with two pings", fiveWant, five),
		fine("five with two pings, bytewise", fiveWant, bytewise(five)...),
		fine("empty ones", []frame{text("")}, begin(""), middle(""), last("")),
		fine("empty ones around", []frame{text("middle")}, begin(""), middle("middle"), last("")),
	})
}

func TestAutobahn_6_utf8(t *testing.T) {
	greek := "Hello-µ@ßöäüàá-UTF-8!!"
	all := []exchange{
		fine("empty fragments", []frame{text("")}, begin(""), middle(""), last("")),
		fine("fragments of one byte", []frame{text(greek)}, append(func() (f [][]byte) {
			for i := range len(greek) {
				op := ws.OpContinuation
				if i == 0 {
					op = ws.OpText
				}
				f = append(f, masked(false, op, greek[i:i+1]))
			}
			return f
		}(), last(""))...),
	}
	for _, s := range []string{
		"κόσμε", "\x00", "\u0080", "\u0800", "\U00010000", "\u007f", "\u07ff", "\uffff", "\ud7ff", "\ue000", "\ufffd",
		"\U0010ffff", "\ufdd0", "\ufffe", "\U0001ffff", "\U0002fffe", "Hello-µ@ßöäüàá-UTF-8!!",
	} {
		all = append(all, fine(fmt.Sprintf("good %x", s), []frame{text(s)}, whole(s)))
		for i := range len(s) + 1 {
			all = append(all, fine(fmt.Sprintf("good %x cut at %d", s, i), []frame{text(s)}, begin(s[:i]), last(s[i:])))
		}
	}
	for _, s := range []string{
		"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80\x65\x64\x69\x74\x65\x64", "\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80",
		"\xf7\xbf\xbf\xbf", "\xfb\xbf\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf\xbf", "\xf4\x90\x80\x80", "\x80", "\xbf", "\x80\xbf",
		"\x80\xbf\x80\xbf\x80\xbf", "\xc0 \xc1 ", "\xe0 \xe1 ", "\xf0 \xf1 ", "\xf8 \xf9 ", "\xfc \xfd ", "\xc0", "\xe0\x80",
		"\xf0\x80\x80", "\xf8\x80\x80\x80", "\xdf", "\xef\xbf", "\xf7\xbf\xbf", "\xfe", "\xff", "\xfe\xfe\xff\xff", "\xc0\xaf",
		"\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xc0\x80", "\xe0\x80\x80",
		"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xbf\xbf", "\xed\xa0\x80\xed\xb0\x80", "\xed\xaf\xbf\xed\xbf\xbf",
	} {
		all = append(all, broken(fmt.Sprintf("bad %x", s), contract.CloseInvalidUTF8, nil, whole(s)))
		all = append(all, broken(fmt.Sprintf("bad %x behind good", s), contract.CloseInvalidUTF8, nil, whole("κόσμε"+s)))
		for i := range len(s) + 1 {
			all = append(all, broken(fmt.Sprintf("bad %x cut at %d", s, i), contract.CloseInvalidUTF8, nil, begin(s[:i]), last(s[i:])))
		}
	}
	long := whole("κόσμε" + "\xf4\x90\x80\x80" + "edited")
	all = append(all,
		broken("fails before the message is over", contract.CloseInvalidUTF8, nil, begin("κόσμε"), middle("\xf4\x90\x80\x80")),
		broken("fails before the frame is over", contract.CloseInvalidUTF8, nil, long[:6+len("κόσμε")+2]),
		broken("fails before the code point is over", contract.CloseInvalidUTF8, nil, begin("κόσμε\xf4\x90")),
	)
	runAll(t, all)
}

func TestAutobahn_7_close(t *testing.T) {
	normal := masked(true, ws.OpClose, "\x03\xe8")
	hello := []frame{text("Hello World!")}
	reason := strings.Repeat("*", 123)
	all := []exchange{
		fine("behind a text", hello, whole("Hello World!")),
		broken("twice", 1000, nil, normal, normal),
		broken("then a ping", 1000, nil, normal, ping("")),
		broken("then a text", 1000, nil, normal, whole("Hello World!")),
		broken("inside a text", 1000, nil, begin("fragment1"), normal, last("fragment2")),
		broken("behind a long text", 1000, []frame{text(strings.Repeat("*", 256<<10)), text("Hello World!")},
			whole(strings.Repeat("*", 256<<10)), whole("Hello World!"), normal, ping("")),
		broken("without a payload", closeNoCode, nil, masked(true, ws.OpClose, "")),
		broken("with one byte", closeProtocol, nil, masked(true, ws.OpClose, "a")),
		broken("with a reason", 1000, nil, masked(true, ws.OpClose, "\x03\xe8Hello World!")),
		broken("with the longest reason", 1000, nil, masked(true, ws.OpClose, "\x03\xe8"+reason)),
		broken("with a longer reason", closeProtocol, nil, masked(true, ws.OpClose, "\x03\xe8"+reason+"*")),
		broken("with a reason that is not UTF-8", contract.CloseInvalidUTF8, nil, masked(true, ws.OpClose, "\x03\xe8\xed\xa0\x80")),
	}
	frameOf := func(code int) []byte { return masked(true, ws.OpClose, string([]byte{byte(code >> 8), byte(code)})) }
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		all = append(all, broken(fmt.Sprint("with ", code), contract.CloseCode(code), nil, frameOf(code)))
	}
	for _, code := range []int{0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		all = append(all, broken(fmt.Sprint("with ", code), closeProtocol, nil, frameOf(code)))
	}
	runAll(t, all)
}
