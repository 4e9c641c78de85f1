package client

// bell wakes everyone who waits for something to change. Its owner's mutex
// guards it: take the channel, give up the mutex, wait, look again.
type bell struct{ rung chan struct{} }

func (b *bell) wait() <-chan struct{} {
	if b.rung == nil {
		b.rung = make(chan struct{})
	}
	return b.rung
}

func (b *bell) ring() {
	if b.rung != nil {
		close(b.rung)
		b.rung = nil
	}
}
