// Package permissions asks whether the NATS users that deploy/standalone/natsusers
// writes can do what they must and nothing else: the stack works under them, each
// permission is missed when it is taken away, and what isn't permitted is refused.
//
// Start reading at permissions_test.go. There is nothing in the package but tests.
package permissions
