package standalone

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/parley-rtc/parley/roomsvc"
	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/contract"
)

const (
	// maxRooms bounds what is read of an answer, and maxLine one line of a stream:
	// a room of 1,000 members with presences.
	maxRooms = 16 << 20
	maxLine  = 4 << 20
	// callTimeout bounds one call.
	callTimeout = 15 * time.Second
)

// Rooms calls the Server API as an app's backend does. A refusal is a
// *contract.Error.
type Rooms struct {
	URL    string // without a path
	APIKey config.Secret
}

// List returns one page of the rooms that have members.
func (r Rooms) List(ctx context.Context, after string, limit int) (roomsvc.RoomList, error) {
	query := url.Values{}
	if after != "" {
		query.Set("after", after)
	}
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	var list roomsvc.RoomList
	err := r.call(ctx, http.MethodGet, "?"+query.Encode(), nil, &list)
	return list, err
}

// Show returns a room with its members.
func (r Rooms) Show(ctx context.Context, room string) (roomsvc.RoomView, error) {
	var view roomsvc.RoomView
	err := r.call(ctx, http.MethodGet, "/"+url.PathEscape(room), nil, &view)
	return view, err
}

// Change calls kick, lock, unlock, close or message with a body, which may be nil.
func (r Rooms) Change(ctx context.Context, room, verb string, body any) (roomsvc.RoomChange, error) {
	var change roomsvc.RoomChange
	err := r.call(ctx, http.MethodPost, "/"+url.PathEscape(room)+"/"+verb, body, &change)
	return change, err
}

// Events are the lines of a room's event stream, until ctx or the stream ends;
// an error comes last. The lines borrow a buffer: they are good until the next.
func (r Rooms) Events(ctx context.Context, room string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		resp, err := r.send(ctx, http.MethodGet, "/"+url.PathEscape(room)+"/events", nil)
		if err != nil {
			yield(nil, err)
			return
		}
		defer func() { _ = resp.Body.Close() }() // nothing more is wanted of it
		lines := bufio.NewScanner(resp.Body)
		lines.Buffer(nil, maxLine)
		for lines.Scan() {
			if len(lines.Bytes()) > 0 && !yield(lines.Bytes(), nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(nil, fmt.Errorf("read the event stream: %w", err))
		}
	}
}

func (r Rooms) call(ctx context.Context, method, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	resp, err := r.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // it was read
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxRooms)).Decode(into); err != nil {
		return fmt.Errorf("call the Server API: the answer of %s can't be read: %w", r.URL, err)
	}
	return nil
}

// send makes a request; the answer's status is 200, and its body must be closed.
func (r Rooms) send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var text io.Reader
	if body != nil {
		var data bytes.Buffer
		encoder := json.NewEncoder(&data)
		encoder.SetEscapeHTML(false) // members get the data as it is written here
		if err := encoder.Encode(body); err != nil {
			return nil, fmt.Errorf("call the Server API: %w", err)
		}
		text = bytes.NewReader(bytes.TrimSuffix(data.Bytes(), []byte("\n")))
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(r.URL, "/")+roomsvc.RoomsPath+path, text)
	if err != nil {
		return nil, fmt.Errorf("call the Server API: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+r.APIKey.Reveal())
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("call the Server API: %w (is roomsvc, or parley dev, running?)", err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }() // only its head counts
	return nil, refusalOf(resp)
}

// refusalOf is what an answer says that isn't a success.
func refusalOf(resp *http.Response) error {
	reply, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	var fault contract.WireError
	if err == nil {
		err = json.Unmarshal(reply, &fault)
	}
	if err == nil && fault.Code == "" {
		err = errors.New("it names no code")
	}
	if err != nil {
		return fmt.Errorf("%s answered %s, which no Parley service does: %w", resp.Request.URL.Host, resp.Status, err)
	}
	return fault.Err()
}
