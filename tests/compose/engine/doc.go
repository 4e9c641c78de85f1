// Package engine drives a Docker engine as users do: by its command line. Start
// reading at [Start], then [Up].
package engine
