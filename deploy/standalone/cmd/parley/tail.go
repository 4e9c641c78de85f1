package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/parley-rtc/parley/deploy/standalone"
	"github.com/parley-rtc/parley/deploy/standalone/ladder"
	"github.com/parley-rtc/parley/services/contract"
)

const (
	// tailSilence is how long a stream may be silent, heartbeats included, before
	// it is given up.
	tailSilence = 45 * time.Second
	// The pauses between two attempts.
	tailShortest = 200 * time.Millisecond
	tailLongest  = 5 * time.Second
)

func newTail() *cobra.Command {
	var (
		api    apiFlags
		room   string
		asJSON bool
	)
	cmd := &cobra.Command{
		Use: "tail --room name", Short: "Show what is signaled in a room, without its contents, until Ctrl-C", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := contract.ParseID(room); err != nil {
				return usage(fmt.Errorf("--room: %w", err))
			}
			rooms, err := api.rooms()
			if err != nil {
				return err
			}
			t := &tailer{rooms: rooms, room: room, out: cmd.OutOrStdout(), notes: cmd.ErrOrStderr()}
			if !asJSON {
				t.ladder, t.terminal = newLadder(t.out)
			}
			return t.run(cmd.Context())
		},
	}
	api.add(cmd)
	cmd.Flags().StringVar(&room, "room", "", "the room; it may still be empty")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the lines of the Server API's event stream as they come")
	return cmd
}

// newLadder draws for the terminal that out is, or a plain list if it is none.
func newLadder(out io.Writer) (l *ladder.Ladder, terminal int) {
	file, is := out.(*os.File)
	if !is || !term.IsTerminal(int(file.Fd())) {
		return ladder.New(ladder.Options{Zone: time.Local}), -1
	}
	_, plain := os.LookupEnv("NO_COLOR") // no-color.org: set means none
	return ladder.New(ladder.Options{Colour: !plain && os.Getenv("TERM") != "dumb", Zone: time.Local}), int(file.Fd())
}

// tailer follows one room.
type tailer struct {
	rooms      standalone.Rooms
	room       string
	out, notes io.Writer
	ladder     *ladder.Ladder // nil: JSON
	terminal   int            // its file descriptor; -1: none
}

// run follows the room until ctx ends, again and again. Only a refusal of the
// first attempt, or one that a later attempt won't change, ends it before.
func (t *tailer) run(ctx context.Context) error {
	pause := tailShortest
	for first := true; ; first = false {
		lines, err := t.follow(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was asked to end
		}
		var refusal *contract.Error
		switch {
		case errors.As(err, &refusal) && !refusal.Code.Retryable(), first && lines == 0 && err != nil:
			return err
		case errors.Is(err, errPrint):
			return err
		case lines > 0:
			pause = tailShortest
		}
		_, _ = fmt.Fprintln(t.notes, "parley: the stream ended, what happens now isn't shown; trying again") // a note is all it is
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause/2 + rand.N(pause/2)):
		}
		pause = min(2*pause, tailLongest)
	}
}

// errPrint: nobody reads what is printed.
var errPrint = errors.New("print the stream")

// follow prints one stream and returns how many lines came.
func (t *tailer) follow(ctx context.Context) (lines int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	silence := time.AfterFunc(tailSilence, cancel)
	defer silence.Stop()
	for line, err := range t.rooms.Events(ctx, t.room) {
		if err != nil {
			return lines, err
		}
		silence.Reset(tailSilence)
		lines++
		if err := t.print(line); err != nil {
			return lines, fmt.Errorf("%w: %w", errPrint, err)
		}
	}
	return lines, nil
}

func (t *tailer) print(line []byte) error {
	if t.ladder == nil {
		_, err := fmt.Fprintf(t.out, "%s\n", line)
		return err
	}
	event, err := ladder.Parse(line)
	if err != nil {
		return fmt.Errorf("read a line of the stream: %w", err)
	}
	if t.terminal >= 0 {
		width, _, err := term.GetSize(t.terminal)
		if err != nil {
			width = 0
		}
		t.ladder.Resize(width)
	}
	for _, text := range t.ladder.Add(event) {
		if _, err := fmt.Fprintln(t.out, text); err != nil {
			return err
		}
	}
	return nil
}
