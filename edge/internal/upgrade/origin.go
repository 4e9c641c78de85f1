package upgrade

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// anyOrigin in Door.Origins lets every page in.
const anyOrigin = "*"

// errOrigin says what an entry of Door.Origins must be.
var errOrigin = errors.New(`an origin is scheme://host or scheme://host:port, with http or https and nothing behind it, or "*"`)

// ValidOrigin checks an entry of Door.Origins.
func ValidOrigin(text string) error {
	if text == anyOrigin {
		return nil
	}
	if _, ok := parseOrigin(text); !ok {
		return errOrigin
	}
	return nil
}

// origin is where a page comes from (RFC 6454 section 4).
type origin struct{ scheme, host, port string }

// allows reports whether the page that asks, if it is one, may connect.
func (d *Door) allows(r *http.Request) bool {
	values := r.Header.Values("Origin")
	switch len(values) {
	case 0:
		return true // no browser: pages can't leave it out
	case 1:
	default:
		return false
	}
	from, ok := parseOrigin(values[0])
	for _, one := range d.Origins {
		if one == anyOrigin {
			return true
		}
		if allowed, valid := parseOrigin(one); ok && valid && allowed == from {
			return true
		}
	}
	return ok && from.serves(r.Host)
}

// serves reports whether the Host header names the origin. The scheme isn't
// compared: behind a proxy that ends TLS the edge doesn't know its own.
func (o origin) serves(hostHeader string) bool {
	there, ok := parseOrigin(o.scheme + "://" + hostHeader)
	return ok && there == o
}

// parseOrigin reads an origin; the host is in lower case and the port is there.
func parseOrigin(text string) (origin, bool) {
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" ||
		u.ForceQuery || strings.HasSuffix(text, "#") {
		return origin{}, false
	}
	o := origin{strings.ToLower(u.Scheme), strings.ToLower(u.Hostname()), u.Port()}
	switch {
	case o.port != "":
	case strings.HasSuffix(u.Host, ":"):
		return origin{}, false
	case o.scheme == "http":
		o.port = "80"
	case o.scheme == "https":
		o.port = "443"
	}
	if ip := net.ParseIP(o.host); ip != nil {
		o.host = ip.String()
	}
	return o, o.host != "" && (o.scheme == "http" || o.scheme == "https")
}
