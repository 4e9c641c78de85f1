package candidatefilter

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/candidatefilter/internal/sdp"
	"github.com/parley-rtc/parley/services/contract"
)

func sanitiserOf(p contract.Policy) *sanitiser {
	n := newSanitiser(p, sdp.DefaultLimits())
	return &n
}

// judged runs one signal through an entry of its own.
func judged(t *testing.T, n *sanitiser, s *contract.Signal) (body string, verdicts []contract.Verdict) {
	t.Helper()
	e, wrong := n.entry(new(workspace), entryOf(s))
	if wrong != nil {
		t.Fatalf("the entry is refused: %+v", wrong)
	}
	signals, verdicts := read(t, e.data)
	if len(signals) != e.signals || len(signals) > 1 {
		t.Fatalf("the entry says it has %d signals and has %d", e.signals, len(signals))
	}
	if len(signals) == 1 {
		body = string(signals[0].Body)
	}
	return body, verdicts
}

func TestSanitiser_candidatesByPolicy(t *testing.T) {
	const all, public, relay = contract.PolicyAll, contract.PolicyPublic, contract.PolicyRelay
	address := func(rest string) string { return "candidate:1 1 udp 1 " + rest }
	tests := []struct {
		name, text string
		rules      map[contract.Policy]contract.Rule // that takes it or a part of it; none: it passes as it is
	}{
		{"a public host", publicHost, map[contract.Policy]contract.Rule{relay: contract.RuleNotRelay}},
		{"a private host", privateHost, map[contract.Policy]contract.Rule{public: contract.RulePrivateAddress, relay: contract.RuleNotRelay}},
		{"an mDNS name", mdnsHost, map[contract.Policy]contract.Rule{relay: contract.RuleNotRelay}},
		{"an active TCP host", "candidate:1 1 tcp 1 93.184.216.34 9 typ host tcptype active", map[contract.Policy]contract.Rule{relay: contract.RuleNotRelay}},
		{"loopback", address("127.0.0.1 5000 typ host"), map[contract.Policy]contract.Rule{public: contract.RuleLoopback, relay: contract.RuleNotRelay}},
		{"link local", address("169.254.169.254 80 typ host"), map[contract.Policy]contract.Rule{public: contract.RuleLinkLocal, relay: contract.RuleNotRelay}},
		{"unique local", address("fd00::1 5000 typ host"), map[contract.Policy]contract.Rule{public: contract.RulePrivateAddress, relay: contract.RuleNotRelay}},
		{"a private address in IPv6", address("::ffff:192.168.7.8 5000 typ host"), map[contract.Policy]contract.Rule{public: contract.RulePrivateAddress, relay: contract.RuleNotRelay}},
		{"multicast", address("224.0.0.1 5000 typ host"), map[contract.Policy]contract.Rule{all: contract.RuleMulticast, public: contract.RuleMulticast, relay: contract.RuleNotRelay}},
		{"port 0", address("93.184.216.34 0 typ host"), map[contract.Policy]contract.Rule{all: contract.RuleBadPort, public: contract.RuleBadPort, relay: contract.RuleNotRelay}},
		{"a host name", address("printer.lan 5000 typ host"), map[contract.Policy]contract.Rule{all: contract.RuleHostname, public: contract.RuleHostname, relay: contract.RuleHostname}},
		{"reflexive", srflx, map[contract.Policy]contract.Rule{public: contract.RuleRelatedAddress, relay: contract.RuleNotRelay}},
		{"reflexive, blank", srflxBlank, map[contract.Policy]contract.Rule{relay: contract.RuleNotRelay}},
		{"relayed", relayed, nil},
		{"relayed on a private address", address("10.1.2.3 5000 typ relay raddr 0.0.0.0 rport 9"), map[contract.Policy]contract.Rule{public: contract.RulePrivateAddress, relay: contract.RulePrivateAddress}},
		{"the end", "", nil},
	}
	for _, p := range contract.Policies() {
		n := sanitiserOf(p)
		for _, tt := range tests {
			rule := tt.rules[p]
			wantText, wantBody := tt.text, true
			switch rule {
			case contract.RuleRelatedAddress:
				wantText = srflxBlank
			case "":
			default:
				wantBody = false
			}
			one, verdicts := judged(t, n, signal(contract.KindCandidate, 1, candidateBody(tt.text)))
			if want := candidateBody(wantText); wantBody && one != want || !wantBody && one != "" {
				t.Errorf("%s under %s: body %s, want %s: %v", tt.name, p, one, want, wantBody)
			}
			wantVerdict(t, tt.name+" under "+string(p), verdicts, rule, 1)
			// Between two others that pass it doesn't take them along.
			several, verdicts := judged(t, n, signal(contract.KindCandidate, 1, candidatesBody(relayed, tt.text, tt.text, relayed)))
			want := candidatesBody(relayed, wantText, wantText, relayed)
			if !wantBody {
				want = candidatesBody(relayed, relayed)
			}
			if several != want {
				t.Errorf("%s in a list under %s:\n got %s\nwant %s", tt.name, p, several, want)
			}
			wantVerdict(t, tt.name+" in a list under "+string(p), verdicts, rule, 2)
		}
	}
}

