package permissions

import (
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/deploy/standalone/natsusers"
	"github.com/parley-rtc/parley/services/contract"
)

// everyone are the users with limits.
var everyone = []string{contract.UserEdge, contract.EdgeUser("edge-1"), contract.UserFilter, contract.UserRooms, contract.UserAuth}

// forbidden is what users must never be able to do, whatever their lists say.
var forbidden = []struct {
	subject string
	verb    string
	users   []string
}{
	{"$KV.signals-0.edge-1-aaaa.edge-2-bbbb", publish, []string{"edge", "edge.edge-1", "authsvc"}},
	{"$KV.signals-1.edge-1-aaaa.edge-2-bbbb", publish, everyone}, // a shard that there isn't
	{"$KV.rooms.app.room", publish, []string{"edge", "edge.edge-1", "candidatefilter", "authsvc"}},
	{"$KV.members.app.room.peer", publish, []string{"candidatefilter", "authsvc"}},
	{"$KV.edges.edge-1-aaaa", publish, []string{"candidatefilter", "roomsvc", "authsvc"}},
	{"$KV.keys.k1", publish, []string{"edge", "edge.edge-1", "candidatefilter", "roomsvc"}},
	{"$KV.apps.app", publish, []string{"edge", "edge.edge-1", "candidatefilter", "roomsvc"}},
	{"filter.edge-2.edge-2-bbbb.edge-1-aaaa", publish, []string{"edge.edge-1", "candidatefilter", "roomsvc", "authsvc"}},
	{"filter.edge-1.edge-1-aaaa.edge-2-bbbb", publish, []string{"candidatefilter", "roomsvc", "authsvc"}},
	{"room.change", publish, []string{"candidatefilter", "roomsvc", "authsvc"}},
	{"auth.token", publish, everyone},
	{"evt.edge-1-aaaa.edge-2-bbbb", publish, []string{"candidatefilter", "authsvc"}},
	{"_INBOX.roomsvc.abc.def", publish, []string{"edge", "edge.edge-1", "candidatefilter", "authsvc"}},
	{"_INBOX.authsvc.abc.def", publish, everyone},
	{"_INBOX.candidatefilter.abc.def", publish, everyone},
	{"$JS.API.STREAM.DELETE.KV_rooms", publish, everyone},
	{"$JS.API.STREAM.PURGE.KV_signals-0", publish, everyone},
	{"$JS.API.STREAM.MSG.DELETE.KV_signals-0", publish, everyone},
	{"$JS.API.STREAM.SNAPSHOT.KV_rooms", publish, everyone},
	{"$JS.API.STREAM.RESTORE.KV_rooms", publish, everyone},
	{"$JS.API.STREAM.CREATE.KV_rooms", publish, []string{"edge", "edge.edge-1", "candidatefilter", "authsvc"}},
	{"$JS.API.STREAM.CREATE.other", publish, everyone},
	{"$JS.API.STREAM.UPDATE.KV_signals-0", publish, []string{"edge", "edge.edge-1", "candidatefilter", "authsvc"}},
	{"$JS.API.STREAM.MSG.GET.KV_apps", publish, []string{"edge", "edge.edge-1", "candidatefilter", "roomsvc"}},
	{"$JS.API.CONSUMER.CREATE.KV_signals-0.c", publish, []string{"edge", "edge.edge-1", "candidatefilter", "authsvc"}},
	{"$JS.API.CONSUMER.CREATE.KV_signals-0", publish, everyone},
	{"$JS.API.CONSUMER.CREATE.KV_signals-0.c.$KV.signals-0.>", publish, everyone},
	{"$JS.API.CONSUMER.DURABLE.CREATE.KV_signals-0.c", publish, everyone},
	{"$JS.API.DIRECT.GET.KV_rooms", publish, everyone},
	{"$JS.API.ACCOUNT.PURGE.$G", publish, everyone},
	{"$SYS.REQ.SERVER.PING", publish, everyone},
	{">", subscribe, everyone},
	{"$KV.>", subscribe, everyone},
	{"$KV.signals-0.*.edge-1-aaaa", subscribe, everyone},
	{"filter.>", subscribe, everyone},
	{"filter.*.*.*", subscribe, everyone}, // outside of the queue group
	{"room.change", subscribe, everyone},
	{"auth.token", subscribe, everyone},
	{"evt.edge-1-aaaa.*", subscribe, []string{"candidatefilter", "roomsvc", "authsvc"}},
	{"_INBOX.>", subscribe, everyone},
	{"_INBOX.edge.>", subscribe, []string{"edge.edge-1", "candidatefilter", "roomsvc", "authsvc"}},
	{"_INBOX.edge.edge-2.>", subscribe, []string{"edge.edge-1", "candidatefilter", "roomsvc", "authsvc"}},
	{"_INBOX.roomsvc.>", subscribe, []string{"edge", "edge.edge-1", "candidatefilter", "authsvc"}},
	{"$SYS.>", subscribe, everyone},
	{"$JS.EVENT.ADVISORY.>", subscribe, everyone},
}

