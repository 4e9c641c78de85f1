package natsusers

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/contract"
)

// Operator is the user of people and their tools, for backups: it may do
// everything. No service needs it.
const Operator = "operator"

// minPassword is the fewest characters of a password. hashCost is bcrypt's least:
// slow hashing protects passwords that can be guessed, and at the usual cost every
// edge that comes back after an outage would take the server 64 ms of CPU, and with this 1 ms.
const (
	minPassword = 20
	hashCost    = bcrypt.MinCost
)

// User is one user of NATS.
type User struct {
	// Name is one of Names, or contract.EdgeUser of an edge's configured name.
	Name string
	// Password must be random, of at least 20 characters; it is never written out.
	Password config.Secret
}

// Names are the users that a deployment needs whose edges share one.
func Names() []string {
	return []string{contract.UserEdge, contract.UserFilter, contract.UserRooms, contract.UserAuth, Operator}
}

// Permissions are those of a user for a log of so many shards; all means that it
// may do everything.
func Permissions(user string, shards int) (p contract.Permissions, all bool, err error) {
	switch user {
	case Operator:
		return p, true, nil
	case contract.UserEdge:
		return contract.EdgePermissions("", shards), false, nil
	case contract.UserFilter:
		return contract.FilterPermissions(shards), false, nil
	case contract.UserRooms:
		return contract.RoomsPermissions(shards), false, nil
	case contract.UserAuth:
		return contract.AuthPermissions(), false, nil
	}
	name, isEdge := strings.CutPrefix(user, contract.EdgeUser(""))
	if !isEdge {
		return p, false, fmt.Errorf("user %q: it must be one of %s, or %s<name>", user, strings.Join(Names(), ", "), contract.EdgeUser(""))
	}
	if _, err := contract.NewProcessID(name); err != nil {
		return p, false, fmt.Errorf("user %q: %w", user, err)
	}
	return contract.EdgePermissions(name, shards), false, nil
}

// Authorization returns the block `authorization` of nats-server's configuration.
// shards is roomsvc.shards. Each call gives other hashes of the same passwords.
func Authorization(users []User, shards int) (string, error) {
	if shards < 1 {
		return "", fmt.Errorf("write NATS users: %d shards, there must be one at least", shards)
	}
	var out strings.Builder
	out.WriteString("authorization {\n  users: [\n")
	var names []string
	for _, user := range users {
		if slices.Contains(names, user.Name) {
			return "", fmt.Errorf("write NATS users: user %q is there twice", user.Name)
		}
		names = append(names, user.Name)
		if err := write(&out, user, shards); err != nil {
			return "", fmt.Errorf("write NATS users: %w", err)
		}
	}
	out.WriteString("  ]\n}\n")
	return out.String(), nil
}

func write(out *strings.Builder, user User, shards int) error {
	permissions, all, err := Permissions(user.Name, shards)
	if err != nil {
		return err
	}
	if len(user.Password) < minPassword {
		return fmt.Errorf("user %q: its password has %d characters, give at least %d random ones", user.Name, len(user.Password), minPassword)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(user.Password.Reveal()), hashCost)
	if err != nil {
		return fmt.Errorf("user %q: %w", user.Name, err)
	}
	fmt.Fprintf(out, "    {\n      user: %s\n      password: %s\n", strconv.Quote(user.Name), strconv.Quote(string(hash)))
	if !all {
		out.WriteString("      permissions {\n")
		allow(out, "publish", permissions.Publish)
		allow(out, "subscribe", permissions.Subscribe)
		out.WriteString("      }\n")
	}
	out.WriteString("    }\n")
	return nil
}

func allow(out *strings.Builder, verb string, list []contract.Permission) {
	fmt.Fprintf(out, "        %s { allow: [\n", verb)
	for _, p := range list {
		subject := p.Subject
		if p.Queue != "" {
			subject += " " + p.Queue
		}
		fmt.Fprintf(out, "          %s # %s\n", strconv.Quote(subject), p.For)
	}
	out.WriteString("        ] }\n")
}