func wantVerdict(t *testing.T, name string, got []contract.Verdict, rule contract.Rule, count int) {
	t.Helper()
	if rule == "" {
		if len(got) != 0 {
			t.Errorf("%s: verdicts %+v, want none", name, got)
		}
		return
	}
	want := contract.Verdict{From: sender, Seq: 1, Rule: rule, Count: count}
	if len(got) != 1 || got[0] != want {
		t.Errorf("%s: verdicts %+v, want %+v", name, got, want)
	}
}

func TestSanitiser_theStricterPolicyCounts(t *testing.T) {
	strictness := map[contract.Policy]int{"": 0, contract.PolicyAll: 1, contract.PolicyPublic: 2, contract.PolicyRelay: 3, "newer": 3}
	passes := []string{publicHost, privateHost, relayed} // by rising strictness fewer of them
	for _, own := range contract.Policies() {
		for token := range strictness {
			var want []string
			switch max(strictness[own], strictness[token]) {
			case 1:
				want = passes
			case 2:
				want = []string{publicHost, relayed}
			case 3:
				want = []string{relayed}
			}
			trickled := signal(contract.KindCandidate, 1, candidatesBody(passes...))
			trickled.Policy = []byte(token)
			if got, _ := judged(t, sanitiserOf(own), trickled); got != candidatesBody(want...) {
				t.Errorf("configured %s, token %q: candidates\n got %s\nwant %s", own, token, got, candidatesBody(want...))
			}
			described := signal(contract.KindOffer, 1, offerBody(cleanSDP+lines(passes)))
			described.Policy = []byte(token)
			sdpWant := offerBody(cleanSDP + lines(want))
			if got, _ := judged(t, sanitiserOf(own), described); got != sdpWant {
				t.Errorf("configured %s, token %q: description\n got %s\nwant %s", own, token, got, sdpWant)
			}
		}
	}
}

func lines(candidates []string) string {
	var text strings.Builder
	for _, c := range candidates {
		text.WriteString("a=" + c + "\r\n")
	}
	return text.String()
}

// Each description of a real client goes on under every policy; what is in it
// twice over is taken out once.
func TestSanitiser_descriptionsOfRealClientsGoOn(t *testing.T) {
	files, err := filepath.Glob("internal/sdp/testdata/*.sdp")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d descriptions, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		kind := contract.KindOffer
		if strings.Contains(file, "answer") {
			kind = contract.KindAnswer
		}
		for _, p := range contract.Policies() {
			n := sanitiserOf(p)
			first, verdicts := judged(t, n, signal(kind, 1, describe(kind.Type(), string(text))))
			if first == "" {
				t.Errorf("%s under %s: refused, %+v", file, p, verdicts)
				continue
			}
			again, verdicts := judged(t, n, signal(kind, 1, first))
			if again != first || len(verdicts) != 0 {
				t.Errorf("%s under %s: a second time it becomes %s, %+v", file, p, again, verdicts)
			}
			if p != contract.PolicyAll && strings.Contains(first, "192.168.") {
				t.Errorf("%s under %s: a private address is left in %s", file, p, first)
			}
		}
	}
}

