package standalone

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

func TestTokens(t *testing.T) {
	ask := contract.TokenRequest{Room: "r", Identity: "ada"}
	for _, one := range []struct {
		name   string
		status int
		answer string
		code   contract.Code // of the refusal
		text   string        // of another fault
	}{
		{"a token", http.StatusCreated, `{"token":"t","expires":7}`, "", ""},
		{"a refusal", http.StatusForbidden, `{"code":"forbidden","message":"no"}`, contract.CodeForbidden, ""},
		{"another server", http.StatusNotFound, "<html>not here</html>", "", "404"},
		{"no JSON", http.StatusCreated, "token", "", "read the token"},
		{"far too much", http.StatusBadGateway, strings.Repeat("x", 1<<20), "", "502"},
	} {
		t.Run(one.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodPost || r.URL.Path != "/v1/tokens" || r.Header.Get("Authorization") != "Bearer a-key" {
					t.Errorf("got %s %s with %q", r.Method, r.URL.Path, r.Header.Get("Authorization"))
				}
				w.WriteHeader(one.status)
				_, _ = io.WriteString(w, one.answer) // the asker may have read enough
			}))
			defer server.Close()
			got, err := Tokens{URL: server.URL + "/", APIKey: "a-key"}.Token(t.Context(), ask)
			switch {
			case one.code != "":
				if !errors.Is(err, one.code) {
					t.Errorf("got %v, want %s", err, one.code)
				}
			case one.text != "":
				if err == nil || !strings.Contains(err.Error(), one.text) || len(err.Error()) > 1000 {
					t.Errorf("got %v, want a short text with %q", err, one.text)
				}
			case err != nil || got.Token != "t" || got.Expires != 7:
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	t.Run("nobody", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		if _, err := (Tokens{URL: server.URL}).Token(t.Context(), ask); err == nil || !strings.Contains(err.Error(), "is the authsvc, or parley dev, running?") {
			t.Errorf("got %v, want what to do", err)
		}
	})
}
