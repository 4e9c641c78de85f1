//go:build linux

package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// suite is the Debian that stands in for other distributions, packages what of it
// is needed in any image.
const (
	suite    = "bookworm"
	packages = "ca-certificates,busybox-static,make,git,haproxy,coturn"
)

// base is the image that the stand-ins are made from.
const base = "parley-standin/debian:" + suite

// certificates are what this machine trusts, which may be more than Debian does.
const certificates = "/etc/ssl/certs/ca-certificates.crt"

// Standins says what to build images from that can't be pulled.
type Standins struct {
	Bin      string // folder with nats-server and, for a profile, otelcol, jaeger and prometheus, each of the right version
	GoRoot   string // of the compiler
	Progress func(format string, args ...any)
}

// ErrNoStandin is the error of Need for an image that neither can be pulled nor
// be built from what there is.
var ErrNoStandin = errors.New("it can't be pulled, and nobody knows how to build one")

// Need makes sure that images are there: those that aren't are pulled, and those
// that can't be are built under the names that users pull. It returns the latter.
func (s Standins) Need(ctx context.Context, images ...string) (built []string, err error) {
	for _, image := range images {
		if _, err := docker(ctx, "image", "inspect", image); err == nil {
			continue
		}
		if _, err := docker(ctx, "pull", "--quiet", image); err == nil {
			continue
		}
		s.Progress("%s can't be pulled: building a stand-in", image)
		if err := s.build(ctx, image); err != nil {
			return nil, fmt.Errorf("stand-in for %s: %w", image, err)
		}
		built = append(built, image)
	}
	return built, nil
}

func (s Standins) build(ctx context.Context, image string) error {
	if err := s.needBase(ctx); err != nil {
		return err
	}
	name, _, _ := strings.Cut(image, ":")
	switch name {
	case "golang":
		return s.golang(ctx, image)
	case "nats":
		return layered(ctx, image, "FROM "+base+"\nCOPY nats-server /usr/local/bin/\n", filepath.Join(s.Bin, "nats-server"))
	case "haproxy":
		return layered(ctx, image, "FROM "+base+"\nUSER haproxy\n")
	case "coturn/coturn":
		return layered(ctx, image, "FROM "+base+"\n")
	// The rest as their makers' Dockerfiles have it: paths, users, folders, what the shells in them can do.
	case "otel/opentelemetry-collector":
		return layered(ctx, image, "FROM scratch\nUSER 10001\nCOPY otelcol /otelcol\nENTRYPOINT [\"/otelcol\"]\n", filepath.Join(s.Bin, "otelcol"))
	case "jaegertracing/jaeger":
		return layered(ctx, image, "FROM "+base+"\nENV JAEGER_LISTEN_HOST=0.0.0.0\nCOPY jaeger /cmd/jaeger/jaeger-linux\nVOLUME [\"/tmp\"]\n"+
			"ENTRYPOINT [\"/cmd/jaeger/jaeger-linux\"]\nUSER 10001\n", filepath.Join(s.Bin, "jaeger"))
	case "prom/prometheus":
		return layered(ctx, image, "FROM "+base+"\nCOPY prometheus /bin/prometheus\nWORKDIR /prometheus\n"+
			"RUN chown 65534:65534 /prometheus && chmod g+w /prometheus\nUSER nobody\nVOLUME [\"/prometheus\"]\n"+
			"ENTRYPOINT [\"/bin/prometheus\"]\n", filepath.Join(s.Bin, "prometheus"))
	}
	return ErrNoStandin
}

// needBase makes a small Debian, and wget of busybox, which Alpine's images have.
func (s Standins) needBase(ctx context.Context) error {
	if _, err := docker(ctx, "image", "inspect", base); err == nil {
		return nil
	}
	root, err := os.MkdirTemp("", "parley-debian-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	if _, err := command(ctx, "", nil, "debootstrap", "--variant=minbase", "--include="+packages, suite, root); err != nil {
		return err
	}
	if err := os.Symlink("/bin/busybox", filepath.Join(root, "usr/local/bin/wget")); err != nil {
		return err
	}
	if trusted, err := os.ReadFile(certificates); err == nil {
		if err := os.WriteFile(filepath.Join(root, certificates), trusted, 0o644); err != nil {
			return err
		}
	}
	return imported(ctx, base, "-C", root, "--exclude=./var/cache/apt", "--exclude=./var/lib/apt/lists", ".")
}

// golang adds the compiler to the base.
func (s Standins) golang(ctx context.Context, image string) error {
	root, err := os.MkdirTemp("", "parley-golang-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	if err := os.WriteFile(filepath.Join(root, "Dockerfile"), []byte("FROM "+base+"\nADD go.tar /usr/local\n"+
		"ENV PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin GOTOOLCHAIN=local\n"), 0o600); err != nil {
		return err
	}
	if _, err := command(ctx, "", nil, "tar", "-c", "-f", filepath.Join(root, "go.tar"), "--transform=s,^[.],go,", "-C", s.GoRoot, "."); err != nil {
		return err
	}
	_, err = docker(ctx, "build", "--quiet", "--tag", image, root)
	return err
}

// layered builds an image from a Dockerfile and files.
func layered(ctx context.Context, image, dockerfile string, files ...string) error {
	dir, err := os.MkdirTemp("", "parley-image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile), 0o600); err != nil {
		return err
	}
	for _, file := range files {
		if _, err := command(ctx, "", nil, "cp", file, dir); err != nil {
			return err
		}
	}
	_, err = docker(ctx, "build", "--quiet", "--tag", image, dir)
	return err
}

// imported makes an image of what tar packs.
func imported(ctx context.Context, image string, pack ...string) error {
	tar := exec.CommandContext(ctx, "tar", append([]string{"-c"}, pack...)...)
	out, err := tar.StdoutPipe()
	if err != nil {
		return err
	}
	load := exec.CommandContext(ctx, "docker", "import", "-", image)
	load.Stdin = out
	var fault strings.Builder
	load.Stderr, tar.Stderr = &fault, io.Discard // files that change while they are packed: none of ours
	if err := errors.Join(tar.Start(), load.Run(), tar.Wait()); err != nil {
		return fmt.Errorf("import %s: %w: %s", image, err, lastLines(fault.String()))
	}
	return nil
}

// ImageBytes is how large an image is.
func ImageBytes(ctx context.Context, image string) (bytes int64, err error) {
	text, err := docker(ctx, "image", "inspect", "--format", "{{.Size}}", image)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(text, 10, 64)
}
