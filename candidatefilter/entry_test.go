package candidatefilter

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

// honestBytes is what an entry of honest edges stays under, sanitised. It leaves
// an eighth of what can be stored.
const honestBytes = 900 << 10

// full puts as many signals into an entry as a link does. make gives the body of
// one in so many bytes.
func full(kind contract.Kind, signals int, body func(room int) string) []byte {
	room := (contract.MaxEntryBytes-1)/signals - len(contract.AppendSignal(nil, signal(kind, contract.MaxSeq, ""))) - 4
	data := contract.AppendEntry(nil)
	for seq := range uint64(contract.MaxEntrySignals) {
		s := signal(kind, contract.MaxSeq-seq, body(room))
		if len(data)+len(contract.AppendSignal(nil, s)) > contract.MaxEntryBytes {
			break
		}
		data = contract.AppendSignal(data, s)
	}
	return data
}

// repeat is text, as often as it fits, between two others.
func repeat(room int, before, text, after string, most int) string {
	n := max(0, min(most, (room-len(before)-len(after))/len(text)))
	return before + strings.Repeat(text, n) + after
}

// What grows most in which way, as the body of a signal of a given size.
var growing = []struct {
	name    string
	kind    contract.Kind
	signals int // in a full entry, about
	body    func(room int) string
}{
	{"related addresses and prefixes that are added", contract.KindCandidate, 150, func(room int) string {
		one := `{"candidate":"1 1 udp 1 1.1.1.1 1 typ srflx"},`
		return strings.Replace(repeat(room, `{"negotiation":"","candidates":[`, one, `]}`, 64), ",]", "]", 1)
	}},
	{"the same in 1,000 frames, with a verdict each", contract.KindCandidate, contract.MaxEntrySignals, func(room int) string {
		one := `{"candidate":"1 1 udp 1 1.1.1.1 1 typ srflx"},`
		told := `{"negotiation":"","candidates":[{"candidate":"1 1 udp 1 1.1.1.1 1 typ srflx raddr 1.1.1.1 rport 1"},`
		return strings.Replace(repeat(room, told, one, `]}`, 64), ",]", "]", 1)
	}},
	{"the same with a negotiation that is escaped", contract.KindCandidate, contract.MaxEntrySignals, func(room int) string {
		one := `{"candidate":"1 1 udp 1 1.1.1.1 1 typ srflx"},`
		told := `{"negotiation":"` + strings.Repeat("\u2028", contract.MaxNameField/3) + `","candidates":[{"candidate":"1 1 udp 1 1.1.1.1 1 typ srflx raddr 1.1.1.1 rport 1"},`
		return strings.Replace(repeat(room, told, one, `]}`, 64), ",]", "]", 1)
	}},
	{"names of messages that are escaped", contract.KindMessage, contract.MaxEntrySignals, func(room int) string {
		name := strings.Repeat("\u2028", contract.MaxNameField/3)
		return repeat(room, `{"id":"`+name+`","re":"`+name+`","data":"`, "x", `"}`, room)
	}},
	{"1,000 frames, with many rules each", contract.KindCandidate, contract.MaxEntrySignals, func(room int) string {
		body := `{"negotiation":"","candidates":[{"candidate":"1 1 udp 1 1.1.1.1 1 typ srflx raddr 1.1.1.1 rport 1"}`
		for _, address := range []string{"10.0.0.1 1", "127.0.0.1 1", "169.254.0.1 1", "224.0.0.1 1", "255.255.255.255 1", "0.0.0.0 1", "192.0.2.1 1", "x 1", "1.1.1.1 0"} {
			more := `,{"candidate":"1 1 udp 1 ` + address + ` typ host"}`
			if len(body)+len(more)+len(`]}`) > room {
				break
			}
			body += more
		}
		return body + `]}`
	}},
	{"blanked lines of descriptions", contract.KindOffer, 7, func(room int) string {
		return describedBy(room, "v=0\no=- 0 0 IN IP4 x\ns=x\nt=0 0\nm=audio 1 RTP/AVP 0\nc=IN IP4 x\n", "a=rtcp:1 IN IP4 x\n", 4000)
	}},
	{"line ends of descriptions", contract.KindOffer, 17, func(room int) string {
		return describedBy(room, "v=0\no=- 0 0 IN IP4 x\ns=x\nt=0 0\nm=audio 1 RTP/AVP 0\nc=IN IP4 x\n", "b=AS:1\n", 4000)
	}},
	{"the candidates of descriptions", contract.KindOffer, 150, func(room int) string {
		return describedBy(room, "v=0\no=- 0 0 IN IP4 x\ns=x\nt=0 0\nm=audio 1 RTP/AVP 0\nc=IN IP4 x\n", "a=candidate:1 1 udp 1 1.1.1.1 1 typ srflx\n", 64)
	}},
	{"1,000 descriptions", contract.KindAnswer, contract.MaxEntrySignals, func(room int) string {
		return strings.Replace(describedBy(room, "v=0\no=x 0 0 IN IP4 x\ns=x\nt=0 0\nm=audio 1 RTP/AVP 0\nc=IN IP4 x\na=candidate:\n"+
			"a=candidate:1 1 udp 1 1.1.1.1 1 typ srflx raddr 1.1.1.1 rport 1\n", "a=rtcp:1 IN IP4 x\n", 4000), `"offer"`, `"answer"`, 1)
	}},
	{"1,000 refusals", contract.KindCandidate, contract.MaxEntrySignals, func(int) string { return `{}` }},
}

