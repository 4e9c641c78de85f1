// Package limit owns the rate limit of one thing that one client does: its
// frames, its bytes, its presence changes.
//
// Start with Bucket.Take. It promises exact integer arithmetic (nothing leaks
// or accumulates by rounding), 16 bytes a bucket, and a zero value that is a
// full bucket. It never reads a clock and never locks: the caller passes the
// time and owns the bucket.
package limit
