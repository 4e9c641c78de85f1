package tail

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/parley-rtc/parley/services/contract"
)

// Told is a line with whom it is for.
type Told struct {
	// App and Room are tokens; empty if the entry doesn't say, as of a signal
	// that was refused whole: then it is for the room of the line's From.
	App, Room string
	// Key is the same for all lines that tell of the same thing: what goes to
	// several edges stands in the log several times.
	Key  string
	Line Line
}

// Read tells what stands in an entry of the link from -> to, which was committed
// at the given time, in Unix milliseconds.
func Read(entry []byte, from, to contract.Token, at int64) ([]Told, error) {
	items, err := contract.ReadEntry(entry)
	if err != nil {
		return nil, err
	}
	r := reader{at: at, edges: []string{from.String(), to.String()}}
	for {
		more, err := items.Next()
		if err != nil || !more {
			r.judge()
			return r.told, err
		}
		if items.IsSignal() {
			err = items.Signal(&r.signal)
			if err == nil {
				err = r.tell()
			}
		} else {
			var v contract.Verdict
			if err = items.Verdict(&v); err == nil {
				r.verdicts = append(r.verdicts, v)
			}
		}
		if err != nil {
			return r.told, err
		}
	}
}

// reader reads one entry.
type reader struct {
	at       int64
	edges    []string
	signal   contract.Signal
	told     []Told
	verdicts []contract.Verdict
}

// tell adds what the signal says.
func (r *reader) tell() error {
	s := &r.signal
	switch {
	case s.Kind == contract.KindEvent:
		return r.events()
	case s.Kind == contract.KindPresence:
		return r.presence()
	case s.Kind.Type() == "":
		return nil // of a newer edge
	}
	line := r.line(s.Kind.Type())
	line.From, line.To, line.Seq = string(s.From), string(s.To), s.Seq
	line.Bytes, line.Negotiation, line.Trace = len(s.Body), string(s.Negotiation), string(s.Trace)
	switch s.Kind {
	case contract.KindOffer, contract.KindAnswer:
		line.Description = countsOf(s.Body)
	case contract.KindCandidate:
		line.Candidates = candidatesOf(s.Body)
	default:
	}
	r.add(line.From+" "+strconv.FormatUint(s.Seq, 10)+" "+line.To, line)
	return nil
}

func (r *reader) line(kind string) Line { return Line{At: r.at, Kind: kind, Edges: r.edges} }

func (r *reader) add(key string, line Line) {
	r.told = append(r.told, Told{
		App: string(r.signal.App), Room: string(r.signal.Room), Key: line.Kind + " " + key, Line: line,
	})
}

func (r *reader) presence() error {
	var update contract.PeerUpdate
	if err := json.Unmarshal(r.signal.Body, &update); err != nil {
		return fmt.Errorf("read presence: %w", err)
	}
	line := r.line(KindPresence)
	line.From, line.Bytes, line.State = update.Peer.String(), len(update.Presence), string(update.State)
	line.Trace = string(r.signal.Trace)
	r.add(line.From+" "+strconv.FormatUint(update.Version, 10), line)
	return nil
}

func (r *reader) events() error {
	var events contract.RoomEvents
	if err := json.Unmarshal(r.signal.Body, &events); err != nil {
		return fmt.Errorf("read room events: %w", err)
	}
	for i := range events.Events {
		e := &events.Events[i]
		line := r.line(string(e.Kind))
		line.Revision, line.Trace, line.Reason = e.Revision, e.Trace, e.Reason
		switch e.Kind {
		case contract.EventJoined:
			if e.Member != nil {
				line.From, line.FromIdentity = e.Member.Peer.String(), e.Member.Identity
			}
		case contract.EventLeft:
			line.From = e.Peer.String()
		case contract.EventMessage:
			line.To, line.Seq, line.Bytes = e.To.String(), e.Revision, len(e.Data)
		case contract.EventLocked, contract.EventUnlocked:
		}
		r.add("event "+strconv.FormatUint(e.Revision, 10), line)
	}
	return nil
}

// judge brings the filter's verdicts to the signals that they are about; what
// was refused isn't in the entry, and gets a line of its own.
func (r *reader) judge() {
	for _, v := range r.verdicts {
		at := -1
		for i := range r.told {
			if l := &r.told[i].Line; l.From == v.From && l.Seq == v.Seq && l.Revision == 0 {
				at = i
			}
		}
		switch {
		case at >= 0 && !v.Refused:
			l := &r.told[at].Line
			l.Filtered = append(l.Filtered, Taken{v.Rule, v.Count})
		case at < 0:
			line := r.line(KindRefused)
			line.From, line.Seq = v.From, v.Seq
			if v.Refused {
				line.Refused = v.Rule
			} else {
				line.Filtered = []Taken{{v.Rule, v.Count}}
			}
			key := fmt.Sprintf("%s %s %d %s", line.Kind, v.From, v.Seq, v.Rule)
			r.told = append(r.told, Told{Key: key, Line: line})
		}
	}
}

// countsOf counts in a description; nil if there is none.
func countsOf(body []byte) *Counts {
	var b struct {
		Description contract.SessionDescription `json:"description"`
	}
	if json.Unmarshal(body, &b) != nil {
		return nil
	}
	var c Counts
	for line := range strings.Lines(b.Description.SDP) {
		switch {
		case strings.HasPrefix(line, "m="):
			c.Media++
		case strings.HasPrefix(line, "a=candidate:"):
			c.Candidates++
		}
	}
	return &c
}

// The places of a candidate's fields (RFC 8839 section 5.1).
const (
	protocolField = 2
	typeName      = 6
	typeField     = 7
)

func candidatesOf(body []byte) []Candidate {
	var b struct {
		Candidate  *contract.ICECandidate  `json:"candidate"`
		Candidates []contract.ICECandidate `json:"candidates"`
	}
	if json.Unmarshal(body, &b) != nil {
		return nil
	}
	if b.Candidate != nil {
		b.Candidates = append([]contract.ICECandidate{*b.Candidate}, b.Candidates...)
	}
	all := make([]Candidate, 0, len(b.Candidates))
	for _, c := range b.Candidates {
		fields := strings.Fields(c.Candidate)
		switch {
		case len(fields) == 0:
			all = append(all, Candidate{End: true})
		case len(fields) > typeField && fields[typeName] == "typ":
			all = append(all, Candidate{
				Type:     known(fields[typeField], "host", "srflx", "prflx", "relay"),
				Protocol: known(fields[protocolField], "udp", "tcp"),
			})
		default:
			all = append(all, Candidate{})
		}
	}
	return all
}

// known is one of the names as the text means it, or "other": the text itself is
// a client's.
func known(text string, names ...string) string {
	for _, name := range names {
		if strings.EqualFold(text, name) {
			return name
		}
	}
	return "other"
}