func describedBy(room int, before, line string, most int) string {
	quoted := func(text string) string { return strings.ReplaceAll(text, "\n", `\n`) }
	return repeat(room, `{"negotiation":"","description":{"type":"offer","sdp":"`+quoted(before), quoted(line), `"}}`, most)
}

func TestSanitiser_entry_aFullOneThatGrowsAsMuchAsItCanStillFits(t *testing.T) {
	n := sanitiserOf(contract.PolicyPublic)
	var sent []byte // whose outcome is the largest
	var largest sanitised
	for _, tt := range growing {
		data := full(tt.kind, tt.signals, tt.body)
		e, wrong := n.entry(new(workspace), data)
		if wrong != nil {
			t.Errorf("%s: %+v", tt.name, wrong)
			continue
		}
		answer, err := json.Marshal(contract.FilterAnswer{Filter: true, Revision: contract.MaxSeq, Verdicts: e.verdicts})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d bytes became %d in %d signals, and %d verdicts in an answer of %d bytes",
			tt.name, len(data), len(e.data), e.signals, len(e.verdicts), len(answer))
		if len(e.data) > honestBytes || len(answer) > honestBytes {
			t.Errorf("%s: %d bytes to store and %d to answer, want at most %d", tt.name, len(e.data), len(answer), honestBytes)
		}
		if e.signals > 0 && (len(data) < contract.MaxEntryBytes*9/10 || len(e.data) <= len(data)) {
			t.Errorf("%s: %d bytes became %d, this isn't what the test is for", tt.name, len(data), len(e.data))
		}
		if len(e.data) > len(largest.data) {
			sent, largest = data, e
		}
	}
	b := newBench(t, 1, -1)
	b.start(DefaultConfig())
	if r := b.ask(1, sent); r.Error != nil {
		t.Errorf("the largest: %.200s, want it stored", r.text)
	}
	b.wantStored(largest.data)
}

func TestSanitiser_entry_refusesOneThatWouldNotFit(t *testing.T) {
	// No peer has a name so long, but it is one.
	forged := contract.ID(strings.Repeat("*", contract.MaxIDBytes)).Token().String()
	many := func(texts ...string) []byte {
		data := contract.AppendEntry(nil)
		for seq := range uint64(contract.MaxEntrySignals) {
			s := signal(contract.KindCandidate, seq+1, strings.ReplaceAll(candidatesBody(texts...), `,"sdpMid":"0"`, ""))
			s.From, s.To = []byte(forged), nil
			data = contract.AppendSignal(data, s)
		}
		return data
	}
	refused := []string{
		"1 1 udp 1 10.0.0.1 1 typ host", "1 1 udp 1 127.0.0.1 1 typ host", "1 1 udp 1 169.254.0.1 1 typ host",
		"1 1 udp 1 224.0.0.1 1 typ host",
	}
	b := newBench(t, 1, -1)
	b.start(DefaultConfig())
	for name, data := range map[string][]byte{
		"with its verdicts it is too large": many(append([]string{"1 1 udp 1 1.1.1.1 1 typ srflx"}, refused...)...),
		"the answer is too large":           many(append([]string{"1 1 udp 1 1.1.1.1 0 typ host"}, refused...)...),
	} {
		if len(data) > contract.MaxEntryBytes {
			t.Fatalf("%s: the entry has %d bytes already", name, len(data))
		}
		r := b.ask(1, data)
		if r.Error == nil || r.Error.Code != contract.CodeTooLarge || !strings.Contains(r.Error.Message, fmt.Sprint(maxStoredBytes)) {
			t.Errorf("%s: %.200s, want too_large with the limit", name, r.text)
		}
	}
	b.wantStored()
}
