// Package trouble starts the programs of bin/ with what they can't work with, and
// asks whether they say what is wrong and what to do, try again where that helps,
// and never half-start: a configuration with faults, a NATS that isn't there, comes
// late, refuses the sign-in or has lost its data, a full log, a full disk, clocks that
// differ or jump.
//
// Start reading at config_test.go. There is nothing in the package but tests.
package trouble
