// Package request judges what somebody asks a room token for.
//
// [Parse] reads a contract.TokenRequest strictly; [Rules.Claims] holds it
// against the limits and the app's policy and says what the token will claim.
// The errors are *contract.Error and safe to show. The package does no I/O and
// reads no clock: time is passed in.
package request
