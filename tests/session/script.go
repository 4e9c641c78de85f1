package session

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/token"
	"github.com/parley-rtc/parley/tests/stack"
)

// script is one entry of sessions.json; its README says what the keys mean.
type script struct {
	Name   string               `json:"name"`
	Limits json.RawMessage      `json:"limits"`
	Tokens map[string]tokenSpec `json:"tokens"`
	Steps  []step               `json:"steps"`
}

type tokenSpec struct {
	Identity  string          `json:"identity"`
	Room      string          `json:"room"`
	Grants    []string        `json:"grants"`
	ICE       contract.Policy `json:"ice"`
	ExpiresIn *int64          `json:"expiresIn"`
	Forged    bool            `json:"forged"`
}

type step struct {
	Conn        string          `json:"conn"`
	Hello       bool            `json:"hello"`
	Send        json.RawMessage `json:"send"`
	SendText    *string         `json:"sendText"`
	SendBinary  []byte          `json:"sendBinary"`
	Drop        bool            `json:"drop"`
	Expect      json.RawMessage `json:"expect"`
	InParts     bool            `json:"inParts"`
	Never       json.RawMessage `json:"never"`
	ExpectClose int             `json:"expectClose"`
	Edge        *int            `json:"edge"` // that the connection goes to, if not as the vectors' README says
}

// player plays one script.
type player struct {
	s       *stack.Stack
	app     string
	tokens  map[string]string
	wires   map[string]*wire
	edges   map[string]int // by connection
	secrets map[string]string
	peers   map[string]string
	cursors map[string]string
}

// play plays a script in an app of its own and returns its first fault.
func play(ctx context.Context, s *stack.Stack, app string, sc *script) error {
	p := &player{
		s: s, app: app, tokens: map[string]string{}, wires: map[string]*wire{}, edges: map[string]int{},
		secrets: map[string]string{}, peers: map[string]string{}, cursors: map[string]string{},
	}
	defer func() {
		for _, w := range p.wires {
			w.close()
		}
	}()
	for name, spec := range sc.Tokens {
		signed, err := p.sign(spec)
		if err != nil {
			return err
		}
		p.tokens[name] = signed
	}
	for i, st := range sc.Steps {
		if err := p.step(ctx, &st); err != nil {
			return fmt.Errorf("step %d on %s: %w", i+1, st.Conn, err)
		}
	}
	return nil
}

// sign makes a token as the script wants it.
func (p *player) sign(spec tokenSpec) (string, error) {
	now := time.Now().Unix()
	claims := contract.Claims{
		Issuer: "parley", Subject: spec.Identity, Audience: contract.TokenAudience, NotBefore: now - 10, Expires: now + 3600,
		ID: rand.Text(), App: p.app, Room: spec.Room, Grants: spec.Grants, ICE: spec.ICE,
	}
	if spec.ExpiresIn != nil {
		claims.Expires = now + *spec.ExpiresIn
		claims.NotBefore = min(claims.NotBefore, claims.Expires-10)
	}
	key := p.s.Key
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return "", fmt.Errorf("the stack's key is no Ed25519 key")
	}
	if spec.Forged {
		_, forger, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return "", err
		}
		key = forger
	}
	return token.Sign(key, token.KeyID(public), claims)
}

func (p *player) step(ctx context.Context, st *step) error {
	w, err := p.wire(ctx, st)
	if err != nil {
		return err
	}
	switch {
	case st.Hello:
		if err := w.send(ws.OpText, []byte(p.fill(`{"type":"hello","next":"${next}","attempt":1}`, st.Conn))); err != nil {
			return err
		}
		return p.expect(ctx, w, st, `{"type":"welcome"}`)
	case st.Send != nil:
		return w.send(ws.OpText, []byte(p.fill(string(st.Send), st.Conn)))
	case st.SendText != nil:
		return w.send(ws.OpText, []byte(p.fill(*st.SendText, st.Conn)))
	case st.SendBinary != nil:
		return w.send(ws.OpBinary, st.SendBinary)
	case st.Drop:
		w.close()
		return nil
	case st.Expect != nil:
		return p.expect(ctx, w, st, string(st.Expect))
	case st.Never != nil:
		return p.never(w, st)
	case st.ExpectClose != 0:
		code, err := w.closeCode(ctx)
		if err == nil && int(code) != st.ExpectClose {
			err = fmt.Errorf("closed with %d, want %d", code, st.ExpectClose)
		}
		return err
	default:
		return fmt.Errorf("the step does nothing")
	}
}

var resumed = regexp.MustCompile(`\$\{secret\.([^}]+)\}`)

