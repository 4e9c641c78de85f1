package ladder

import "strings"

// colour is how a terminal shows a part of a line (ECMA-48, SGR).
type colour string

const (
	plain   colour = ""
	dim     colour = "2"
	red     colour = "31"
	green   colour = "32"
	yellow  colour = "33"
	magenta colour = "35"
	cyan    colour = "36"
)

// colourOf is the colour of a kind.
func colourOf(kind string) colour {
	switch kind {
	case "offer":
		return cyan
	case "answer", kindJoined:
		return green
	case "candidate", kindPresence:
		return dim
	case kindMessage:
		return magenta
	case kindLeft, "locked", "unlocked":
		return yellow
	case kindRefused, kindDropped:
		return red
	default:
		return plain
	}
}

// canvas is one line, column by column. A wide rune takes the next column too,
// which is then empty.
type canvas struct {
	cells   []string
	colours []colour
}

func newCanvas(width int) *canvas {
	c := &canvas{make([]string, width), make([]colour, width)}
	for i := range c.cells {
		c.cells[i] = " "
	}
	return c
}

// put writes a text from a column on, and cuts it at the end.
func (c *canvas) put(x int, text string, in colour) {
	text = Fit(text, len(c.cells)-x)
	for _, r := range text {
		w := runeWidth(r)
		if w == 0 {
			if x > 0 {
				c.cells[x-1] += string(r)
			}
			continue
		}
		c.cells[x], c.colours[x] = string(r), in
		if w == 2 {
			c.cells[x+1] = ""
		}
		x += w
	}
}

// fill writes a rune from one column to another, both included.
func (c *canvas) fill(from, to int, with string, in colour) {
	for x := from; x <= to && x < len(c.cells); x++ {
		c.cells[x], c.colours[x] = with, in
	}
}

// text is the line without blanks at its end, with colours if they are wanted.
func (c *canvas) text(coloured bool) string {
	end := len(c.cells)
	for end > 0 && c.cells[end-1] == " " {
		end--
	}
	var b strings.Builder
	now := plain
	for x := range end {
		if coloured && c.cells[x] != "" && c.colours[x] != now {
			now = c.colours[x]
			b.WriteString("\x1b[0")
			if now != plain {
				b.WriteString(";" + string(now))
			}
			b.WriteByte('m')
		}
		b.WriteString(c.cells[x])
	}
	if now != plain {
		b.WriteString("\x1b[0m")
	}
	return b.String()
}
