// Package authsvc makes room tokens for the backends of apps.
//
// Start with [Run] in service.go, then issuer.go: who may have which token. It
// owns the signing keys and the buckets "keys" and "apps", in which it publishes
// what edges need to check a token by themselves; README.md has the rest.
//
// It promises that several of it, with the same configuration, are one service:
// what is accepted stands in the buckets and not in one process. It never logs,
// returns or stores a private key or an API key, and no call goes through it for
// a connection of a client.
package authsvc
