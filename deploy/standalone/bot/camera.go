package bot

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
)

// camera plays the clip into a track that all connections of one bot share.
type camera struct {
	clip  clip
	track *webrtc.TrackLocalStaticSample
	lost  atomic.Bool // somebody can't decode any more, or not yet
}

func newCamera(c clip, id string) (*camera, error) {
	track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}, "camera", id)
	if err != nil {
		return nil, fmt.Errorf("camera: %w", err)
	}
	return &camera{clip: c, track: track}, nil
}

// play sends a frame after the other from the one at i on, until ctx ends. A
// viewer that asks for a key frame gets the next one there is, at once.
func (c *camera) play(ctx context.Context, i int) {
	ticker := time.NewTicker(c.clip.pace)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if c.lost.Swap(false) {
			i = c.clip.nextKey(i)
		}
		// A connection that ends fails its share of this alone.
		_ = c.track.WriteSample(media.Sample{Data: c.clip.frames[i%len(c.clip.frames)], Duration: c.clip.pace})
		i++
	}
}

// listen reads what a viewer reports until its connection or ctx ends: what it
// lost is sent again by pion, and here it asks for key frames.
func (c *camera) listen(ctx context.Context, sender *webrtc.RTPSender) {
	defer endReads(ctx, sender)()
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, packet := range packets {
			switch packet.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				c.lost.Store(true)
			}
		}
	}
}
