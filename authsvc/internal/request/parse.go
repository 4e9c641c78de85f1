package request

import (
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/token/object"
)

// MaxBytes is the longest request that is read.
const MaxBytes = 8 << 10

// Parse reads a request of at most MaxBytes. Unknown members are ignored.
func Parse(body []byte) (contract.TokenRequest, error) {
	if len(body) > MaxBytes {
		return contract.TokenRequest{}, TooLarge()
	}
	o, err := object.Parse(body)
	if err != nil {
		return contract.TokenRequest{}, contract.Errorf(contract.CodeBadJSON, "token request: %v", err)
	}
	var r contract.TokenRequest
	var ice string
	for _, member := range []struct {
		name string
		into any
	}{
		{"app", &r.App}, {"apiKey", &r.APIKey}, {"room", &r.Room}, {"identity", &r.Identity},
		{"ttl", &r.TTL}, {"grants", &r.Grants}, {"maxStay", &r.MaxStay}, {"ice", &ice},
	} {
		if err := o.Read(member.name, member.into); err != nil {
			return contract.TokenRequest{}, bad("%v", err)
		}
	}
	r.ICE = contract.Policy(ice)
	for _, name := range []string{"room", "identity"} {
		if !o.Has(name) {
			return contract.TokenRequest{}, bad("%s is missing", name)
		}
	}
	return r, nil
}

// TooLarge is the error for a request over MaxBytes.
func TooLarge() error {
	return contract.Errorf(contract.CodeTooLarge, "token request: it is over %d bytes", MaxBytes)
}

func bad(format string, args ...any) error {
	return contract.Errorf(contract.CodeBadFrame, "token request: "+format, args...)
}
