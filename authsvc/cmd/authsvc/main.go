// Command authsvc makes room tokens for the backends of apps.
package main

import (
	"github.com/parley-rtc/parley/authsvc"
	"github.com/parley-rtc/parley/services/lifecycle"
)

func main() { lifecycle.Main("authsvc", authsvc.DefaultConfig(), authsvc.Run) }
