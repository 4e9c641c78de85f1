//go:build linux

package trial

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/parley-rtc/parley/tests/compose/engine"
)

// compiler is the image in which the programs are compiled.
const compiler = "golang:1.26"

// images builds Parley's images, and finds or builds the others.
func (t *trial) images(ctx context.Context) error {
	needed, err := t.stack.Images(ctx)
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(needed, func(image string) bool { return strings.HasPrefix(image, registry) })
	standins := engine.Standins{Bin: filepath.Join(t.o.Repository, "bin"), GoRoot: t.o.GoRoot, Progress: t.progress}
	if t.report.Standins, err = standins.Need(ctx, append([]string{compiler}, others...)...); err != nil {
		return err
	}
	begin := t.now()
	// The host's network, since the engine of a test machine may have no other way out.
	build := exec.CommandContext(ctx, "make", "-C", t.o.Repository, "images", "DOCKER_BUILD=docker build --network=host")
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("make images: %w: %s", err, text)
	}
	t.report.Build = tenths(t.now() - begin)
	t.progress("the images are built")
	for _, name := range []string{"edge", "roomsvc", "authsvc", "candidatefilter", "parley"} {
		bytes, err := engine.ImageBytes(ctx, registry+name)
		if err != nil {
			return err
		}
		t.report.ImageBytes[name] = bytes
	}
	return nil
}
