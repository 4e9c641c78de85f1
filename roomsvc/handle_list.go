package roomsvc

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/parley-rtc/parley/roomsvc/internal/index"
	"github.com/parley-rtc/parley/services/contract"
)

// The rooms of one page of the list.
const (
	pageDefault = 100
	pageMost    = 1000
)

// RoomList answers GET /v1/rooms.
type RoomList struct {
	Rooms []RoomSummary `json:"rooms"` // by name, byte by byte
	// Next is to be sent as `after` for the rooms that follow; empty: none do.
	Next string `json:"next,omitempty"`
}

// RoomSummary is a room with members.
type RoomSummary struct {
	Room     string `json:"room"`
	Members  int    `json:"members"`
	Revision uint64 `json:"revision"`
	Locked   bool   `json:"locked"`
}

func (s *service) handleList(_ context.Context, _ http.ResponseWriter, c call) (any, error) {
	after, limit, err := page(c.URL.Query())
	if err != nil {
		return nil, err
	}
	rooms, more := s.index.List(c.app, after, limit)
	list := RoomList{Rooms: make([]RoomSummary, len(rooms))}
	for i, r := range rooms {
		list.Rooms[i] = summary(r)
	}
	if more {
		list.Next = string(rooms[len(rooms)-1].Name)
	}
	return list, nil
}

func summary(r index.Summary) RoomSummary {
	return RoomSummary{Room: string(r.Name), Members: r.Members, Revision: r.Revision, Locked: r.Locked}
}

// page reads which part of the list is asked for.
func page(query url.Values) (after contract.ID, limit int, err error) {
	limit = pageDefault
	if text := query.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > pageMost {
			return "", 0, contract.Errorf(contract.CodeBadFrame, "list: limit must be a number from 1 to %d", pageMost)
		}
	}
	if text := query.Get("after"); text != "" {
		if after, err = contract.ParseID(text); err != nil {
			return "", 0, contract.Errorf(contract.CodeBadID, "list: after: %v", err)
		}
	}
	return after, limit, nil
}
