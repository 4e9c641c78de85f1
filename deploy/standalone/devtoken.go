package standalone

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/parley-rtc/parley/authsvc"
	"github.com/parley-rtc/parley/services/backend"
	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/contract"
)

// DevToken answers POST /dev/token, with which pages get room tokens in
// development: it asks the authsvc with the API key of DevApp, which no page
// holds then. Whoever reaches it may be anybody in any room.
//
// A page of the web must not get there, neither by a request across origins nor
// by a name of its own that it lets point here: the name in Host must be one of
// this machine's, and a page's origin one of this machine's too.
type DevToken struct {
	// Tokens is what answers POST /v1/tokens.
	Tokens http.Handler
	// APIKey is DevApp's.
	APIKey config.Secret
	// Hosts are names and addresses of this machine beside those of the
	// loopback interface.
	Hosts []string
}

// ServeHTTP checks who asks and passes the body on.
func (d *DevToken) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !d.local(hostOf(r.Host)) {
		backend.Refuse(w, 0, contract.Errorf(contract.CodeForbidden, "development tokens are for this machine: use http://localhost or 127.0.0.1, or parley dev --lan and the address that it says"))
		return
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		w.Header().Add("Vary", "Origin")
		if !d.trusts(origin) {
			backend.Refuse(w, 0, contract.Errorf(contract.CodeForbidden, "development tokens are for pages of this machine: this one's origin is another"))
			return
		}
		w.Header().Set("Access-Control-Allow-Origin", origin)
	}
	switch r.Method {
	case http.MethodPost:
		d.Tokens.ServeHTTP(w, d.ask(r))
	case http.MethodOptions:
		w.Header().Set("Access-Control-Allow-Methods", http.MethodPost)
		w.Header().Set("Access-Control-Allow-Headers", "Content-Type, Traceparent")
		w.Header().Set("Access-Control-Max-Age", "600")
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Allow", http.MethodPost+", "+http.MethodOptions)
		backend.Refuse(w, http.StatusMethodNotAllowed, contract.Errorf(contract.CodeBadFrame, "use POST %s", pathDevToken))
	}
}

// ask is the request as an app's backend would have sent it.
func (d *DevToken) ask(r *http.Request) *http.Request {
	asked := r.WithContext(r.Context())
	asked.URL = &url.URL{Path: authsvc.TokensPath}
	asked.Header = http.Header{"Authorization": {"Bearer " + d.APIKey.Reveal()}}
	for _, name := range []string{"Content-Type", "Content-Encoding", "Traceparent"} {
		if values := r.Header.Values(name); len(values) > 0 {
			asked.Header[name] = values
		}
	}
	return asked
}

// trusts reports whether pages of an origin are of this machine. Browsers send
// "null" for pages that have none, such as sandboxed frames of any site.
func (d *DevToken) trusts(origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && d.local(strings.ToLower(u.Hostname()))
}

// local reports whether a host is this machine, whoever resolves it. The names
// below localhost are (RFC 6761 section 6.3).
func (d *DevToken) local(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || slices.Contains(d.Hosts, host) {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// hostOf is the host of host:port, in lower case and without brackets.
func hostOf(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
	}
	return strings.ToLower(host)
}
