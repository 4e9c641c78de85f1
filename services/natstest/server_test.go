package natstest

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRestart_ConnectionsComeBack(t *testing.T) {
	s := Start(t)
	nc := Connect(t, s)
	messages, err := nc.SubscribeSync("x")
	if err != nil {
		t.Fatal(err)
	}
	back := nc.StatusChanged(nats.CONNECTED)
	defer nc.RemoveStatusListener(back)
	s = Restart(t, s)
	<-back
	other := Connect(t, s)
	if err := nc.Flush(); err != nil { // the server knows the subscription again
		t.Fatal(err)
	}
	if err := other.Publish("x", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := messages.NextMsg(30 * time.Second); err != nil {
		t.Errorf("after the restart: %v", err)
	}
}
