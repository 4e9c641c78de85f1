package roomsvc

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/backend"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/telemetry"
)

// RoomsPath is where the Server API is, with all below it.
const RoomsPath = "/v1/rooms"

// apiTimeout is how long a call waits for its commit: less than the listener
// gives it to answer.
const apiTimeout = 8 * time.Second

// call is one request of an app's backend.
type call struct {
	*http.Request
	app  contract.Token
	room room.Ref // zero of a list
}

// endpoint is one thing that a backend can ask for.
type endpoint struct {
	name   string // of the span and the metric
	method string
	handle func(s *service, ctx context.Context, w http.ResponseWriter, c call) (any, error)
}

// verbs are the endpoints below a room.
var verbs = map[string]endpoint{
	"kick":    {"kick", http.MethodPost, (*service).handleKick},
	"lock":    {"lock", http.MethodPost, (*service).handleLock},
	"unlock":  {"unlock", http.MethodPost, (*service).handleUnlock},
	"close":   {"close", http.MethodPost, (*service).handleClose},
	"message": {"message", http.MethodPost, (*service).handleMessage},
	"events":  {"events", http.MethodGet, (*service).handleEvents},
}

var (
	listEndpoint = endpoint{"list", http.MethodGet, (*service).handleList}
	showEndpoint = endpoint{"show", http.MethodGet, (*service).handleShow}
)

// errAnswered: the handler has written its answer itself.
var errAnswered = errors.New("answered")

// ServeHTTP answers the Server API. Paths are taken apart as they came, so that
// a room's name may hold anything.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e, name, ok := route(r.URL.EscapedPath())
	switch {
	case !ok:
		backend.Refuse(w, http.StatusNotFound, contract.Errorf(contract.CodeBadFrame,
			"there is nothing here; the Server API has %s, %s/{room} and %s/{room}/kick|lock|unlock|close|message|events", RoomsPath, RoomsPath, RoomsPath))
	case r.Method != e.method:
		w.Header().Set("Allow", e.method)
		backend.Refuse(w, http.StatusMethodNotAllowed, contract.Errorf(contract.CodeBadFrame, "%s: use %s", e.name, e.method))
	default:
		s.serveCall(w, r, e, name)
	}
}

// route finds the endpoint of a path and the room's name in it, still escaped.
func route(path string) (e endpoint, name string, ok bool) {
	rest, found := strings.CutPrefix(path, RoomsPath)
	if !found {
		return e, "", false
	}
	if rest == "" {
		return listEndpoint, "", true
	}
	if rest[0] != '/' {
		return e, "", false
	}
	name, verb, deeper := strings.Cut(rest[1:], "/")
	if !deeper {
		return showEndpoint, name, true
	}
	e, ok = verbs[verb]
	return e, name, ok
}

func (s *service) serveCall(w http.ResponseWriter, r *http.Request, e endpoint, name string) {
	began := time.Now()
	ctx, span := tracer.Start(telemetry.WithTraceparent(r.Context(), r.Header.Get(telemetry.TraceparentName)), "api."+e.name)
	defer span.End()
	body, err := s.answer(ctx, w, r, e, name)
	result := "ok"
	fault := shown(ctx, err)
	if fault != nil {
		result = string(fault.Code)
	}
	apiSeconds.WithLabelValues(e.name, result).Observe(time.Since(began).Seconds())
	switch {
	case errors.Is(err, errAnswered):
	case fault != nil:
		backend.Refuse(w, 0, fault)
	default:
		backend.Answer(w, http.StatusOK, body)
	}
}

func (s *service) answer(ctx context.Context, w http.ResponseWriter, r *http.Request, e endpoint, name string) (any, error) {
	app, err := s.keys.Admit(e.name, backend.Bearer(r.Header), time.Now())
	if err != nil {
		return nil, err
	}
	c := call{Request: r, app: app.App}
	if e.name != listEndpoint.name {
		id, err := roomName(name)
		if err != nil {
			return nil, err
		}
		c.room = room.Ref{App: app.App, Room: id.Token()}
	}
	return e.handle(s, ctx, w, c)
}

// roomName reads a room's name from a path.
func roomName(escaped string) (contract.ID, error) {
	raw, err := url.PathUnescape(escaped)
	if err != nil {
		return "", contract.Errorf(contract.CodeBadID, "the room's name in the path must be percent-encoded UTF-8")
	}
	id, err := contract.ParseID(raw)
	if err != nil {
		return "", contract.Errorf(contract.CodeBadID, "the room's name: %v", err)
	}
	return id, nil
}

// shown is what of an error may leave the process. Whatever has no code is our
// fault.
func shown(ctx context.Context, err error) *contract.Error {
	var fault *contract.Error
	switch {
	case err == nil, errors.Is(err, errAnswered):
		return nil
	case errors.As(err, &fault):
		return fault
	case errors.Is(err, errUnanswered), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return unavailable("it isn't known whether it was done: look, or ask again")
	}
	slog.ErrorContext(ctx, "call of the Server API failed", "error", err)
	return contract.Errorf(contract.CodeInternal, "it failed here; roomsvc's log says why")
}
