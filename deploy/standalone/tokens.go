package standalone

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/contract"
)

// maxReply bounds what is read of an answer.
const maxReply = 64 << 10

// Tokens asks an authsvc for room tokens over HTTP, as an app's backend does.
type Tokens struct {
	URL    string // of the authsvc, without a path
	APIKey config.Secret
}

// Token asks for one token. A refusal is a *contract.Error.
func (t Tokens) Token(ctx context.Context, ask contract.TokenRequest) (contract.TokenReply, error) {
	body, err := json.Marshal(ask)
	if err != nil {
		return contract.TokenReply{}, fmt.Errorf("ask for a token: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(t.URL, "/")+"/v1/tokens", bytes.NewReader(body))
	if err != nil {
		return contract.TokenReply{}, fmt.Errorf("ask for a token: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+t.APIKey.Reveal())
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return contract.TokenReply{}, fmt.Errorf("ask for a token: %w (is the authsvc, or parley dev, running?)", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return contract.TokenReply{}, fmt.Errorf("read the token: %w", err)
	}
	if resp.StatusCode != http.StatusCreated {
		return contract.TokenReply{}, refusal(resp.StatusCode, text)
	}
	var reply contract.TokenReply
	if err := json.Unmarshal(text, &reply); err != nil {
		return contract.TokenReply{}, fmt.Errorf("read the token: %w", err)
	}
	return reply, nil
}

func refusal(status int, text []byte) error {
	var refused contract.WireError
	if json.Unmarshal(text, &refused) == nil && refused.Code != "" {
		return refused.Err()
	}
	return fmt.Errorf("the authsvc answered %d: %.200q", status, text)
}
