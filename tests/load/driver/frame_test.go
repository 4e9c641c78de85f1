package driver

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// readOnly has nothing to answer.
type readOnly struct{ io.Reader }

func (readOnly) Write([]byte) (int, error) { return 0, errors.New("nobody asked for an answer") }

// TestAppendFrame reads what it wrote with the library of the edge.
func TestAppendFrame(t *testing.T) {
	for _, size := range []int{0, 1, 125, 126, 300, 65_535} {
		want := bytes.Repeat([]byte("x"), size)
		written := appendFrame([]byte("before"), ws.OpText, [4]byte{1, 2, 3, 4}, func(dst []byte) []byte { return append(dst, want...) })
		got, op, err := wsutil.ReadClientData(readOnly{bytes.NewReader(bytes.TrimPrefix(written, []byte("before")))})
		if err != nil || op != ws.OpText || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: got %d, opcode %d, %v", size, len(got), op, err)
		}
	}
}

func TestCutFrame(t *testing.T) {
	for _, size := range []int{0, 125, 126, 65_535, 65_536} {
		whole := ws.MustCompileFrame(ws.NewTextFrame(bytes.Repeat([]byte("y"), size)))
		op, payload, used, err := cutFrame(append(whole, "next"...))
		if err != nil || op != ws.OpText || len(payload) != size || used != len(whole) {
			t.Errorf("%d bytes: got %v, %d bytes, %d used, %v", size, op, len(payload), used, err)
		}
		if _, _, used, err := cutFrame(whole[:len(whole)-1]); used != 0 || err != nil {
			t.Errorf("%d bytes without the last one: got %d used, %v, want neither", size, used, err)
		}
	}
	if _, _, _, err := cutFrame([]byte{0x01, 0x00}); err == nil {
		t.Error("a fragment was taken for a whole message")
	}
}
