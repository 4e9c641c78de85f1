package upgrade

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/parley-rtc/parley/services/contract"
)

// websocketVersion is the only version of the protocol there is (RFC 6455
// section 4.1).
const websocketVersion = "13"

// checkHandshake judges what makes a request a WebSocket handshake (RFC 6455
// section 4.2.1).
func (d *Door) checkHandshake(r *http.Request) *refusal {
	h := r.Header
	switch {
	case !r.ProtoAtLeast(1, 1) || r.ProtoMajor > 1:
		return refuse(contract.CodeBadFrame, "a WebSocket begins with a request of HTTP/1.1")
	case !hasToken(h.Values("Upgrade"), "websocket"):
		return upgradeRequired("the header Upgrade: websocket is missing: connect with a WebSocket client")
	case !hasToken(h.Values("Connection"), "upgrade"):
		return refuse(contract.CodeBadFrame, "the header Connection: Upgrade is missing: a proxy in between must pass it on")
	case h.Get("Sec-WebSocket-Version") != websocketVersion:
		return upgradeRequired("Sec-WebSocket-Version must be " + websocketVersion)
	case !isKey(h.Values("Sec-WebSocket-Key")):
		return refuse(contract.CodeBadFrame, "Sec-WebSocket-Key must be the base64 of 16 bytes, once")
	case !offers(h.Values("Sec-WebSocket-Protocol"), d.Subprotocol):
		return refuse(contract.CodeBadFrame, "Sec-WebSocket-Protocol must be a list of tokens, with "+d.Subprotocol+" among them")
	}
	return nil
}

// upgradeRequired refuses a request that asks for another protocol than ours
// (RFC 6455 section 4.2.2, RFC 9110 section 15.5.22).
func upgradeRequired(text string) *refusal {
	fault := refuse(contract.CodeBadFrame, text)
	fault.status = http.StatusUpgradeRequired
	fault.header = [2]string{"Sec-WebSocket-Version", websocketVersion}
	return fault
}

// hasToken reports whether a list header has the token, in any case.
func hasToken(values []string, token string) bool {
	for _, value := range values {
		for one := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.Trim(one, " \t"), token) {
				return true
			}
		}
	}
	return false
}

// offers reports whether the values are lists of tokens and the subprotocol is
// among them, exactly.
func offers(values []string, subprotocol string) bool {
	found := false
	for _, value := range values {
		for one := range strings.SplitSeq(value, ",") {
			one = strings.Trim(one, " \t")
			if !isToken(one) {
				return false
			}
			found = found || one == subprotocol
		}
	}
	return found
}

// isToken reports whether s is a token (RFC 9110 section 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

func isKey(values []string) bool {
	if len(values) != 1 {
		return false
	}
	raw, err := base64.StdEncoding.DecodeString(values[0])
	return err == nil && len(raw) == 16 && len(values[0]) == base64.StdEncoding.EncodedLen(16)
}
