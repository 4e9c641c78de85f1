package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

func TestDev_tellsClientsThatItStops(t *testing.T) {
	d := startDev(t, newPlace(t), anyPorts...)
	ctx, cancel := context.WithTimeout(t.Context(), joinTimeout)
	defer cancel()
	conn, _, _, err := ws.Dialer{Protocols: []string{"parley.v1"}}.Dial(ctx, d.greeting.WebSocket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	hello := `{"type":"hello","next":"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU","attempt":1}`
	if err := wsutil.WriteClientText(conn, []byte(hello)); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(joinTimeout)); err != nil {
		t.Fatal(err)
	}
	next := func() string { // the type of a frame, or the close code
		t.Helper()
		header, err := ws.ReadHeader(conn)
		if err != nil {
			t.Fatal(err)
		}
		payload := make([]byte, min(header.Length, 1<<16))
		if _, err := io.ReadFull(conn, payload); err != nil {
			t.Fatal(err)
		}
		if header.OpCode == ws.OpClose {
			code, _ := ws.ParseCloseFrameData(payload)
			return fmt.Sprint("close ", code)
		}
		kind, _, _ := strings.Cut(strings.TrimPrefix(string(payload), `{"type":"`), `"`)
		return kind
	}
	got := []string{next()}
	began := time.Now()
	d.stop(t, os.Interrupt)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v with a client that doesn't go, want at most 2 s", took)
	}
	got = append(got, next(), next())
	if want := []string{"welcome", "goaway", "close 1012"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDev_endsAtOnceWithASecondSignal(t *testing.T) {
	d := startDev(t, newPlace(t), anyPorts...)
	address := strings.TrimPrefix(d.greeting.URL, "http://")
	// A request that doesn't end holds up the end for a second.
	stalled, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer stalled.Close()
	if _, err := fmt.Fprintf(stalled, "POST /dev/token HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n", address); err != nil {
		t.Fatal(err)
	}
	if _, err := stalled.Read(make([]byte, 1)); err != nil { // 100 Continue: the body is waited for
		t.Fatal(err)
	}
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(stopTimeout); ; { // until the first one has come
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			break
		}
		_ = conn.Close() // it only looked
		if time.Now().After(deadline) {
			t.Fatal("the first signal does nothing")
		}
	}
	began := time.Now()
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	d.ended = true
	<-d.rest
	err = d.cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Errorf("it ended with %v, want exit code 130", err)
	}
	if took := time.Since(began); took > 500*time.Millisecond {
		t.Errorf("it took %v, want at once", took)
	}
}
