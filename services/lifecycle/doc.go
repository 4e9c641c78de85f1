// Package lifecycle is what every service's main does: read the configuration,
// set up telemetry, connect to NATS, serve the admin endpoints, run, and stop
// in the right order with the right exit code.
//
// Start reading at main.go. A program is a function Run(ctx, cfg, nc) error;
// it ends when ctx does, and everything it started has ended when it returns.
package lifecycle
