package ladder

import (
	"strconv"
	"strings"
)

// listed is an event as a line of a list.
func (l *Ladder) listed(e *Event) string {
	parts := []string{e.clock(l.o.Zone), who(e)}
	parts = append(parts, e.label()...)
	if e.Kind == kindDropped {
		parts = append(parts, number(e.Count))
	}
	if e.Reason != "" && e.Reason != kindLeft {
		parts = append(parts, "("+Clean(e.Reason)+")")
	}
	if v := e.verdicts(); v != "" {
		parts = append(parts, v)
	}
	text := strings.Join(parts, " ")
	if l.o.Width > 0 {
		text = Fit(text, l.o.Width)
	}
	if in := colourOf(e.Kind); l.o.Colour && in != plain {
		return "\x1b[0;" + string(in) + "m" + text + "\x1b[0m"
	}
	return text
}

// who says whom an event is about.
func who(e *Event) string {
	from, to := name(e.FromIdentity, e.From), name(e.ToIdentity, e.To)
	switch {
	case e.Kind == kindJoined, e.Kind == kindLeft, e.Kind == kindPresence, e.Kind == kindRefused:
		return from
	case from == "" && e.Kind == kindMessage:
		from = "app"
	case from == "":
		return "room"
	}
	if to == "" {
		to = "*"
	}
	return from + " -> " + to
}

// name is an identity, or the peer if nobody knows whose it is.
func name(identity, peer string) string {
	if identity != "" {
		return Clean(identity)
	}
	return Clean(peer)
}

func number(n int) string { return strconv.Itoa(n) }
