package candidatefilter

import (
	"unsafe"

	"github.com/parley-rtc/parley/candidatefilter/internal/abnf"
	"github.com/parley-rtc/parley/candidatefilter/internal/candidate"
	"github.com/parley-rtc/parley/candidatefilter/internal/canonical"
	"github.com/parley-rtc/parley/candidatefilter/internal/policy"
	"github.com/parley-rtc/parley/services/contract"
)

// trickle is judgeTrickle for a body in canonical form.
func (w *workspace) trickle(p contract.Policy) (o outcome, ok bool) {
	body := w.signal.Body
	r := canonical.Read(body)
	if !r.Is(`{"negotiation":`) {
		return o, false
	}
	if _, ok := r.Plain(); !ok {
		return o, false
	}
	list := r.Is(`,"candidates":[`)
	if !list && !r.Is(`,"candidate":`) {
		return o, false
	}
	c := cut{came: body, end: r.At()}
	for {
		start := r.At()
		text, passes, ok := w.candidate(&o, &r, p)
		if !ok {
			return o, false
		}
		c.add(w, start, r.At(), text, passes)
		if !list || !r.Is(",") {
			break
		}
	}
	closing := "}"
	if list {
		closing = "]}"
	}
	if !r.Is(closing) || !r.Ended() {
		return o, false
	}
	switch {
	case c.left == 0:
	case c.anew:
		w.body = append(w.body, closing...)
		o.body = w.body
	default:
		o.body, o.kept = body, true
	}
	return o, true
}

// member is where in a body the text of a candidate stands, with its quotes, and
// what goes on in its place; nil if it goes on itself.
type member struct {
	start, end int
	anew       []byte
}

// cut makes of the candidates of a body those that go on. As long as they are all
// that came, nothing is written.
type cut struct {
	came []byte
	end  int  // of what of the body was looked at
	left int  // candidates
	anew bool // what goes on is in the workspace
}

// add adds the candidate that stands from start to end, unless it doesn't pass.
func (c *cut) add(w *workspace, start, end int, text member, passes bool) {
	if !c.anew && (!passes || text.anew != nil) {
		w.body = append(w.body[:0], c.came[:c.end]...)
		c.anew = true
	}
	c.end = end
	if !passes {
		return
	}
	c.left++
	if !c.anew {
		return
	}
	if c.left > 1 {
		w.body = append(w.body, ',')
	}
	if text.anew == nil {
		w.body = append(w.body, c.came[start:end]...)
		return
	}
	w.body = append(append(w.body, c.came[start:text.start]...), '"')
	w.body = append(append(w.body, text.anew...), '"')
	w.body = append(w.body, c.came[text.end:end]...)
}

// candidate is outcome.candidate for one in canonical form. ok is false if it
// isn't, or if it must be refused.
func (w *workspace) candidate(o *outcome, r *canonical.Reader, p contract.Policy) (text member, passes, ok bool) {
	if !r.Is(`{"candidate":`) {
		return text, false, false
	}
	text.start = r.At()
	inside, ok := r.Quoted()
	text.end = r.At()
	if !ok {
		return text, false, false
	}
	fragment, ok := readTags(r)
	if !ok {
		return text, false, false
	}
	if len(inside) == 0 {
		return text, true, true
	}
	parsed, verdict, err := policy.Read(borrow(inside), p)
	switch {
	case err != nil:
		return text, false, false
	case len(fragment) > 0 && parsed.Has(candidate.ExtUfrag) && parsed.Ufrag != string(fragment):
		return text, false, false
	case verdict.Drop != "":
		o.count(verdict.Drop)
		return text, false, true
	case verdict.Blanked:
		o.count(contract.RuleRelatedAddress)
	}
	w.text = parsed.Append(w.text[:0])
	if string(w.text) != string(inside) {
		text.anew = w.text
	}
	return text, true, true
}

// readTags reads the members behind a candidate's text, and its end.
func readTags(r *canonical.Reader) (fragment []byte, ok bool) {
	if r.Is(`,"sdpMid":`) {
		mid, ok := r.Quoted()
		if !ok || len(mid) > 0 && (len(mid) > maxFragment || !abnf.IsToken(borrow(mid))) {
			return nil, false
		}
	}
	if r.Is(`,"sdpMLineIndex":`) && !r.Number(1<<16-1) {
		return nil, false
	}
	if r.Is(`,"usernameFragment":`) {
		fragment, ok = r.Quoted()
		if !ok || len(fragment) > 0 && !abnf.IsICEChars(borrow(fragment), minFragment, maxFragment) {
			return nil, false
		}
	}
	return fragment, r.Is("}")
}

// borrow is text as a string without a copy. It must not be kept: it is as good
// as the text.
func borrow(text []byte) string {
	return unsafe.String(unsafe.SliceData(text), len(text)) //nolint:gosec // a copy of each text is what this path is there to avoid
}
