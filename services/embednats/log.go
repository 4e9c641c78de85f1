package embednats

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
)

// said is the message of every line that the server wrote.
const said = "embedded NATS"

// serverLog writes the server's log to slog: what it does at debug, what it
// warns of as a warning. What the server calls fatal is Start's error: the
// process is not the server's to end.
type serverLog struct {
	mu    sync.Mutex
	fault error
}

func (l *serverLog) debug() bool {
	return slog.Default().Enabled(context.Background(), slog.LevelDebug)
}

// fatal returns the first fault that made the server give up.
func (l *serverLog) fatal() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fault
}

// Fatalf implements the server's Logger.
func (l *serverLog) Fatalf(format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fault == nil {
		l.fault = fmt.Errorf(format, v...)
	}
}

// Errorf implements the server's Logger.
func (l *serverLog) Errorf(format string, v ...any) {
	slog.Error(said, "text", fmt.Sprintf(format, v...))
}

// Warnf implements the server's Logger.
func (l *serverLog) Warnf(format string, v ...any) {
	slog.Warn(said, "text", fmt.Sprintf(format, v...))
}

// Noticef implements the server's Logger.
func (l *serverLog) Noticef(format string, v ...any) {
	slog.Debug(said, "text", fmt.Sprintf(format, v...))
}

// Debugf implements the server's Logger.
func (l *serverLog) Debugf(format string, v ...any) {
	slog.Debug(said, "text", fmt.Sprintf(format, v...))
}

// Tracef implements the server's Logger.
func (l *serverLog) Tracef(format string, v ...any) {
	slog.Debug(said, "text", fmt.Sprintf(format, v...))
}
