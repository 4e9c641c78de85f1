package ladder

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// gutter is the time of day and a blank.
	gutter = 13
	// narrowest is the least that a lifeline needs beside it.
	narrowest = 16
	// widest is the most that it gets: longer arrows are harder to follow.
	widest = 44
)

// Options say how a ladder is drawn.
type Options struct {
	// Width is that of the terminal; 0: there is none, and every event is a line
	// of a list.
	Width int
	// Colour allows colours.
	Colour bool
	// Zone is where the time of day is told; nil: UTC.
	Zone *time.Location
}

// Ladder is a room while somebody watches. The zero value is no ladder; use New.
type Ladder struct {
	o     Options
	lives []life // of the members, in the order of their joins
}

// life is the lifeline of a member.
type life struct{ peer, identity string }

// New returns a ladder without members.
func New(o Options) *Ladder {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	return &Ladder{o: o}
}

// Resize tells the ladder that the terminal's width is another.
func (l *Ladder) Resize(width int) { l.o.Width = width }

// Add returns the lines that an event adds, none for one that isn't shown.
func (l *Ladder) Add(e Event) []string {
	switch e.Kind {
	case kindHeartbeat:
		return nil
	case kindSnapshot:
		return l.snapshot(&e)
	case kindJoined:
		l.lives = append(l.without(e.From), life{e.From, Clean(e.FromIdentity)})
		return l.changed(&e, "┬")
	case kindLeft:
		lines := l.changed(&e, "┴")
		l.lives = l.without(e.From)
		if l.drawn() {
			lines = append(lines, l.heads()) // they have moved
		}
		return lines
	}
	if !l.drawn() {
		return []string{l.listed(&e)}
	}
	lines := []string{l.row(&e)}
	if v := e.verdicts(); v != "" && l.find(e.From) >= 0 && e.Kind != kindRefused {
		lines = append(lines, l.note(&e, "╰ "+v, red))
	}
	return lines
}

// without are the lifelines but that of a peer.
func (l *Ladder) without(peer string) []life {
	return slices.DeleteFunc(slices.Clone(l.lives), func(x life) bool { return x.peer == peer })
}

func (l *Ladder) find(peer string) int {
	if peer == "" {
		return -1
	}
	return slices.IndexFunc(l.lives, func(x life) bool { return x.peer == peer })
}

// drawn reports whether the members fit the width.
func (l *Ladder) drawn() bool {
	return l.o.Width > 0 && len(l.lives) > 0 && (l.o.Width-gutter)/len(l.lives) >= narrowest
}

// column is where the lifeline of a member is.
func (l *Ladder) column(i int) int {
	return gutter + 1 + i*min((l.o.Width-gutter)/len(l.lives), widest)
}

// snapshot begins anew with the members of the room.
func (l *Ladder) snapshot(e *Event) []string {
	l.lives = nil
	if e.Room == nil {
		return nil
	}
	for _, m := range e.Room.Members {
		l.lives = append(l.lives, life{m.Peer, Clean(m.Identity)})
	}
	words := []string{"room", Clean(e.Room.Room), "r" + strconv.FormatUint(e.Revision, 10)}
	if e.Revision == 0 {
		words[2] = "nobody was ever here"
	}
	if e.Room.Locked {
		words = append(words, "locked")
	}
	c := newCanvas(max(l.o.Width, gutter+Width(strings.Join(words, " "))))
	c.put(0, e.clock(l.o.Zone), dim)
	c.put(gutter, strings.Join(words, " "), plain)
	lines := []string{c.text(l.o.Colour)}
	if l.drawn() {
		return append(lines, l.heads())
	}
	for _, x := range l.lives {
		lines = append(lines, strings.Repeat(" ", gutter)+x.identity+" is here")
	}
	return lines
}

// heads names the lifelines.
func (l *Ladder) heads() string {
	c := newCanvas(l.o.Width)
	for i, x := range l.lives {
		room := l.o.Width - l.column(i)
		if i+1 < len(l.lives) {
			room = l.column(i+1) - l.column(i) - 1
		}
		c.put(l.column(i), Fit(x.identity, room), plain)
	}
	return c.text(l.o.Colour)
}

// changed draws a join or a leave.
func (l *Ladder) changed(e *Event, end string) []string {
	at := l.find(e.From)
	if !l.drawn() || at < 0 {
		return []string{l.listed(e)}
	}
	words := e.label()
	if e.Kind == kindLeft {
		words = append([]string{l.lives[at].identity}, words...)
	}
	if e.Reason != "" && e.Reason != kindLeft {
		words = append(words, "("+Clean(e.Reason)+")")
	}
	c := l.lifelines(e)
	c.put(l.column(at), end+" "+strings.Join(words, " "), colourOf(e.Kind))
	if e.Kind == kindJoined {
		return []string{l.heads(), c.text(l.o.Colour)}
	}
	return []string{c.text(l.o.Colour)}
}