func TestSanitiser_refusalsSayWhatToDoAndRepeatNothing(t *testing.T) {
	const secret = "10.99.88.77"
	long := strings.Repeat("q", maxFragment+1)
	candidate := func(members string) string { return `{"negotiation":"n","candidate":{` + members + `}}` }
	tests := []struct {
		name string
		kind contract.Kind
		body string
		want string
	}{
		{"not JSON", contract.KindCandidate, secret, "must be an object"},
		{"a list", contract.KindCandidate, `["` + secret + `"]`, "must be an object"},
		{"a candidate as text", contract.KindCandidate, `{"candidate":"` + secret + `"}`, "must be an object"},
		{"no candidate", contract.KindCandidate, `{"negotiation":"` + secret + `"}`, "exactly one of"},
		{"null", contract.KindCandidate, `{"candidate":null,"x":"` + secret + `"}`, "exactly one of"},
		{"an empty list", contract.KindCandidate, `{"candidates":[]}`, "must not be empty"},
		{"both", contract.KindCandidate, `{"candidate":{"candidate":""},"candidates":[{"candidate":"` + secret + `"}]}`, "exactly one of"},
		{"garbage", contract.KindCandidate, candidateBody(secret), "candidate: foundation must be"},
		{"half of one", contract.KindCandidate, candidateBody("candidate:1 1 udp 1 " + secret), "candidate: too few fields"},
		{"a line end", contract.KindCandidate, candidateBody(publicHost + "\r\na=" + secret), "candidate: only printable ASCII"},
		{"a zone", contract.KindCandidate, candidateBody("candidate:1 1 udp 1 fe80::1%" + secret + " 1 typ host"), "candidate: address must be"},
		{"a bad one in a list", contract.KindCandidate, candidatesBody(publicHost, privateHost, "candidate:1 1 udp 1 "+secret+" 99999 typ host"), "candidates[2]: port must be"},
		{"too long", contract.KindCandidate, candidateBody(publicHost + strings.Repeat(" x "+secret, 100)), "candidate: longer than"},
		{"sdpMid with a space", contract.KindCandidate, candidate(`"candidate":"","sdpMid":"` + secret + ` x"`), "candidate: sdpMid must be a token"},
		{"sdpMid too long", contract.KindCandidate, candidate(`"candidate":"","sdpMid":"` + long + `"`), "candidate: sdpMid must be a token of at most 256"},
		{"a short fragment", contract.KindCandidate, candidate(`"candidate":"","usernameFragment":"abc"`), "candidate: usernameFragment must be 4 to 256"},
		{"a long fragment", contract.KindCandidate, candidate(`"candidate":"","usernameFragment":"` + long + `"`), "candidate: usernameFragment must be 4 to 256"},
		{"a fragment with dots", contract.KindCandidate, candidate(`"candidate":"","usernameFragment":"` + secret + `"`), "candidate: usernameFragment must be 4 to 256"},
		{"two fragments", contract.KindCandidate, candidate(`"candidate":"` + publicHost + ` ufrag abcd","usernameFragment":"efgh"`), "candidate: usernameFragment and the ufrag"},
		{"two fragments of a private host", contract.KindCandidate, candidate(`"candidate":"` + privateHost + ` ufrag abcd","usernameFragment":"efgh"`), "candidate: usernameFragment and the ufrag"},
		{"no description", contract.KindOffer, `{"negotiation":"` + secret + `"}`, "type of the description must be offer"},
		{"a description as text", contract.KindOffer, `{"description":"` + secret + `"}`, "must be an object"},
		{"an answer as offer", contract.KindOffer, describe("answer", cleanSDP), "type of the description must be offer"},
		{"an address as type", contract.KindAnswer, describe(secret, cleanSDP), "type of the description must be answer"},
		{"an empty SDP", contract.KindOffer, offerBody(""), "description: empty"},
		{"another text", contract.KindOffer, offerBody(secret), "description: line 1: not of the form"},
		{"a bad line", contract.KindOffer, offerBody(cleanSDP + "a=ice-ufrag:" + secret + "\r\n"), "description: line 13: ice-ufrag must be"},
		{"a lone CR", contract.KindOffer, offerBody("v=0\r" + secret + "\r\n"), "description: line 1: only printable ASCII"},
		{"a message without data", contract.KindMessage, `{"id":"` + secret + `"}`, "must be an object with data"},
		{"a message with a number as id", contract.KindMessage, `{"id":7,"data":"` + secret + `"}`, "must be an object with data"},
		{"a message with an end of its own", contract.KindMessage, `{"data":1},"from":"` + secret + `"}`, "must be an object with data"},
		{"a presence that isn't one", contract.KindPresence, `"` + secret + `"`, "must be an object with the peer"},
		{"a presence of nobody", contract.KindPresence, `{"version":1}`, "must be an object with the peer"},
		{"an event", contract.KindEvent, `{"base":1,"revision":2}`, "roomsvc alone"},
		{"kind 0", 0, secret, "doesn't know this kind"},
		{"a newer kind", 77, secret, "doesn't know this kind"},
	}
	codes := map[contract.Kind]contract.Code{
		contract.KindCandidate: contract.CodeBadCandidate, contract.KindOffer: contract.CodeBadDescription, contract.KindAnswer: contract.CodeBadDescription,
		contract.KindMessage: contract.CodeBadFrame, contract.KindPresence: contract.CodeBadFrame, contract.KindEvent: contract.CodeForbidden,
	}
	rules := map[contract.Kind]contract.Rule{
		contract.KindCandidate: contract.RuleBadCandidate, contract.KindOffer: contract.RuleBadDescription, contract.KindAnswer: contract.RuleBadDescription,
	}
	n := sanitiserOf(contract.PolicyAll)
	for _, tt := range tests {
		body, verdicts := judged(t, n, signal(tt.kind, 1, tt.body))
		if body != "" || len(verdicts) != 1 {
			t.Errorf("%s: body %q and verdicts %+v, want one refusal", tt.name, body, verdicts)
			continue
		}
		code := codes[tt.kind]
		if code == "" {
			code = contract.CodeUnknownType
		}
		v := verdicts[0]
		if !v.Refused || v.Code != code || v.Rule != rules[tt.kind] || !strings.Contains(v.Message, tt.want) {
			t.Errorf("%s: %+v, want %s, %q", tt.name, v, code, tt.want)
		}
		if strings.Contains(v.Message, secret) || strings.Contains(v.Message, "qqqq") || len(v.Message) > 160 {
			t.Errorf("%s: the message repeats input or is long: %q", tt.name, v.Message)
		}
	}
}

