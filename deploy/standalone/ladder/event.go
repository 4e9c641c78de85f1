package ladder

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Event is one line of the stream, as far as it is drawn.
type Event struct {
	At           int64  `json:"at"` // Unix milliseconds
	Kind         string `json:"kind"`
	From         string `json:"from"`
	To           string `json:"to"`
	FromIdentity string `json:"fromIdentity"`
	ToIdentity   string `json:"toIdentity"`
	Seq          uint64 `json:"seq"`
	Bytes        int    `json:"bytes"`
	Negotiation  string `json:"negotiation"`
	Revision     uint64 `json:"revision"`
	State        string `json:"state"`
	Refused      string `json:"refused"`
	Reason       string `json:"reason"`
	Count        int    `json:"count"`

	Description *struct {
		Media      int `json:"media"`
		Candidates int `json:"candidates"`
	} `json:"description"`
	Candidates []struct {
		Type     string `json:"type"`
		Protocol string `json:"protocol"`
		End      bool   `json:"end"`
	} `json:"candidates"`
	Filtered []struct {
		Rule  string `json:"rule"`
		Count int    `json:"count"`
	} `json:"filtered"`
	Room *struct {
		Room    string `json:"room"`
		Locked  bool   `json:"locked"`
		Members []struct {
			Peer     string `json:"peer"`
			Identity string `json:"identity"`
		} `json:"members"`
	} `json:"room"`
}

// Parse reads one line of the stream.
func Parse(line []byte) (Event, error) {
	var e Event
	err := json.Unmarshal(line, &e)
	return e, err
}

// The kinds that are drawn in a way of their own.
const (
	kindSnapshot  = "snapshot"
	kindHeartbeat = "heartbeat"
	kindDropped   = "dropped"
	kindJoined    = "joined"
	kindLeft      = "left"
	kindMessage   = "message"
	kindPresence  = "presence"
	kindRefused   = "refused"
)

// negotiationShown is how much of a negotiation's name is shown.
const negotiationShown = 6

// clock is the time of day of an event.
func (e *Event) clock(zone *time.Location) string {
	return time.UnixMilli(e.At).In(zone).Format("15:04:05.000")
}

// label says what an event is, the most important first.
func (e *Event) label() []string {
	parts := []string{Clean(e.Kind)}
	switch {
	case e.Kind == kindMessage && e.From == "":
		parts = append(parts, "r"+strconv.FormatUint(e.Seq, 10))
	case e.Seq > 0:
		parts = append(parts, "#"+strconv.FormatUint(e.Seq, 10))
	case e.Revision > 0:
		parts = append(parts, "r"+strconv.FormatUint(e.Revision, 10))
	}
	if e.State != "" {
		parts = append(parts, Clean(e.State))
	}
	if e.Bytes > 0 {
		parts = append(parts, size(e.Bytes))
	}
	if e.Negotiation != "" {
		parts = append(parts, Fit(Clean(e.Negotiation), negotiationShown))
	}
	return append(parts, e.contents()...)
}

// contents are the counts of a description and the kinds of candidates.
func (e *Event) contents() []string {
	var parts []string
	if e.Description != nil {
		parts = append(parts, strconv.Itoa(e.Description.Media)+"m", strconv.Itoa(e.Description.Candidates)+"c")
	}
	for _, c := range e.Candidates {
		if c.End {
			parts = append(parts, "end")
		} else {
			parts = append(parts, Clean(c.Type)+"/"+Clean(c.Protocol))
		}
	}
	return parts
}

// verdicts are what the filter said.
func (e *Event) verdicts() string {
	var parts []string
	for _, f := range e.Filtered {
		parts = append(parts, Clean(f.Rule)+"×"+strconv.Itoa(f.Count))
	}
	if len(parts) > 0 {
		parts = []string{"filtered: " + strings.Join(parts, ", ")}
	}
	if e.Refused != "" {
		parts = append(parts, "refused: "+Clean(e.Refused))
	}
	return strings.Join(parts, ", ")
}

// size is a number of bytes for people.
func size(bytes int) string {
	const kilo = 1000
	if bytes < kilo {
		return strconv.Itoa(bytes) + "B"
	}
	return strconv.FormatFloat(float64(bytes)/kilo, 'f', 1, 64) + "k"
}
