package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/parley-rtc/parley/deploy/standalone/ladder"
	"github.com/parley-rtc/parley/roomsvc"
)

// widestCell is the most columns that one cell of a table takes.
const widestCell = 48

// printTable aligns rows by what a terminal draws, for which a rune is no
// measure. The last column isn't padded.
func printTable(w io.Writer, rows [][]string) error {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			row[i] = ladder.Fit(ladder.Clean(cell), widestCell)
			widths[i] = max(widths[i], ladder.Width(row[i]))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			if i+1 < len(row) {
				line.WriteString(strings.Repeat(" ", widths[i]-ladder.Width(cell)+2))
			}
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}

func printRooms(w io.Writer, rooms []roomsvc.RoomSummary) error {
	if len(rooms) == 0 {
		_, err := fmt.Fprintln(w, "no room has members")
		return err
	}
	rows := [][]string{{"ROOM", "MEMBERS", "REVISION", "LOCKED"}}
	for _, r := range rooms {
		rows = append(rows, []string{r.Room, strconv.Itoa(r.Members), revision(r.Revision), yes(r.Locked)})
	}
	return printTable(w, rows)
}

func printRoom(w io.Writer, view roomsvc.RoomView) error {
	head := [][]string{
		{"room", view.Room},
		{"revision", revision(view.Revision)},
		{"locked", yes(view.Locked)},
		{"members", strconv.Itoa(len(view.Members))},
	}
	if err := printTable(w, head); err != nil || len(view.Members) == 0 {
		return err
	}
	rows := [][]string{{"IDENTITY", "PEER", "EPOCH", "STATE", "EDGE", "PRESENCE"}}
	for _, m := range view.Members {
		rows = append(rows, []string{
			m.Identity, m.Peer.String(), revision(m.Epoch), string(m.State), m.Edge.String(), string(m.Presence),
		})
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return printTable(w, rows)
}

func printChange(w io.Writer, verb string, change roomsvc.RoomChange) error {
	done := map[string]string{"lock": "locked", "unlock": "unlocked", "close": "closed", "message": "sent", "kick": "done"}[verb]
	text := done + ", the room is at revision " + revision(change.Revision)
	if change.Kicked != nil {
		text = fmt.Sprintf("%s, %d had to leave, the room is at revision %d", done, *change.Kicked, change.Revision)
	}
	_, err := fmt.Fprintln(w, text)
	return err
}

func revision(n uint64) string { return strconv.FormatUint(n, 10) }

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}
