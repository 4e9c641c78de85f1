package monitor

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// Parent is a span of a client's own, as a traceparent names it (W3C Trace
// Context, section 3.2).
type Parent struct{ Trace, ID, Flags string }

// NewParent is the begin of a trace; unsampled ones aren't to be recorded.
func NewParent(sampled bool) Parent {
	var trace [16]byte
	var id [8]byte
	rand.Read(trace[:])
	rand.Read(id[:])
	p := Parent{hex.EncodeToString(trace[:]), hex.EncodeToString(id[:]), "00"}
	if sampled {
		p.Flags = "01"
	}
	return p
}

// ParentOf reads a traceparent; the zero Parent is none.
func ParentOf(text string) Parent {
	parts := strings.Split(text, "-")
	if len(parts) != 4 {
		return Parent{}
	}
	return Parent{parts[1], parts[2], parts[3]}
}

// String is the traceparent, and empty for the zero Parent.
func (p Parent) String() string {
	if p.Trace == "" {
		return ""
	}
	return "00-" + p.Trace + "-" + p.ID + "-" + p.Flags
}
