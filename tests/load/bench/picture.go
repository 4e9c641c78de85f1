//go:build linux

package bench

import (
	"fmt"
	"html"
	"strings"

	"github.com/parley-rtc/parley/tests/load/target"
)

// pictured is the rate of the picture's bars.
const pictured = 5000

// The measures of the picture, in its own units.
const (
	pictureWidth = 880
	margin       = 24
	labelWidth   = 236
	barWidth     = 440 // of the longest one
	barHeight    = 16
	rowHeight    = 26
	panelHead    = 46
	panelGap     = 22
	pictureHead  = 64
)

// style follows the reader's theme.
const style = `
  text { font: 13px ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #1f2933; }
  .paper { fill: #ffffff; } .title { font-size: 19px; font-weight: 650; } .head { font-weight: 600; font-size: 14px; }
  .quiet { fill: #66727f; } .own { fill: #0f766e; } .other { fill: #b6c0ca; } .track { fill: #f1f4f7; }
  .mine { font-weight: 600; } .number { font-variant-numeric: tabular-nums; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .paper { fill: #0d1117; } .quiet { fill: #8b98a5; }
    .own { fill: #2dd4bf; } .other { fill: #4b5663; } .track { fill: #161d26; }
  }
`

// bar is one row of a panel.
type bar struct {
	name  target.Name
	value float64
	text  string // instead of a bar
}

// panel is one comparison.
type panel struct {
	title, hint string
	unit        string
	bars        []bar
}

// Draw writes the picture as SVG.
func (r *Results) Draw(path string) error { return write(path, []byte(r.svg())) }

func (r *Results) svg() string {
	panels := r.panels()
	height := pictureHead + margin
	for _, p := range panels {
		height += panelHead + rowHeight*len(p.bars) + panelGap
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`,
		pictureWidth, height, pictureWidth, height, html.EscapeString(description(panels)))
	fmt.Fprintf(&b, "\n<style>%s</style>\n<rect class=\"paper\" width=\"%d\" height=\"%d\" rx=\"10\"/>\n", style, pictureWidth, height)
	text(&b, margin, 36, "title", "The same work, by the same clients, on the same machine")
	text(&b, margin, 57, "quiet", fmt.Sprintf("%s connections in rooms of two send ICE candidates. %d processors, servers and clients together; %s.",
		thousands(r.Plan.Connections), r.Machine.Processors, r.Date))
	top := pictureHead + margin/2
	for _, p := range panels {
		p.draw(&b, top)
		top += panelHead + rowHeight*len(p.bars) + panelGap
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// panels are the comparisons for which there are numbers.
func (r *Results) panels() []panel {
	cpu := panel{title: fmt.Sprintf("Processor time a message at %s messages/s", thousands(pictured)), hint: "less is better", unit: "µs"}
	late := panel{title: fmt.Sprintf("99 of 100 arrive within, at %s messages/s", thousands(pictured)), hint: "less is better", unit: "ms"}
	most := panel{title: fmt.Sprintf("Most messages/s of which 99 in 100 arrive within %d ms", promptly), hint: "more is better", unit: "/s"}
	for _, name := range r.Plan.Targets {
		if s, ok := r.summary(name, 1, pictured); ok && s.Kept() {
			cpu.bars = append(cpu.bars, bar{name: name, value: s.CPU.Median})
			late.bars = append(late.bars, bar{name: name, value: s.P99.Median})
		} else if ok || r.broken(name, rates, 1, pictured) {
			why := "saturated"
			if !ok {
				why = "no figure: messages were lost"
			}
			cpu.bars = append(cpu.bars, bar{name: name, text: why})
			late.bars = append(late.bars, bar{name: name, text: why})
		}
		if rate, ok := r.highest(name); ok {
			most.bars = append(most.bars, bar{name: name, value: rate.Median})
		}
	}
	var kept []panel
	for _, p := range []panel{cpu, late, most} {
		if len(p.bars) > 0 {
			kept = append(kept, p)
		}
	}
	return kept
}

// draw draws a panel from a height on.
func (p panel) draw(b *strings.Builder, top int) {
	text(b, margin, top+24, "head", p.title)
	fmt.Fprintf(b, `<text class="quiet" x="%d" y="%d" text-anchor="end">%s</text>`+"\n", pictureWidth-margin, top+24, p.hint)
	longest, unit := 0.0, 0.0
	for _, one := range p.bars {
		longest = max(longest, one.value)
		if one.name == target.Distributed {
			unit = one.value
		}
	}
	for i, one := range p.bars {
		y := top + panelHead + i*rowHeight
		class, label := "other", "number"
		if one.name.Own() {
			class, label = "own", "number mine"
		}
		left := margin + labelWidth
		text(b, margin, y+13, label, target.Titles[one.name])
		fmt.Fprintf(b, `<rect class="track" x="%d" y="%d" width="%d" height="%d" rx="3"/>`+"\n", left, y, barWidth, barHeight)
		if one.text != "" {
			text(b, left+8, y+13, "quiet", one.text)
			continue
		}
		width := max(2, int(barWidth*one.value/longest))
		fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="3"/>`+"\n", class, left, y, width, barHeight)
		text(b, left+barWidth+12, y+13, label, amount(one.value)+" "+p.unit)
		if unit > 0 {
			fmt.Fprintf(b, `<text class="quiet number" x="%d" y="%d" text-anchor="end">%s×</text>`+"\n",
				pictureWidth-margin, y+13, strings.TrimSuffix(amount(one.value/unit), ".0"))
		}
	}
}

func text(b *strings.Builder, x, y int, class, what string) {
	fmt.Fprintf(b, `<text class="%s" x="%d" y="%d">%s</text>`+"\n", class, x, y, html.EscapeString(what))
}

// description is the picture for those who can't see it.
func description(panels []panel) string {
	var parts []string
	for _, p := range panels {
		var rows []string
		for _, one := range p.bars {
			what := one.text
			if what == "" {
				what = amount(one.value) + " " + p.unit
			}
			rows = append(rows, target.Titles[one.name]+" "+what)
		}
		parts = append(parts, p.title+": "+strings.Join(rows, ", "))
	}
	return strings.Join(parts, ". ")
}

// amount is a number with about two digits that count.
func amount(value float64) string {
	switch {
	case value >= 1000:
		return thousands(int(value+50) / 100 * 100)
	case value >= 10:
		return fmt.Sprintf("%.0f", value)
	case value >= 1:
		return fmt.Sprintf("%.1f", value)
	}
	return fmt.Sprintf("%.2f", value)
}

// thousands groups the digits of a number.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
