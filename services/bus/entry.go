package bus

import (
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// How a bucket lies in its stream (ADR-8 of NATS).
const (
	streamPrefix    = "KV_"
	subjectPrefix   = "$KV."
	operationHeader = "KV-Operation"
	operationDelete = "DEL"
	operationPurge  = "PURGE"
)

// entry is one revision of a key as a watch saw it.
type entry struct {
	bucket, key string
	value       []byte
	operation   jetstream.KeyValueOp
	revision    uint64
	delta       uint64
	created     time.Time
}

func newEntry(bucket string, m jetstream.Msg, meta *jetstream.MsgMetadata) *entry {
	e := &entry{
		bucket: bucket, key: strings.TrimPrefix(m.Subject(), subjectPrefix+bucket+"."), value: m.Data(),
		revision: meta.Sequence.Stream, delta: meta.NumPending, created: meta.Timestamp,
	}
	switch m.Headers().Get(operationHeader) {
	case operationDelete:
		e.operation = jetstream.KeyValueDelete
	case operationPurge:
		e.operation = jetstream.KeyValuePurge
	default:
		// The server's own marker stands for a key that has expired.
		if m.Headers().Get(jetstream.MarkerReasonHeader) != "" {
			e.operation = jetstream.KeyValuePurge
		}
	}
	return e
}

func (e *entry) Bucket() string                  { return e.bucket }
func (e *entry) Key() string                     { return e.key }
func (e *entry) Value() []byte                   { return e.value }
func (e *entry) Revision() uint64                { return e.revision }
func (e *entry) Created() time.Time              { return e.created }
func (e *entry) Delta() uint64                   { return e.delta }
func (e *entry) Operation() jetstream.KeyValueOp { return e.operation }
