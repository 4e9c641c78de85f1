package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

// joinTimeout is far more than the first client needs to join.
const joinTimeout = 30 * time.Second

// readyTimes is what --ready-time prints: milliseconds from the start of the
// process until all was ready, and until the first client had joined.
type readyTimes struct {
	ReadyMS  float64 `json:"ready_ms"`
	JoinedMS float64 `json:"joined_ms"`
}

// measure joins one client as an app's page does, by the public address and
// with a token of its own, and prints how long all of it took.
func (d *development) measure(ctx context.Context) error {
	times := readyTimes{ReadyMS: milliseconds(time.Since(d.started))}
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	c, err := client.Dial(ctx, d.place.WebSocket, client.WithName("parley-ready-time"), client.WithToken(
		func(ctx context.Context, room string, _ client.TokenReason) (string, error) {
			return askDevToken(ctx, d.place.URL, room, devIdentity)
		}))
	if err != nil {
		return fmt.Errorf("ready time: %w", err)
	}
	defer c.Close()
	if _, err := c.Join(ctx, devRoom); err != nil {
		return fmt.Errorf("ready time: join: %w", err)
	}
	times.JoinedMS = milliseconds(time.Since(d.started))
	return printJSON(d.out, times)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// maxTokenReply bounds what is read of an answer.
const maxTokenReply = 64 << 10

// askDevToken asks for a room token as a page does.
func askDevToken(ctx context.Context, url, room, identity string) (string, error) {
	body, err := json.Marshal(contract.TokenRequest{Room: room, Identity: identity})
	if err != nil {
		return "", fmt.Errorf("development token: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/dev/token", bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("development token: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("development token: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxTokenReply))
	if err != nil {
		return "", fmt.Errorf("development token: %w", err)
	}
	var reply contract.TokenReply
	if err := json.Unmarshal(text, &reply); err != nil || reply.Token == "" {
		return "", fmt.Errorf("development token: got %s: %.200q", resp.Status, text)
	}
	return reply.Token, nil
}
