package sdp

import "strconv"

// Fault is why a description was refused: always contract.RuleBadDescription.
// Its text holds the number of a line and a fixed reason, never input, so it may
// be logged and shown to any client.
type Fault struct {
	Line   int // from 1; 0 if no single line is at fault
	Reason string
}

// Error returns the line and the reason.
func (f *Fault) Error() string {
	if f.Line == 0 {
		return "description: " + f.Reason
	}
	return "description: line " + strconv.Itoa(f.Line) + ": " + f.Reason
}