func TestSanitiser_tagsThatPass(t *testing.T) {
	long := strings.Repeat("q", maxFragment)
	for name, members := range map[string]string{
		"none":                          `"candidate":"` + publicHost + `"`,
		"empty":                         `"candidate":"` + publicHost + `","sdpMid":"","usernameFragment":""`,
		"the longest":                   `"candidate":"` + publicHost + `","sdpMid":"` + long + `","usernameFragment":"` + long + `"`,
		"the shortest":                  `"candidate":"` + publicHost + `","sdpMid":"a","sdpMLineIndex":65535,"usernameFragment":"ab+/"`,
		"a fragment in both places":     `"candidate":"` + publicHost + ` ufrag abcd","usernameFragment":"abcd"`,
		"a fragment in the text":        `"candidate":"` + publicHost + ` ufrag abcd"`,
		"an empty one beside the text":  `"candidate":"` + publicHost + ` ufrag abcd","usernameFragment":""`,
		"of the end of the candidates":  `"candidate":"","sdpMid":"audio","usernameFragment":"abcd"`,
		"the end of all candidates":     `"candidate":""`,
		"the end of one index of media": `"candidate":"","sdpMLineIndex":1`,
	} {
		want := `{"negotiation":"n","candidate":{` + members + `}}`
		if got, verdicts := judged(t, sanitiserOf(contract.PolicyPublic), signal(contract.KindCandidate, 1, want)); got != want || len(verdicts) != 0 {
			t.Errorf("%s: body %s and verdicts %+v, want it as it was", name, got, verdicts)
		}
	}
}

