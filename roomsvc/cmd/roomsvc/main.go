// Command roomsvc owns the rooms and makes the buckets: see package roomsvc.
package main

import (
	"github.com/parley-rtc/parley/roomsvc"
	"github.com/parley-rtc/parley/services/lifecycle"
)

func main() { lifecycle.Main("roomsvc", roomsvc.DefaultConfig(), roomsvc.Run) }
