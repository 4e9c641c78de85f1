//go:build linux

package trial

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/parley-rtc/parley/tests/chaos/cluster"
	"github.com/parley-rtc/parley/tests/chaos/crowd"
	"github.com/parley-rtc/parley/tests/chaos/schedule"
)

// shadow is how long after its end a fault is still taken for the cause of a wait.
const shadow = 3 * time.Second

// event is a fault that happened.
type event struct {
	fault  schedule.Fault
	target string // what it met
	loaded bool   // what it met carried load in the second before
	begin  time.Duration
	end    time.Duration // 0: it is under way
}

// diary remembers the faults of a run, and how long people waited in each.
type diary struct {
	mu     sync.Mutex
	events []event
	waits  map[schedule.Kind]map[string][]float64 // ms, by kind and by what was waited for
	calm   map[string][]float64                   // without a fault
}

func newDiary() *diary {
	return &diary{waits: map[schedule.Kind]map[string][]float64{}, calm: map[string][]float64{}}
}

func (d *diary) begin(f schedule.Fault, target string, loaded bool, at time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, event{fault: f, target: target, loaded: loaded, begin: at})
}

func (d *diary) end(at time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if last := len(d.events) - 1; last >= 0 && d.events[last].end == 0 {
		d.events[last].end = at
	}
}

// recovered notes a wait, under the fault that it met longest.
func (d *diary) recovered(r crowd.Recovery) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ms := float64(r.Took) / float64(time.Millisecond)
	e := d.blamed(r.Begin, r.Begin+r.Took)
	if e == nil {
		d.calm[r.What] = append(d.calm[r.What], ms)
		return
	}
	of := d.waits[e.fault.Kind]
	if of == nil {
		of = map[string][]float64{}
		d.waits[e.fault.Kind] = of
	}
	of[r.What] = append(of[r.What], ms)
}

// met is the last fault that was under way between two moments; d.mu is held.
func (d *diary) met(begin, end time.Duration) *event {
	for i := len(d.events) - 1; i >= 0; i-- {
		e := &d.events[i]
		if e.begin <= end && (e.end == 0 || begin <= e.end+shadow) {
			return e
		}
		if e.end != 0 && e.end+shadow < begin {
			return nil
		}
	}
	return nil
}

// blamed is the fault that was under way, or only just over, for the longest part of
// the time between two moments: a wait that an earlier fault began and that ends in
// the next one isn't the next one's. d.mu is held.
func (d *diary) blamed(begin, end time.Duration) *event {
	var longest *event
	var most time.Duration
	next := end // the begin of the fault after e
	for i := len(d.events) - 1; i >= 0; i-- {
		e := &d.events[i]
		over := next
		if e.end != 0 {
			over = min(e.end+shadow, next)
		}
		if part := min(end, over) - max(begin, e.begin); part >= 0 && (longest == nil || part > most) {
			longest, most = e, part
		}
		if e.end != 0 && e.end+shadow < begin {
			break
		}
		next = min(next, e.begin)
	}
	return longest
}

// during names what was broken between two moments.
func (d *diary) during(begin, end time.Duration) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.met(begin, end); e != nil {
		return e.fault.String() + " of " + e.target
	}
	return "no fault"
}

// natsAway reports whether a NATS node was cut off or stood still between two
// moments. It may then take itself for a leader that it no longer is, and answer
// reads; it can't write.
func (d *diary) natsAway(begin, end time.Duration) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.met(begin, end)
	return e != nil && (e.fault.Kind == schedule.PartNATS || e.fault.Kind == schedule.PauseNATS)
}

// heldUp is how long a member that ended may have stayed for reasons that count for
// nobody: if an edge was killed within the window, until then, and while a NATS node
// was broken, since an edge is only taken for dead while NATS answers.
func (d *diary) heldUp(ended, seen, window time.Duration) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	from := ended
	for _, e := range d.events {
		if e.fault.Kind == schedule.KillEdge && e.begin > ended && e.begin < ended+window {
			from = e.begin
		}
	}
	held := from - ended
	for _, e := range d.events {
		if kinds[e.fault.Kind] != cluster.NATS {
			continue
		}
		end := e.end
		if end == 0 {
			end = seen
		}
		held += max(0, min(end, seen)-max(e.begin, from))
	}
	return held
}

// wait are the figures of some waits, in ms.
type wait struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

func summarise(ms []float64) wait {
	slices.Sort(ms)
	at := func(share float64) float64 {
		return float64(int(ms[min(len(ms)-1, int(share*float64(len(ms))))]*10)) / 10
	}
	return wait{Count: len(ms), P50: at(0.5), P99: at(0.99), Max: at(1)}
}

// recovery are the figures of all waits by kind of fault; calm ones are under "none".
func (d *diary) recovery() map[string]map[string]wait {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := map[string]map[string]wait{}
	add := func(kind string, of map[string][]float64) {
		all[kind] = map[string]wait{}
		for what, ms := range of {
			all[kind][what] = summarise(ms)
		}
	}
	add("none", d.calm)
	for kind, of := range d.waits {
		add(string(kind), of)
	}
	return all
}

// happened counts the faults by kind; kills of what carried no load don't count.
func (d *diary) happened() (counted map[schedule.Kind]int, idle int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	counted = map[schedule.Kind]int{}
	for _, e := range d.events {
		if e.loaded {
			counted[e.fault.Kind]++
		} else {
			idle++
		}
	}
	return counted, idle
}

// list is the whole diary, in order.
func (d *diary) list() []event {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.SortedFunc(slices.Values(d.events), func(a, b event) int { return cmp.Compare(a.begin, b.begin) })
}
