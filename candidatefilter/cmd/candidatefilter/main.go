// Command candidatefilter runs Parley's candidate filter as a process.
package main

import (
	"github.com/parley-rtc/parley/candidatefilter"
	"github.com/parley-rtc/parley/services/lifecycle"
)

func main() {
	lifecycle.Main("candidatefilter", candidatefilter.DefaultConfig(), candidatefilter.Run)
}
