package request

import (
	"slices"
	"strings"
	"time"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/token"
)

// MinTTL is the shortest time for which a token may be asked.
const MinTTL = time.Second

// clocksApart is how far authsvc's clock may be ahead of an edge's: a token is
// valid from so long before it is issued, since one that isn't valid yet would keep
// everybody out.
const clocksApart = 5 * time.Minute

// Rules are the limits of all apps.
type Rules struct {
	Issuer     string        // `iss` of every token
	DefaultTTL time.Duration // for requests that name none
	MaxTTL     time.Duration // requests for more are refused, not cut
}

// Claims returns what the token named id will say if it is signed at the time
// now. The ICE policy is the stricter one of the request's and the app's.
func (r Rules) Claims(req contract.TokenRequest, app contract.AppRecord, id string, now time.Time) (contract.Claims, error) {
	if err := checkIDs(req); err != nil {
		return contract.Claims{}, err
	}
	if req.App != "" && req.App != string(app.App.ID()) {
		return contract.Claims{}, contract.Errorf(contract.CodeForbidden, "token request: the API key isn't that app's; leave app out or name its own")
	}
	ttl, err := r.ttl(req.TTL)
	if err != nil {
		return contract.Claims{}, err
	}
	if most := int64(token.MaxStay / time.Second); req.MaxStay < 0 || req.MaxStay > most {
		return contract.Claims{}, bad("maxStay must be 1 to %d seconds, or 0 for no end", most)
	}
	for _, grant := range req.Grants {
		if !slices.Contains(contract.Grants(), grant) {
			return contract.Claims{}, bad("grants holds an unknown one: use %s", strings.Join(contract.Grants(), ", "))
		}
	}
	if req.ICE != "" {
		if _, err := contract.ParsePolicy(string(req.ICE)); err != nil {
			return contract.Claims{}, bad("ice: %v", err)
		}
	}
	return contract.Claims{
		Issuer:    r.Issuer,
		Subject:   req.Identity,
		Audience:  contract.TokenAudience,
		NotBefore: now.Add(-clocksApart).Unix(),
		Expires:   now.Unix() + ttl,
		ID:        id,
		App:       string(app.App.ID()),
		Room:      req.Room,
		Grants:    slices.Compact(slices.Sorted(slices.Values(req.Grants))),
		MaxStay:   req.MaxStay,
		ICE:       contract.Stricter(req.ICE, app.ICE),
	}, nil
}

func checkIDs(req contract.TokenRequest) error {
	for _, member := range []struct{ name, value string }{{"room", req.Room}, {"identity", req.Identity}, {"app", req.App}} {
		if member.name == "app" && member.value == "" {
			continue // the API key says which
		}
		if _, err := contract.ParseID(member.value); err != nil {
			return contract.Errorf(contract.CodeBadID, "token request: %s: %v", member.name, err)
		}
	}
	return nil
}

// ttl returns whole seconds.
func (r Rules) ttl(asked int64) (int64, error) {
	least, most := int64(MinTTL/time.Second), int64(r.MaxTTL/time.Second)
	switch {
	case asked == 0:
		return int64(r.DefaultTTL / time.Second), nil
	case asked < least || asked > most:
		return 0, bad("ttl must be %d to %d seconds", least, most)
	}
	return asked, nil
}
