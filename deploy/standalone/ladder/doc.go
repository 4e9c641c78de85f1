// Package ladder draws what happens in a room for a terminal: a lifeline a
// member, an arrow a signal. It takes the lines of the Server API's event stream
// and returns text.
//
// Start with Ladder. It is pure: it reads no clock, no terminal and no
// environment. It promises lines no wider than it was told, as long as a
// terminal draws runes as wide as Width says, and no control characters.
package ladder
