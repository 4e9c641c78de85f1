package room_test

import (
	"fmt"
	"testing"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/contract"
)

// BenchmarkRoom measures the three steps of a commit on a room of 1,000.
func BenchmarkRoom(b *testing.B) {
	h := newHouse(b)
	h.rules.Capacity = 2000
	for i := range 1000 {
		h.apply(h.request("edge-1", h.join(fmt.Sprintf("p%019d", i), fmt.Sprintf("user-%d", i))))
	}
	value, err := h.state.Encode()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("Decode", func(b *testing.B) {
		b.SetBytes(int64(len(value)))
		for b.Loop() {
			if _, err := room.Decode(token(b, "app"), token(b, "hall"), value); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Apply", func(b *testing.B) {
		request := h.request("edge-2", h.join("p-new", "new"))
		for b.Loop() {
			if _, out := h.state.Apply([]contract.RoomChange{request}, h.rules); len(out.Events) != 1 {
				b.Fatal(out.Answers)
			}
		}
	})
	b.Run("Encode", func(b *testing.B) {
		b.SetBytes(int64(len(value)))
		for b.Loop() {
			if _, err := h.state.Encode(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
