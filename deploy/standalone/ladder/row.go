package ladder

import "strings"

// lifelines is a line with the time of day and every lifeline.
func (l *Ladder) lifelines(e *Event) *canvas {
	c := newCanvas(l.o.Width)
	c.put(0, e.clock(l.o.Zone), dim)
	for i := range l.lives {
		c.put(l.column(i), "│", dim)
	}
	return c
}

// row draws one event.
func (l *Ladder) row(e *Event) string {
	from, to := l.find(e.From), l.find(e.To)
	c := l.lifelines(e)
	in := colourOf(e.Kind)
	switch {
	case e.From != "" && from < 0, e.To != "" && to < 0 && e.Kind != kindRefused:
		return l.listed(e) // of somebody who left before
	case e.Kind == kindPresence:
		c.put(l.column(from), "○ "+strings.Join(e.label(), " "), in)
	case e.Kind == kindRefused:
		c.put(l.column(from), "✗ "+strings.Join(append(e.label()[1:], e.verdicts()), " "), in)
	case e.Kind == kindMessage && e.From == "":
		l.fromBackend(c, e, to)
	case from >= 0 && to >= 0:
		l.arrow(c, e, l.column(from), l.column(to))
	case from >= 0:
		l.broadcast(c, e, l.column(from))
	default:
		l.across(c, e)
	}
	return c.text(l.o.Colour)
}

// note writes beside the sender's lifeline.
func (l *Ladder) note(e *Event, text string, in colour) string {
	c := newCanvas(l.o.Width)
	for i := range l.lives {
		c.put(l.column(i), "│", dim)
	}
	c.put(l.column(l.find(e.From)), text, in)
	return c.text(l.o.Colour)
}

// arrow goes from one lifeline to another.
func (l *Ladder) arrow(c *canvas, e *Event, from, to int) {
	in := colourOf(e.Kind)
	left, right := min(from, to), max(from, to)
	c.fill(left+1, right-1, "─", in)
	if from < to {
		c.put(from, "├", in)
		c.put(right-1, ">", in)
	} else {
		c.put(from, "┤", in)
		c.put(left+1, "<", in)
	}
	c.put(left+3, fitted(e.label(), right-left-5), in)
}

// broadcast goes from a lifeline to all others.
func (l *Ladder) broadcast(c *canvas, e *Event, from int) {
	in := colourOf(e.Kind)
	left, right := l.column(0), l.column(len(l.lives)-1)
	c.fill(left+1, right-1, "─", in)
	for i := range l.lives {
		if x := l.column(i); x < from {
			c.put(x+1, "<", in)
		} else if x > from {
			c.put(x-1, ">", in)
		}
	}
	c.put(from, "●", in)
	next := min(from+widest, len(c.cells))
	if len(l.lives) > 1 {
		next = from + l.column(1) - l.column(0)
	}
	c.put(min(from+2, len(c.cells)), fitted(e.label(), min(next, len(c.cells))-from-4), in)
}

// fromBackend comes from outside of the room.
func (l *Ladder) fromBackend(c *canvas, e *Event, to int) {
	in := colourOf(e.Kind)
	last := len(l.lives) - 1
	if to >= 0 {
		last = to
	}
	c.fill(gutter, l.column(last)-1, "═", in)
	for i := range l.lives {
		if to < 0 || i == to {
			c.put(l.column(i), "◆", in)
		}
	}
	c.put(l.column(last)+2, "app "+strings.Join(e.label(), " "), in)
}

// across is about the room as a whole.
func (l *Ladder) across(c *canvas, e *Event) {
	words := e.label()
	if e.Kind == kindDropped {
		words = []string{"lines were dropped:", number(e.Count)}
	}
	c.put(gutter, "╌ "+strings.Join(words, " ")+" ╌", colourOf(e.Kind))
}

// fitted are the first of the parts that fit, at least the beginning of one.
func fitted(parts []string, most int) string {
	for n := len(parts); n > 1; n-- {
		if text := " " + strings.Join(parts[:n], " ") + " "; Width(text) <= most {
			return text
		}
	}
	return Fit(parts[0], max(0, most))
}