// TestForbidden has every user try what it must not, and looks whether anything
// of it was stored.
func TestForbidden(t *testing.T) {
	w := newWorld(t, shared, nil)
	js := streams(t, w)
	for _, user := range everyone {
		nc := w.login(t, user, service(user))
		for _, one := range forbidden {
			if slices.Contains(one.users, user) && !try(t, nc, one.verb, one.subject) {
				t.Errorf("%s may %s to %s", user, one.verb, one.subject)
			}
		}
	}
	for list := js.ListStreams(t.Context()); ; {
		info, more := <-list.Info()
		if !more {
			if err := list.Err(); err != nil {
				t.Fatal(err)
			}
			break
		}
		if info.State.Msgs > 0 {
			t.Errorf("%s holds %d messages", info.Config.Name, info.State.Msgs)
		}
	}
}

// TestPermissions_areAllThereIs has every user try what any other may do: what
// isn't in its own list is refused.
func TestPermissions_areAllThereIs(t *testing.T) {
	w := newWorld(t, shared, nil)
	lists := map[string]contract.Permissions{}
	for _, user := range everyone {
		list, _, err := natsusers.Permissions(user, shards)
		if err != nil {
			t.Fatal(err)
		}
		lists[user] = list
	}
	for _, user := range everyone {
		nc := w.login(t, user, service(user))
		for _, other := range everyone {
			for verb, list := range map[string][2][]contract.Permission{
				publish:   {lists[other].Publish, lists[user].Publish},
				subscribe: {lists[other].Subscribe, lists[user].Subscribe},
			} {
				for _, one := range list[0] {
					subject := strings.NewReplacer("*", "x", ">", "x.y").Replace(one.Subject)
					if verb == subscribe {
						subject = one.Subject
					}
					permitted := slices.ContainsFunc(list[1], func(p contract.Permission) bool {
						return covers(p.Subject, subject) && p.Queue == "" // in no queue group
					})
					if refused := try(t, nc, verb, subject); refused == permitted {
						t.Errorf("%s, %s to %s of %s: refused is %v", user, verb, subject, other, refused)
					}
				}
			}
		}
	}
}

// TestReplySubjects_areNotChecked shows what docs/security.md says that NATS
// doesn't keep out. If it fails NATS does, and the page can say so.
func TestReplySubjects_areNotChecked(t *testing.T) {
	w := newWorld(t, shared, nil)
	js := streams(t, w)
	nc := w.login(t, contract.UserEdge, contract.UserEdge)
	if err := nc.PublishRequest("$JS.API.STREAM.INFO.KV_keys", "$KV.rooms.app.room", nil); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	rooms, err := js.Stream(t.Context(), contract.StreamOf(contract.BucketRooms))
	if err != nil {
		t.Fatal(err)
	}
	for ctx := t.Context(); ; {
		msg, err := rooms.GetLastMsgForSubject(ctx, "$KV.rooms.app.room")
		if err == nil {
			if !strings.Contains(string(msg.Data), "io.nats.jetstream.api") {
				t.Errorf("the room is %q, want an answer of JetStream's", msg.Data)
			}
			return
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
}

// streams makes every bucket, empty.
func streams(t *testing.T, w *world) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(w.login(t, natsusers.Operator, natsusers.Operator))
	if err != nil {
		t.Fatal(err)
	}
	for _, bucket := range []string{
		contract.BucketRooms, contract.BucketMembers, contract.BucketEdges, contract.BucketKeys, contract.BucketApps, contract.SignalsBucket(0),
	} {
		_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: contract.StreamOf(bucket), Subjects: []string{"$KV." + bucket + ".>"}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return js
}

// try does one thing and reports whether it was refused.
func try(t *testing.T, nc *nats.Conn, verb, subject string) bool {
	t.Helper()
	var err error
	if verb == publish {
		err = nc.Publish(subject, []byte("{}"))
	} else {
		var sub *nats.Subscription
		if sub, err = nc.SubscribeSync(subject); err == nil {
			defer func() { _ = sub.Unsubscribe() }() // it is gone already if it was refused
		}
	}
	if err != nil {
		t.Fatalf("%s to %s: %v", verb, subject, err)
	}
	if err := nc.Flush(); err != nil { // the server answers in order
		t.Fatal(err)
	}
	last := nc.LastError()
	return last != nil && strings.Contains(last.Error(), `"`+subject+`"`) && strings.Contains(last.Error(), verb)
}
