//go:build linux

package trial

import (
	"context"
	"errors"
	"fmt"
	"maps"
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
	if t.watched != nil {
		if err := t.profileImages(ctx, standins); err != nil {
			return err
		}
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

// profileImages finds or builds the images of the profile, and leaves the services
// out of which there is none.
func (t *trial) profileImages(ctx context.Context, standins engine.Standins) error {
	images, err := t.stack.ProfileImages(ctx, t.o.Profile)
	if err != nil {
		return err
	}
	for _, service := range slices.Sorted(maps.Keys(images)) {
		built, err := standins.Need(ctx, images[service])
		switch {
		case errors.Is(err, engine.ErrNoStandin):
			t.progress("%s is left out: %v", service, err)
			t.watched.LeftOut = append(t.watched.LeftOut, service)
			continue
		case err != nil:
			return err
		}
		t.report.Standins = append(t.report.Standins, built...)
		t.watched.Services = append(t.watched.Services, service)
	}
	if len(t.watched.Services) == 0 {
		return fmt.Errorf("no service of the profile %s can be run", t.o.Profile)
	}
	return nil
}
