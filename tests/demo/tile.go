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

// StillSees waits until somebody's picture has gone on for half a second from now.
func (t *Tab) StillSees(name string) error {
	video := Tile(name) + ".querySelector('video').currentTime"
	before, err := Evaluate[float64](t, video)
	if err != nil {
		return err
	}
	return t.Until(fmt.Sprintf("%s > %f", video, before+0.5))
}
