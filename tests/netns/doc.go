// Package netns starts programs of the tests in network namespaces of their own,
// where they may have any address, lose it, and be cut off.
//
// Start with Isolate, and in a test with Run. It promises that nothing it does is seen outside of those
// namespaces, and that the last process which ends takes its namespace along.
package netns
