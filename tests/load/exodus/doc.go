// Package exodus measures how long it takes until everybody is back whose edge was
// killed, or drained.
//
// Start with exodus.go. The clients are those of edge/client, all on one edge and in
// rooms of two, and talk the whole time. It promises that a run in which a session
// or a message was lost, or a message came twice or out of order, says so in its
// report.
package exodus