// What another reader of the same text could take for something else than the
// filter did is not in what goes on.
func TestSanitiser_writesOnlyWhatItUnderstood(t *testing.T) {
	tests := []struct {
		name       string
		kind       contract.Kind
		body, want string
	}{
		{"members that nobody knows", contract.KindCandidate,
			`{"negotiation":"n","candidate":{"candidate":"` + publicHost + `","address":"192.168.7.8"},"x":"192.168.7.8"}`,
			`{"negotiation":"n","candidate":{"candidate":"` + publicHost + `"}}`},
		{"a member twice", contract.KindCandidate,
			`{"negotiation":"n","candidate":{"candidate":"` + privateHost + `","candidate":"` + publicHost + `"}}`,
			`{"negotiation":"n","candidate":{"candidate":"` + publicHost + `"}}`},
		{"a member in capitals", contract.KindOffer,
			`{"negotiation":"n1","description":{"type":"offer","sdp":"192.168.7.8","SDP":` + string(encode(cleanSDP)) + `}}`,
			offerBody(cleanSDP)},
		{"a candidate's extension", contract.KindCandidate,
			candidateBody(publicHost + " via 192.168.7.8"), candidateBody(publicHost)},
		{"a message's sender", contract.KindMessage,
			`{"from":"someone","data":{"from":1},"seq":7}`, `{"data":{"from":1}}`},
		{"a message in another order", contract.KindMessage,
			` { "data" : [1] , "re" : "b" , "id" : "a" } `, `{"id":"a","re":"b","data":[1]}`},
	}
	for _, tt := range tests {
		if got, verdicts := judged(t, sanitiserOf(contract.PolicyPublic), signal(tt.kind, 1, tt.body)); got != tt.want || len(verdicts) != 0 {
			t.Errorf("%s:\n got %s, %+v\nwant %s", tt.name, got, verdicts, tt.want)
		}
	}
}

// The rest of a signal is the edge's word and goes on as it is.
func TestSanitiser_touchesNothingButTheBody(t *testing.T) {
	s := signal(contract.KindCandidate, 1<<53-1, candidatesBody(privateHost, publicHost))
	s.Revision, s.Epoch, s.To = 1<<63, 1<<62, nil
	s.Policy, s.Trace, s.Negotiation = []byte("all"), []byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), []byte("n1")
	e, wrong := sanitiserOf(contract.PolicyPublic).entry(new(workspace), entryOf(s))
	if wrong != nil {
		t.Fatalf("%+v", wrong)
	}
	want := *s
	want.Body = []byte(candidatesBody(publicHost))
	wantData := withVerdicts(entryOf(&want), e.verdicts...)
	if !slices.Equal(e.data, wantData) {
		t.Errorf("entry\n got %q\nwant %q", e.data, wantData)
	}
}

// BenchmarkSanitiser_entry is the entry of a link at 5,000 candidates a second,
// and a full one of everything that clients send.
func BenchmarkSanitiser_entry(b *testing.B) {
	candidates, all := contract.AppendEntry(nil), contract.AppendEntry(nil)
	for seq := range uint64(3) {
		candidates = contract.AppendSignal(candidates, signal(contract.KindCandidate, seq+1,
			candidateBody(srflxBlank+" generation 0 ufrag pB10001 network-id 1 network-cost 10")))
	}
	for seq := range uint64(contract.MaxEntrySignals) {
		all = contract.AppendSignal(all, traffic(seq+1))
	}
	description := entryOf(signal(contract.KindOffer, 1, offerBody(cleanSDP)))
	for _, one := range []struct {
		name string
		data []byte
	}{{"candidates", candidates}, {"description", description}, {"everything", all}} {
		b.Run(one.name, func(b *testing.B) {
			n, w := newSanitiser(contract.PolicyPublic, sdp.DefaultLimits()), new(workspace)
			b.SetBytes(int64(len(one.data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, wrong := n.entry(w, one.data); wrong != nil {
					b.Fatalf("%+v", wrong)
				}
			}
		})
	}
}
