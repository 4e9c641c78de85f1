package demo

import "fmt"

// Tile is an expression for the tile of somebody.
func Tile(name string) string {
	return fmt.Sprintf("[...document.querySelectorAll('.tile')].find((t) => t.querySelector('.tile-name')?.textContent === %q)", name)
}

// Sees waits until somebody's picture moves.
func (t *Tab) Sees(name string) error {
	tile := Tile(name)
	if err := t.Until(fmt.Sprintf("%s?.hasAttribute('data-picture') && %s.querySelector('video').videoWidth > 0", tile, tile)); err != nil {
		return err
	}
	return t.StillSees(name)
}

// pictures are enough to say that a video goes on: a quarter of a second of
// Chromium's fake camera.
const pictures = 5

// StillSees waits until more of somebody's pictures were shown. The video's own clock
// wouldn't tell: it goes on without any.
func (t *Tab) StillSees(name string) error {
	video := Tile(name) + ".querySelector('video').getVideoPlaybackQuality().totalVideoFrames"
	before, err := Evaluate[int](t, video)
	if err != nil {
		return err
	}
	return t.Until(fmt.Sprintf("%s >= %d", video, before+pictures))
}
