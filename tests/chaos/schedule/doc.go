// Package schedule decides which faults a run meets, in which order and for how
// long, from a seed alone: the same seed and kinds give the same faults.
//
// Start with New. What a fault meets (which node leads a stream, which client sits
// on which edge) is found when its time has come; the schedule only says which of
// the candidates it takes.
package schedule
