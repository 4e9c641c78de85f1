package roomsvc

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/parley-rtc/parley/roomsvc/internal/index"
	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/roomsvc/internal/tail"
	"github.com/parley-rtc/parley/services/backend"
	"github.com/parley-rtc/parley/services/contract"
)

// lineTimeout is how long one line may take to be written.
const lineTimeout = 10 * time.Second

// handleEvents tells the room as it is, and then everything that happens there,
// a JSON line each, until the client goes away or the service stops.
func (s *service) handleEvents(ctx context.Context, w http.ResponseWriter, c call) (any, error) {
	starting, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	one, err := s.streams.join(starting, c.room)
	if err != nil {
		return nil, err
	}
	defer s.streams.leave(one)
	// After the stream has begun, so that nothing lies between the two.
	view, err := s.view(starting, c.room)
	if err != nil {
		return nil, err
	}
	out := newLineWriter(w, c.room, view, s.index)
	if out.write(tail.Line{At: time.Now().UnixMilli(), Kind: tail.KindSnapshot, Revision: view.Revision, Room: view}) != nil {
		return nil, errAnswered
	}
	s.pump(ctx, one, out)
	return nil, errAnswered
}

// pump writes the lines of a stream until somebody ends it.
func (s *service) pump(ctx context.Context, one *stream, out *lineWriter) {
	silence := time.NewTimer(s.cfg.Heartbeat)
	defer silence.Stop()
	for {
		var line tail.Line
		select {
		case line = <-one.lines:
		case <-silence.C:
			line = tail.Line{At: time.Now().UnixMilli(), Kind: tail.KindHeartbeat}
		case <-one.over:
			return
		case <-ctx.Done():
			return
		}
		silence.Reset(s.cfg.Heartbeat)
		err := out.write(line)
		if n := s.streams.takeDropped(one); n > 0 && err == nil {
			err = out.write(tail.Line{At: time.Now().UnixMilli(), Kind: tail.KindDropped, Count: n})
		}
		if err != nil {
			return // the client is gone, or doesn't read
		}
	}
}

// lineWriter writes the lines about one room.
type lineWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	encoder *json.Encoder
	ref     room.Ref
	index   *index.Index
	since   uint64            // events up to it are in the snapshot
	names   map[string]string // identity by peer, of all that were seen
}

func newLineWriter(w http.ResponseWriter, ref room.Ref, view RoomView, x *index.Index) *lineWriter {
	l := &lineWriter{
		w: w, control: http.NewResponseController(w), encoder: json.NewEncoder(w),
		ref: ref, index: x, since: view.Revision, names: map[string]string{},
	}
	l.encoder.SetEscapeHTML(false)
	for i := range view.Members {
		l.names[view.Members[i].Peer.String()] = view.Members[i].Identity
	}
	// The server's limits are for answers that end.
	_ = l.control.SetReadDeadline(time.Time{}) // not every server has one
	backend.Head(w, "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	return l
}

// write writes a line, unless the snapshot has it.
func (l *lineWriter) write(line tail.Line) error {
	if line.Kind != tail.KindSnapshot && line.Revision != 0 && line.Revision <= l.since {
		return nil
	}
	if line.FromIdentity != "" {
		l.names[line.From] = line.FromIdentity
	}
	line.FromIdentity, line.ToIdentity = l.identity(line.From), l.identity(line.To)
	if err := l.control.SetWriteDeadline(time.Now().Add(lineTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if err := l.encoder.Encode(line); err != nil {
		return err
	}
	return l.control.Flush()
}

// identity is whose a peer is; who has left is remembered.
func (l *lineWriter) identity(peer string) string {
	if peer == "" || l.names[peer] != "" {
		return l.names[peer]
	}
	if token, err := contract.ParseToken(peer); err == nil {
		l.names[peer] = l.index.Identity(l.ref, token)
	}
	return l.names[peer]
}
