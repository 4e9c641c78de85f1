// Package envelope turns the text of client frames into typed frames, and
// signals back into the text that a receiver gets.
//
// Start with Decode. AppendBody and AppendRelayed are the other direction,
// Split and Assembler carry frames that are too long for one message.
//
// It promises that nothing passes that isn't strict JSON (RFC 8259) without
// duplicate keys, that keys are matched exactly, that every refusal names the
// field and what it must be and never repeats what came in, and that the work
// is linear in the text. It never looks at a room, a token or a clock, and it
// doesn't judge SDP or candidates: that is the filter's.
package envelope
