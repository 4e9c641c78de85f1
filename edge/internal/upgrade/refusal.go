package upgrade

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/parley-rtc/parley/services/contract"
)

// refusal is an error and how HTTP tells it.
type refusal struct {
	err    *contract.Error
	status int       // 0: that of the code
	header [2]string // one more header, if its name isn't empty
}

func refuse(code contract.Code, text string) *refusal {
	return &refusal{err: contract.Errorf(code, "%s", text)}
}

// write answers the request with the error frame that a connection would get.
func (f *refusal) write(w http.ResponseWriter) {
	h := w.Header()
	if f.header[0] != "" {
		h.Set(f.header[0], f.header[1])
	}
	if f.err.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt((f.err.RetryAfter+999)/1000, 10)) // whole seconds (RFC 9110 section 10.2.3)
	}
	status := f.status
	if status == 0 {
		status = f.err.Code.Status()
	}
	writeJSON(w, status, contract.ErrorFrame{
		Type:       contract.TypeError,
		Code:       f.err.Code,
		Status:     f.err.Code.Status(),
		Message:    f.err.Message,
		Retryable:  f.err.Code.Retryable(),
		RetryAfter: f.err.RetryAfter,
	})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client went away: nobody is left to tell
}