// wire is the step's connection; the first step opens it.
func (p *player) wire(ctx context.Context, st *step) (*wire, error) {
	if w := p.wires[st.Conn]; w != nil {
		return w, nil
	}
	edge := len(p.wires) % len(p.s.Edges)
	if of := resumed.FindSubmatch(st.Send); of != nil {
		if at, ok := p.edges[string(of[1])]; ok {
			edge = at
		}
	}
	if st.Edge != nil {
		edge = *st.Edge
	}
	w, err := dial(ctx, p.s.Edges[edge])
	if err != nil {
		return nil, err
	}
	p.wires[st.Conn], p.edges[st.Conn] = w, edge
	return w, nil
}

func (p *player) expect(ctx context.Context, w *wire, st *step, text string) error {
	var want any
	if err := json.Unmarshal([]byte(p.fill(text, st.Conn)), &want); err != nil {
		return fmt.Errorf("the script's frame: %w", err)
	}
	object, _ := want.(map[string]any)
	got, err := w.take(ctx, func(f frame) bool {
		return f.typ == object["type"] && !(f.typ == contract.TypeAcked && less(f.value, want, "seq"))
	})
	if err != nil {
		return fmt.Errorf("%s: %w; what came and wasn't taken: %s", text, err, describe(w.left()))
	}
	if st.InParts && !got.inParts {
		return fmt.Errorf("%s did not come in parts", text)
	}
	if fault := match(got.value, want); fault != "" {
		return fmt.Errorf("got %s, want %s: %s", describe([]frame{got}), text, fault)
	}
	p.note(st.Conn, got.value)
	return nil
}

func (p *player) never(w *wire, st *step) error {
	var unwanted any
	if err := json.Unmarshal([]byte(p.fill(string(st.Never), st.Conn)), &unwanted); err != nil {
		return fmt.Errorf("the script's frame: %w", err)
	}
	for _, f := range w.left() {
		if match(f.value, unwanted) == "" {
			return fmt.Errorf("%s came, and must not", describe([]frame{f}))
		}
	}
	return nil
}

// note keeps what placeholders stand for.
func (p *player) note(conn string, value any) {
	object, _ := value.(map[string]any)
	if cursor, ok := object["cursor"].(string); ok {
		p.cursors[conn] = cursor
	}
	if self, ok := object["self"].(map[string]any); ok {
		p.peers[conn], _ = self["peer"].(string)
	}
}

var placeholder = regexp.MustCompile(`\$\{(token|secret|peer|cursor|next)\.([^}]+)\}|\$\{next\}`)

// fill puts values in the place of placeholders.
func (p *player) fill(text, conn string) string {
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		of := placeholder.FindStringSubmatch(found)
		switch of[1] {
		case "token":
			return p.tokens[of[2]]
		case "secret":
			return p.secret(of[2])
		case "peer":
			return p.peers[of[2]]
		case "cursor":
			return p.cursors[of[2]]
		case "next":
			return hashOf(p.secret(of[2]))
		default:
			return hashOf(p.secret(conn))
		}
	})
}

// hashOf is what a hello proposes a secret by.
func hashOf(secret string) string {
	raw, err := base64.RawURLEncoding.DecodeString(secret)
	if err != nil {
		panic("session: internal error: " + err.Error())
	}
	hash := sha256.Sum256(raw)
	return base64.RawURLEncoding.EncodeToString(hash[:])
}

func (p *player) secret(conn string) string {
	if p.secrets[conn] == "" {
		var raw [32]byte
		rand.Read(raw[:])
		p.secrets[conn] = base64.RawURLEncoding.EncodeToString(raw[:])
	}
	return p.secrets[conn]
}

// match says why got doesn't match want, "" if it does.
func match(got, want any) string {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return "no object"
		}
		for name, member := range want {
			value, there := object[name]
			switch {
			case member == "${absent}":
				if there {
					return name + " is there"
				}
				continue
			case !there:
				return name + " is missing"
			case member == "${any}":
				continue
			}
			if fault := match(value, member); fault != "" {
				return name + ": " + fault
			}
		}
		return ""
	case []any:
		array, ok := got.([]any)
		if !ok || len(array) != len(want) {
			return fmt.Sprintf("no array of %d", len(want))
		}
		for i := range want {
			if fault := match(array[i], want[i]); fault != "" {
				return fmt.Sprintf("[%d]: %s", i, fault)
			}
		}
		return ""
	default:
		if want == "${any}" || reflect.DeepEqual(got, want) {
			return ""
		}
		return fmt.Sprintf("%v, want %v", got, want)
	}
}

// less compares a number of two frames.
func less(a, b any, name string) bool {
	left, _ := a.(map[string]any)
	right, _ := b.(map[string]any)
	x, okX := left[name].(float64)
	y, okY := right[name].(float64)
	return okX && okY && x < y
}

func describe(frames []frame) string {
	var texts []string
	for _, f := range frames {
		text, err := json.Marshal(f.value)
		if err != nil {
			text = []byte(err.Error())
		}
		texts = append(texts, fmt.Sprintf("%.600s", text))
	}
	return strings.Join(texts, "\n")
}
