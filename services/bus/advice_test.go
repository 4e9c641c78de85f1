package bus

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func TestAdvised(t *testing.T) {
	for _, one := range []struct {
		err  error
		text string
	}{
		{nats.ErrAuthorization, "nats.password"},
		{fmt.Errorf("%w: Permissions Violation for Publish to \"x\"", nats.ErrPermissionViolation), "nats.user"},
		{nats.ErrNoServers, "nats.url"},
		{nats.ErrNoResponders, "JetStream"},
		{errors.New("something else"), ""},
	} {
		got := advised(one.err)
		if !errors.Is(got, one.err) || !strings.Contains(got.Error(), one.text) {
			t.Errorf("%v: got %v, want it with %q", one.err, got, one.text)
		}
		if one.text == "" && got.Error() != one.err.Error() {
			t.Errorf("got %v, want %v as it is", got, one.err)
		}
	}
}

func TestCheckClock(t *testing.T) {
	js, err := jetstream.New(startConnected(t, "clock"))
	if err != nil {
		t.Fatal(err)
	}
	makeBucket(t, js)
	stream, err := OpenStream(testContext(t), js, "KV_rooms")
	if err != nil {
		t.Fatal(err)
	}
	server := stream.CachedInfo().TimeStamp
	for _, one := range []struct {
		name string
		now  time.Time
		want string
	}{
		{"in step", time.Now(), ""},
		{"half a minute ahead", server.Add(clockTolerance), ""},
		{"5 minutes ahead", server.Add(5 * time.Minute), "ahead=5m0s"},
		{"5 minutes behind", server.Add(-5 * time.Minute), "ahead=-5m0s"},
	} {
		t.Run(one.name, func(t *testing.T) {
			log, limit := captureLog(t), throttle{interval: time.Hour}
			checkClock(t.Context(), server, one.now, &limit)
			checkClock(t.Context(), server, one.now, &limit)
			got := log.String()
			if one.want == "" && got != "" {
				t.Errorf("it says %q, want nothing", got)
			}
			if one.want != "" && (!strings.Contains(got, one.want) || strings.Count(got, "NTP") != 1) {
				t.Errorf("it says %q, want one line with %s", got, one.want)
			}
		})
	}
}
