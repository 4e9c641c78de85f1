package edge

import (
	"encoding/json"
	"testing"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
)

// TestRecorder_create_isTheFirst has ada lose her socket while she joins: that she
// is away is written over her first record, not before it.
func TestRecorder_create_isTheFirst(t *testing.T) {
	y, m := newJoiningYard(t)
	away := make(chan error, 1)
	m.recorder.want(func(w *wanted) {
		w.state = contract.StateAway
		w.written = append(w.written, func(err error) { away <- err })
	})
	if err := m.recorder.create(t.Context(), secretHash{7}, 1); err != nil {
		t.Fatal(err)
	}
	if err := <-away; err != nil {
		t.Fatal(err)
	}
	value, _, err := bus.Get(t.Context(), y.r.e.members, m.recorder.key)
	if err != nil {
		t.Fatal(err)
	}
	var record contract.MemberRecord
	if err := json.Unmarshal(value, &record); err != nil {
		t.Fatal(err)
	}
	if record.State != contract.StateAway || record.Version != 2 || len(record.Secret) == 0 || record.Secret[0] != 7 {
		t.Errorf("the record says %+v", record)
	}
}
