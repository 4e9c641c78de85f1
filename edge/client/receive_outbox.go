package client

import (
	"github.com/parley-rtc/parley/services/contract"
)

// onAcked settles frames.
func (c *Client) onAcked(text []byte) {
	acked, ok := decode[contract.Acked](c, text)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.outbox.acknowledge(acked.Seq) {
		if f.kind == contract.TypeLeave && !f.told {
			f.room.finish(Left{Reason: contract.ReasonLeft})
		}
		f.finish(nil)
	}
	c.space.ring()
	c.wake() // the edge takes more now
}

// onError settles a frame with an error, or notes one about the connection.
func (c *Client) onError(text []byte) error {
	frame, ok := decode[contract.ErrorFrame](c, text)
	if !ok {
		return nil
	}
	refusal := &contract.Error{Code: frame.Code, Message: frame.Message, RetryAfter: frame.RetryAfter}
	c.mu.Lock()
	defer c.mu.Unlock()
	if frame.Code == contract.CodeSeqHole {
		return errSeqHole // after a resume both sides count alike again
	}
	if frame.Re == 0 {
		c.refused = refusal
		c.log.Warn("error about the connection", "code", frame.Code, "message", frame.Message)
		return nil
	}
	f := c.outbox.find(frame.Re)
	if f == nil {
		c.stats.Unmatched++
		return nil
	}
	f.finish(&RefusedError{Refusal: refusal, Status: frame.Status, Retryable: frame.Retryable, Rule: frame.Rule})
	return nil
}

// onFiltered passes on what the policy took out of a frame.
func (c *Client) onFiltered(text []byte) {
	frame, ok := decode[contract.Filtered](c, text)
	if !ok {
		return
	}
	c.mu.Lock()
	f := c.outbox.find(frame.Re)
	if f == nil || f.room.state != roomJoined {
		c.stats.Unmatched++
		c.mu.Unlock()
		return
	}
	c.mu.Unlock()
	c.deliver(f.room, Filtered{Kind: f.kind, Rule: frame.Rule, Count: frame.Count}, len(text))
}
