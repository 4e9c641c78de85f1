package client

// Stats counts what a client did since [Dial].
type Stats struct {
	Connects  uint64 // welcomes
	Resumes   uint64 // welcomes that resumed the session
	Losses    uint64 // welcomes that could not resume it
	Sent      uint64 // frames with a seq that were written, resent ones too
	Resent    uint64 // of those: written again after a resume
	Received  uint64 // frames
	Repeats   uint64 // signals dropped: at or under the watermark of their sender
	Stale     uint64 // roster changes dropped: at or under the known revision or version
	Unmatched uint64 // frames dropped: about a room or a seq that this client doesn't have
	Unknown   uint64 // frames dropped: of a type that this client doesn't know
	Bad       uint64 // frames dropped: they don't parse
	Stalls    uint64 // how often reading stopped because events weren't taken
}

// Stats returns the counts so far.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}
