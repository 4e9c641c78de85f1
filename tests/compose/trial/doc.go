// Package trial runs the stack of deploy/compose as users do, calls through it,
// changes and breaks it under load, and says what became of every signal. Start
// reading at [Run].
package trial
