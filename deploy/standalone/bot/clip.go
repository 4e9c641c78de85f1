package bot

import (
	"bytes"
	_ "embed" // clip.ivf
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pion/webrtc/v4/pkg/media/ivfreader"
)

// clipFile is what every bot's camera shows: four seconds of VP8, which every
// browser decodes, made to be played in a loop. The README says how it is made.
//
//go:embed clip.ivf
var clipFile []byte

// clip is a decoded file: frames to be sent at a steady pace.
type clip struct {
	frames [][]byte
	pace   time.Duration // of one frame
}

// readClip takes an IVF file apart.
func readClip(file []byte) (clip, error) {
	reader, header, err := ivfreader.NewWith(bytes.NewReader(file))
	if err != nil {
		return clip{}, fmt.Errorf("clip: %w", err)
	}
	if header.FourCC != "VP80" {
		return clip{}, fmt.Errorf("clip: %q isn't VP8", header.FourCC)
	}
	// The time base is a part of a second, and each frame lasts one of it.
	c := clip{pace: time.Second * time.Duration(header.TimebaseNumerator) / time.Duration(header.TimebaseDenominator)}
	for {
		frame, _, err := reader.ParseNextFrame()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return clip{}, fmt.Errorf("clip: frame %d: %w", len(c.frames), err)
		}
		c.frames = append(c.frames, frame)
	}
	if len(c.frames) == 0 || !isKey(c.frames[0]) || c.pace <= 0 {
		return clip{}, errors.New("clip: it doesn't begin with a key frame")
	}
	return c, nil
}

// isKey reports whether a VP8 frame can be decoded without the one before (RFC
// 6386 section 9.1).
func isKey(frame []byte) bool { return len(frame) > 0 && frame[0]&1 == 0 }

// nextKey is the first key frame from i on, around the end.
func (c clip) nextKey(i int) int {
	for n := range c.frames {
		if at := (i + n) % len(c.frames); isKey(c.frames[at]) {
			return at
		}
	}
	return 0
}
