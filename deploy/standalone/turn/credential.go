package turn

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the draft's algorithm
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
)

// checker checks credentials of draft-uberti-behave-turn-rest-00.
type checker struct {
	secret []byte
	now    func() time.Time
}

// check returns the user of a request's username and the key that its message
// integrity must be made with. A credential that is over allocates nothing more;
// what was allocated with it may go on, since a call outlives it.
func (c checker) check(ask *turn.RequestAttributes) (user string, key []byte, ok bool) {
	expiry, user, _ := strings.Cut(ask.Username, ":")
	seconds, err := strconv.ParseInt(expiry, 10, 64)
	if err != nil || user == "" {
		return "", nil, false
	}
	if ask.Method == stun.MethodAllocate && seconds < c.now().Unix() {
		return "", nil, false
	}
	mac := hmac.New(sha1.New, c.secret)
	mac.Write([]byte(ask.Username))
	password := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return user, turn.GenerateAuthKey(ask.Username, ask.Realm, password), true
}
