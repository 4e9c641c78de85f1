package authsvc

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/authsvc/internal/request"
	"github.com/parley-rtc/parley/services/backend"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/telemetry"
)

// TokensPath is where tokens are asked for over HTTP.
const TokensPath = "/v1/tokens"

// ServeHTTP answers POST /v1/tokens. It is called by backends alone: there is
// no CORS, so that no page can be made to hold an API key.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path != TokensPath:
		backend.Refuse(w, http.StatusNotFound, contract.Errorf(contract.CodeBadFrame, "there is nothing here; tokens are at POST %s", TokensPath))
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		backend.Refuse(w, http.StatusMethodNotAllowed, contract.Errorf(contract.CodeBadFrame, "use POST %s", TokensPath))
	default:
		s.handleHTTP(w, r)
	}
}

func (s *service) handleHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := telemetry.WithTraceparent(r.Context(), r.Header.Get(telemetry.TraceparentName))
	status := 0 // of a fault for which no code has it
	reply, fault := s.issuer.observe(ctx, "http", func() (app contract.AppRecord, reply contract.TokenReply, err error) {
		if app, err = s.issuer.admit(backend.Bearer(r.Header)); err != nil {
			return app, reply, err
		}
		if err = checkContentType(r.Header); err != nil {
			status = http.StatusUnsupportedMediaType
			return app, reply, err
		}
		req, err := readRequest(w, r)
		if err != nil {
			return app, reply, err
		}
		reply, err = s.issuer.issue(app, req)
		return app, reply, err
	})
	if fault == nil {
		backend.Answer(w, http.StatusCreated, reply)
		return
	}
	backend.Refuse(w, status, fault)
}

// handleNATS answers a request on contract.SubjectAuthToken.
func (s *service) handleNATS(ctx context.Context, m *nats.Msg) {
	reply, fault := s.issuer.observe(ctx, "nats", func() (app contract.AppRecord, reply contract.TokenReply, err error) {
		req, err := request.Parse(m.Data)
		if err != nil {
			return app, reply, err
		}
		if app, err = s.issuer.admit(req.APIKey); err != nil {
			return app, reply, err
		}
		reply, err = s.issuer.issue(app, req)
		return app, reply, err
	})
	if fault != nil {
		reply = contract.TokenReply{Error: &contract.WireError{Code: fault.Code, Message: fault.Message, RetryAfter: fault.RetryAfter}}
	}
	if m.Reply == "" {
		return // nobody waits for it
	}
	body, err := json.Marshal(reply)
	if err == nil {
		err = m.Respond(body)
	}
	if err != nil {
		slog.WarnContext(ctx, "token reply not sent", "error", err)
	}
}

func checkContentType(h http.Header) error {
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	charset, named := params["charset"]
	if err != nil || media != "application/json" || named && !strings.EqualFold(charset, "utf-8") {
		return contract.Errorf(contract.CodeBadFrame, "token request: the Content-Type must be application/json")
	}
	if encoding := h.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return contract.Errorf(contract.CodeBadFrame, "token request: send the body without a Content-Encoding")
	}
	return nil
}

func readRequest(w http.ResponseWriter, r *http.Request) (contract.TokenRequest, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, request.MaxBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return contract.TokenRequest{}, request.TooLarge()
	case err != nil:
		return contract.TokenRequest{}, contract.Errorf(contract.CodeBadFrame, "token request: the body didn't arrive whole and in time")
	}
	return request.Parse(body)
}
