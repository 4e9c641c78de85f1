// Package monitor asks Prometheus and Jaeger what they know of a running Parley,
// by the interfaces that their own pages use, and begins traces that are found
// there again.
package monitor
