package edge

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

// TestEdge_takeOver_ofALateHello has a hello come so late that its client is on
// another edge, and finds nothing any more. What was begun for it isn't the client's
// session when it comes back with the same secret.
func TestEdge_takeOver_ofALateHello(t *testing.T) {
	e := newYard(t).r.e
	var raw [32]byte
	rand.Read(raw[:])
	secret := base64.RawURLEncoding.EncodeToString(raw[:])
	late := e.newSession(&contract.Hello{Attempt: 2}, sha256.Sum256(raw[:]))
	back := &contract.Hello{Attempt: 4, Resume: []string{secret}, Rooms: map[string]contract.ResumeRoom{"room": {}}}
	if e.takeOver(back, secretHash{1}) != nil {
		t.Error("a session without rooms is resumed by a client that is in one")
	}
	if back.Rooms = nil; e.takeOver(back, secretHash{1}) != late {
		t.Error("a client that is in no room doesn't get its session")
	}
}
