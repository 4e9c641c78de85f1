package backend

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/parley-rtc/parley/services/contract"
)

// Fault is the body of every answer that says no.
type Fault struct {
	Code       contract.Code `json:"code"`
	Status     int           `json:"status"`
	Message    string        `json:"message"`
	Retryable  bool          `json:"retryable"`
	RetryAfter int64         `json:"retryAfter,omitempty"` // milliseconds
}

// Answer writes a body as JSON.
func Answer(w http.ResponseWriter, status int, body any) {
	Head(w, "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body) // it fails only when the client is gone
}

// Head sets what every answer has.
func Head(w http.ResponseWriter, contentType string) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store") // it may hold names, and what is true for a moment only
	h.Set("X-Content-Type-Options", "nosniff")
}

// Refuse writes a fault with the code's own status, or another if status isn't 0.
func Refuse(w http.ResponseWriter, status int, fault *contract.Error) {
	if status == 0 {
		status = fault.Code.Status()
	}
	switch status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="parley"`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", strconv.FormatInt(max(1, (fault.RetryAfter+999)/1000), 10))
	}
	Answer(w, status, Fault{
		Code: fault.Code, Status: status, Message: fault.Message,
		Retryable: fault.Code.Retryable(), RetryAfter: fault.RetryAfter,
	})
}

// IsJSON reports whether a request says that its body is plain JSON.
func IsJSON(h http.Header) bool {
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	charset, named := params["charset"]
	encoding := h.Get("Content-Encoding")
	return err == nil && media == "application/json" && (!named || strings.EqualFold(charset, "utf-8")) &&
		(encoding == "" || strings.EqualFold(encoding, "identity"))
}

// Body reads a request's body of at most so many bytes. The error is a
// *contract.Error.
func Body(w http.ResponseWriter, r *http.Request, what string, most int) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(most)))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, contract.Errorf(contract.CodeTooLarge, "%s: the body is over %d bytes", what, most)
	case err != nil:
		return nil, contract.Errorf(contract.CodeBadFrame, "%s: the body didn't arrive whole and in time", what)
	}
	return body, nil
}
