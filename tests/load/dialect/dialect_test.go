package dialect

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

func TestCandidateText(t *testing.T) {
	seen := map[string]bool{}
	for _, peer := range []int{0, 1, 255, 256, 17_999} {
		for _, n := range []int{0, 1, 9, 10, 99_999} {
			text := AppendCandidateText(nil, peer, n)
			if seen[string(text)] {
				t.Errorf("%q says nothing of who sent it, or which one it is", text)
			}
			seen[string(text)] = true
			gotPeer, gotN, ok := ParseCandidateText(text)
			if !ok || gotPeer != peer || gotN != n {
				t.Errorf("%q: got peer %d, number %d, %v, want %d, %d", text, gotPeer, gotN, ok, peer, n)
			}
		}
	}
	for _, text := range []string{"", "candidate:", "candidate:1 1 udp", "candidate:1 1 udp 7 x", "candidate:x 1 udp 1677700001 x", "candidate:1 1 tcp 1677700001 x"} {
		if peer, n, ok := ParseCandidateText([]byte(text)); ok {
			t.Errorf("%q: got peer %d, number %d", text, peer, n)
		}
	}
}

// TestCandidateText_isLikeABrowsers compares the length with that of a candidate
// which Chromium wrote.
func TestCandidateText_isLikeABrowsers(t *testing.T) {
	const chromium = "candidate:842163049 1 udp 1677729535 203.0.113.77 46154 typ srflx raddr 192.168.1.20 rport 46154 " +
		"generation 0 ufrag Xq3b network-id 1 network-cost 10"
	text := string(AppendCandidateText(nil, 1234, 567))
	if got, want := len(text), len(chromium); got < want-12 || got > want+12 {
		t.Errorf("got %d bytes, want about %d", got, want)
	}
	form := regexp.MustCompile(`\d[\d.]*|Xq3b|pB\d+`)
	if got, want := form.ReplaceAllString(text, "#"), form.ReplaceAllString(chromium, "#"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestParley has the frames read as the edge reads them.
func TestParley(t *testing.T) {
	p := &Peer{Index: 4, Room: "room-2", Token: "t"}
	p.meet("b2d4")
	var d Parley
	var join contract.Join
	var offer contract.Describe
	var trickle contract.Trickle
	for text, into := range map[string]any{
		string(d.Join(p)): &join, string(d.Describe(p, Offer)): &offer, string(d.AppendCandidate(nil, p, 9)): &trickle,
	} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	if join.Room != "room-2" || join.Token != "t" || offer.To != "b2d4" || offer.Description.Type != "offer" || p.Seq != 3 {
		t.Errorf("got join %+v and offer %+v, seq %d", join, offer, p.Seq)
	}
	if trickle.To != "b2d4" || trickle.Candidate == nil || trickle.Candidate.Candidate != string(AppendCandidateText(nil, 4, 9)) {
		t.Errorf("got candidate %+v", trickle)
	}
}

// TestDialects_Read reads the same delivery in every language.
func TestDialects_Read(t *testing.T) {
	const text = "candidate:1 1 udp 2 192.0.2.1 3 typ host"
	inner := `{"candidate":"` + text + `","sdpMid":"0"}`
	for delivery, d := range map[string]Dialect{
		`{"type":"candidate","room":"r","from":"ada","epoch":1,"seq":2,"cursor":"c","negotiation":"n1","candidate":` + inner + `}`: Parley{},
		`{"type":"ice-candidate","from":"ada","candidate":` + inner + `}`:                                                          Raw{},
		`42/signaling,["ice-candidate",{"from":"ada","candidate":` + inner + `}]`:                                                  SocketIO{},
		`{"type":"CANDIDATE","src":"ada","dst":"bob","payload":{"candidate":` + inner + `,"type":"data"}}`:                         PeerJS{},
	} {
		event, err := d.Read(&Peer{}, []byte(delivery))
		if err != nil || event.Kind != Candidate || string(event.From) != "ada" || string(event.Text) != text {
			t.Errorf("%T: got %v from %q, %q, %v", d, event.Kind, event.From, event.Text, err)
		}
		for _, refusal := range []string{`{"type":"error","message":"no"}`, `{"type":"ERROR"}`, "41", "nonsense", `42/signaling,["refused",{}]`} {
			if event, err := d.Read(&Peer{}, []byte(refusal)); err == nil {
				t.Errorf("%T took %q as %+v", d, refusal, event)
			}
		}
	}
}
