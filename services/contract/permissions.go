package contract

import "slices"

// The NATS users of the services. The user of an edge that NATS is to tell from
// others is EdgeUser of its name.
const (
	UserEdge   = "edge"
	UserRooms  = "roomsvc"
	UserAuth   = "authsvc"
	UserFilter = "candidatefilter"
)

// Permission is a subject that a user may publish or subscribe.
type Permission struct {
	Subject string // with wildcards
	Queue   string // of a subscription: in this queue group only
	For     string // what isn't possible without it
}

// Permissions are all that a user may do.
type Permissions struct{ Publish, Subscribe []Permission }

// InboxPrefix is what the inboxes of a NATS user begin with. Of an edge's user
// it begins with that of UserEdge, so that whoever answers one edge may answer all.
func InboxPrefix(user string) string { return "_INBOX." + user }

// EdgeUser is the user of the edges of one name: they may give entries to the
// filter under this name alone.
func EdgeUser(name string) string { return UserEdge + "." + name }

// EdgePermissions are those of all edges with the configured name; "" is for a
// user that edges of any name share, so that each of them could pass for another.
func EdgePermissions(name string, shards int) Permissions {
	user := EdgeUser(name)
	if name == "" {
		user, name = UserEdge, "*"
	}
	p := permit(user,
		Permission{Subject: "filter." + name + ".*.*", For: "signals, through the filter"},
		Permission{Subject: SubjectRoomChange, For: "joins and leaves"},
		Permission{Subject: "room.settled.*", For: "messages of backends, in order after a move"},
		Permission{Subject: SubjectAuthICE, For: "TURN credentials"},
		Permission{Subject: "evt.*.*", For: "settling with other edges when a member moves"},
		Permission{Subject: InboxPrefix(UserEdge) + ".>", For: "answers to other edges"},
	)
	p.hear(Permission{Subject: "evt.*.*", For: "what other edges and roomsvc tell it"})
	p.write(BucketMembers, "*.*.*", "where its members are and what they show")
	p.write(BucketEdges, "*", "its lease")
	p.read(BucketRooms, "who is in a room")
	p.read(BucketMembers, "where members are")
	p.watch(BucketEdges, "*", "whether its clients have another edge to go to")
	p.watch(BucketKeys, "*", "the keys that tokens are signed with")
	for shard := range shards {
		bucket := SignalsBucket(shard)
		p.read(bucket, "the log's head, entries and verdicts")
		p.follow(bucket, "*.*", "the signals for its members")
	}
	return p
}

// FilterPermissions are those of candidatefilter: it alone, and roomsvc for its
// own events, may write the signal log.
func FilterPermissions(shards int) Permissions {
	p := permit(UserFilter, Permission{Subject: InboxPrefix(UserEdge) + ".>", For: "verdicts, to the edge that asked"})
	p.hear(Permission{Subject: SubjectFilterAll, Queue: QueueFilter, For: "entries to sanitise"})
	for shard := range shards {
		bucket := SignalsBucket(shard)
		p.open(bucket, "the number of shards")
		p.write(bucket, "*.*", "sanitised entries")
	}
	return p
}

