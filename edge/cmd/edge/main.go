// Command edge runs Parley's door as a process.
package main

import (
	"github.com/parley-rtc/parley/edge"
	"github.com/parley-rtc/parley/services/lifecycle"
)

func main() { lifecycle.Main("edge", edge.DefaultConfig(), edge.Run) }
