// Package keywatch keeps a token.Verifier in step with the bucket "keys".
//
// [Run] is all of it. It promises that a key which was retired stops to verify
// as soon as the bucket says so, and that a record which can't be read takes
// its key away rather than leave an old one standing. It never writes.
package keywatch