// RoomsPermissions are those of roomsvc, which makes every stream.
func RoomsPermissions(shards int) Permissions {
	p := permit(UserRooms,
		Permission{Subject: "evt.*.*", For: "the revisions of rooms, to edges"},
		Permission{Subject: "room.settled.*", For: "messages of backends, in order"},
		Permission{Subject: SubjectStandstill, For: "how long leases stand still, to other roomsvcs"},
		Permission{Subject: InboxPrefix(UserEdge) + ".>", For: "answers to edges"},
		Permission{Subject: InboxPrefix(UserRooms) + ".>", For: "answers to another roomsvc"},
	)
	p.hear(
		Permission{Subject: SubjectRoomChange, Queue: QueueRooms, For: "joins and leaves"},
		Permission{Subject: "room.settled.*", Queue: QueueRooms, For: "messages of backends, in order"},
		Permission{Subject: SubjectStandstill, For: "how long other roomsvcs have seen leases stand still"},
	)
	for _, bucket := range []string{BucketRooms, BucketMembers, BucketEdges, BucketKeys, BucketApps} {
		p.create(bucket)
	}
	p.write(BucketRooms, "*.*", "who is in a room")
	p.write(BucketMembers, "*.*.*", "members that are gone")
	p.read(BucketRooms, "who is in a room")
	p.read(BucketMembers, "where members are")
	p.read(BucketEdges, "whether an edge's lease stands still")
	p.watch(BucketRooms, ">", "the rooms that there are")
	p.watch(BucketMembers, ">", "where members are")
	p.watch(BucketEdges, ">", "the leases of edges")
	p.watch(BucketApps, ">", "API keys and what an app's rooms allow")
	for shard := range shards {
		bucket := SignalsBucket(shard)
		p.create(bucket)
		p.write(bucket, "*.*", "the events of rooms")
		p.read(bucket, "what became of an entry")
		p.Publish = append(p.Publish, Permission{Subject: api("CONSUMER.CREATE", bucket, "*"), For: "event streams of backends"})
		p.pull(bucket, "event streams of backends")
	}
	return p
}

// AuthPermissions are those of authsvc.
func AuthPermissions() Permissions {
	p := permit(UserAuth, Permission{Subject: InboxPrefix(UserEdge) + ".>", For: "answers to edges"})
	p.hear(
		Permission{Subject: SubjectAuthICE, Queue: QueueAuth, For: "TURN credentials"},
		Permission{Subject: SubjectAuthToken, Queue: QueueAuth, For: "tokens over NATS"},
	)
	for _, bucket := range []string{BucketKeys, BucketApps} {
		p.write(bucket, "*", "public keys and apps")
		p.read(bucket, "public keys and apps")
		p.watch(bucket, "*", "public keys and apps that another authsvc wrote")
	}
	return p
}

func permit(user string, publish ...Permission) Permissions {
	p := Permissions{Publish: publish}
	p.hear(Permission{Subject: InboxPrefix(user) + ".>", For: "answers to what it asks"})
	return p
}

func (p *Permissions) hear(subjects ...Permission) { p.Subscribe = append(p.Subscribe, subjects...) }

// add permits requests to JetStream, each once.
func (p *Permissions) add(reason string, subjects ...string) {
	for _, subject := range subjects {
		if !slices.ContainsFunc(p.Publish, func(had Permission) bool { return had.Subject == subject }) {
			p.Publish = append(p.Publish, Permission{Subject: subject, For: reason})
		}
	}
}

func (p *Permissions) write(bucket, keys, reason string) { p.add(reason, "$KV."+bucket+"."+keys) }

func (p *Permissions) open(bucket, reason string) { p.add(reason, api("STREAM.INFO", bucket)) }

// read is by literal key or revision.
func (p *Permissions) read(bucket, reason string) {
	p.open(bucket, reason)
	p.add(reason, api("STREAM.MSG.GET", bucket))
}

func (p *Permissions) watch(bucket, keys, reason string) {
	p.open(bucket, reason)
	p.follow(bucket, keys, reason)
}

// follow is by a consumer on some keys.
func (p *Permissions) follow(bucket, keys, reason string) {
	p.add(reason, api("CONSUMER.CREATE", bucket, "*", "$KV", bucket, keys))
	p.pull(bucket, reason)
}

func (p *Permissions) pull(bucket, reason string) {
	p.add(reason, api("CONSUMER.MSG.NEXT", bucket, "*"))
	p.add("consumers that end with their reader", api("CONSUMER.DELETE", bucket, "*"))
}

func (p *Permissions) create(bucket string) {
	p.add("a stream that is as it must be", api("STREAM.CREATE", bucket), api("STREAM.UPDATE", bucket))
}

// api is the subject of a request to JetStream about a bucket's stream.
func api(verb, bucket string, rest ...string) string {
	subject := "$JS.API." + verb + "." + StreamOf(bucket)
	for _, token := range rest {
		subject += "." + token
	}
	return subject
}
