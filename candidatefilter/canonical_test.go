package candidatefilter

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

// bodyOf is a body of a kind.
type bodyOf struct {
	kind contract.Kind
	body string
}

// canonicalBodies are bodies as edges write them, with nothing to refuse.
func canonicalBodies() []bodyOf {
	all := []bodyOf{
		{contract.KindMessage, `{"data":{"a":[1.5e3,"\u00e9\n",null,true]}}`},
		{contract.KindMessage, `{"id":"m-1","data":null}`},
		{contract.KindMessage, `{"id":"<m>","re":"m 0","data":[ ]}`},
		{contract.KindMessage, `{"re":"m","data":"` + "\u2028" + `"}`},
		{contract.KindPresence, `{"peer":"peeraaaaaaaaaaaaaaaa","version":3,"presence":{"name":"Ada"},"state":"here"}`},
		{contract.KindPresence, `{"peer":"=Kg","version":0}`},
		{contract.KindPresence, `{"peer":"p","version":9007199254740991,"state":"away"}`},
		{contract.KindOffer, offerBody(cleanSDP)},
		{contract.KindAnswer, describe("answer", cleanSDP+"a=candidate:1 1 udp 1 10.0.0.1 1 typ host\r\na=nobody:\"knows\"\r\n")},
		{contract.KindCandidate, `{"negotiation":"","candidate":{"candidate":"","sdpMid":"","usernameFragment":""}}`},
		{contract.KindCandidate, `{"negotiation":"n 1","candidate":{"candidate":"` + publicHost +
			` generation 0 ufrag aB+/ network-cost 999","sdpMid":"a.b","sdpMLineIndex":65535,"usernameFragment":"aB+/"}}`},
		{contract.KindCandidate, `{"negotiation":"n","candidates":[{"candidate":"` + strings.TrimPrefix(srflx, "candidate:") + `","sdpMLineIndex":1}]}`},
		{contract.KindCandidate, candidateBody("candidate:1 1 udp 1 2001:DB8::1 5000 typ host via 10.0.0.1")},
	}
	texts := []string{publicHost, privateHost, mdnsHost, srflx, srflxBlank, relayed, ""}
	for _, text := range texts {
		all = append(all, bodyOf{contract.KindCandidate, candidateBody(text)}, bodyOf{contract.KindCandidate, candidatesBody(text)})
		for _, other := range texts {
			all = append(all, bodyOf{contract.KindCandidate, candidatesBody(text, other, text)})
		}
	}
	return all
}

// otherBodies are bodies in another form, or that are refused.
var otherBodies = []bodyOf{
	{contract.KindMessage, `{"id":"","data":1}`},
	{contract.KindMessage, `{"data": 1}`},
	{contract.KindMessage, `{"data":1 }`},
	{contract.KindMessage, `{"data":1} `},
	{contract.KindMessage, `{"data":1,"id":"a"}`},
	{contract.KindMessage, `{"re":"a","id":"b","data":1}`},
	{contract.KindMessage, `{"id":"a","id":"b","data":1}`},
	{contract.KindMessage, `{"id":"\u0061","data":1}`},
	{contract.KindMessage, `{"data":01}`},
	{contract.KindPresence, `{"peer":"a.b","version":1}`},
	{contract.KindPresence, `{"peer":"","version":1}`},
	{contract.KindPresence, `{"peer":"p","version":18446744073709551616}`},
	{contract.KindPresence, `{"peer":"p","version":1,"state":"here","presence":1}`},
	{contract.KindOffer, describe("answer", cleanSDP)},
	{contract.KindOffer, offerBody("v=0\r\n")},
	{contract.KindOffer, offerBody(cleanSDP + "i=\u00e9\r\n")},
	{contract.KindOffer, strings.Replace(offerBody(cleanSDP), "n1", `\u006e1`, 1)},
	{contract.KindCandidate, candidateBody(badPort)},
	{contract.KindCandidate, candidateBody(publicHost + ` a \u0061`)},
	{contract.KindCandidate, candidatesBody()},
	{contract.KindCandidate, candidatesBody(publicHost, badPort)},
	{contract.KindCandidate, `{"negotiation":"n","candidate":null}`},
	{contract.KindCandidate, `{"candidate":{"candidate":""},"negotiation":"n"}`},
	{contract.KindCandidate, `{"negotiation":"n","candidate":{"candidate":"","sdpMid":"a b"}}`},
	{contract.KindCandidate, `{"negotiation":"n","candidate":{"candidate":"","sdpMLineIndex":65536}}`},
	{contract.KindCandidate, `{"negotiation":"n","candidate":{"candidate":"","usernameFragment":"abc"}}`},
	{contract.KindCandidate, `{"negotiation":"n","candidate":{"candidate":"` + publicHost + ` ufrag abcd","usernameFragment":"efgh"}}`},
	{contract.KindCandidate, `{"negotiation":"n","candidate":{"candidate":""}},`},
	{contract.KindCandidate, `{"negotiation":"n","candidates":[{"candidate":""},]}`},
	{contract.KindCandidate, `{"negotiation":"\ufffd","candidate":{"candidate":""}}`},
	{contract.KindEvent, `{}`},
	{77, `{}`},
}

// What edges write never needs encoding/json; what it refuses always does.
func TestSanitiser_judgeCanonical(t *testing.T) {
	n := sanitiserOf(contract.PolicyAll)
	taken := func(one bodyOf, p contract.Policy) bool {
		_, ok := n.judgeCanonical(&workspace{signal: *signal(one.kind, 1, one.body)}, p)
		return ok
	}
	for _, p := range contract.Policies() {
		for _, one := range canonicalBodies() {
			if !taken(one, p) {
				t.Errorf("under %s this isn't judged: %s", p, one.body)
			}
		}
		for _, one := range otherBodies {
			if taken(one, p) {
				t.Errorf("under %s this is judged: %s", p, one.body)
			}
		}
	}
	files, err := filepath.Glob("internal/sdp/testdata/*.sdp")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d descriptions, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !taken(bodyOf{contract.KindOffer, offerBody(string(text))}, contract.PolicyPublic) {
			t.Errorf("%s isn't judged", file)
		}
	}
}
