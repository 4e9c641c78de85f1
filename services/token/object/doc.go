// Package object reads one JSON object strictly.
//
// encoding/json takes the last of two equal names, matches names without
// regard to case and lets null stand for anything; where the text decides what
// somebody may do, two readers of it must not come to two results. Start with
// [Parse], then read the members by [Object.Read].
//
// It promises that no name appears twice at any depth, that the text is UTF-8
// and that its nesting is bounded. Its errors are safe to show: they never
// repeat the text. It never looks at a clock and does no I/O.
package object
