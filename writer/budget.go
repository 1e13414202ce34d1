package writer

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// Budget bounds the bytes that the process holds in memory, whatever the number
// of shards. A page is paid for with Acquire before it is read, the price is
// corrected with Settle when its size is known, and Release gives back what
// [Batch.Advance] freed.
//
// Waiters are served in order. A request waits until it fits; one that is larger
// than the whole limit waits until nothing is held and then passes alone, so a
// single giant page cannot block for ever.
//
// While somebody waits the budget is tight: whoever holds a batch that is not
// full should write it now, and must do so before it waits itself.
type Budget struct {
	limit int64

	mu      sync.Mutex
	held    int64
	waiting []*waiter
}

type waiter struct {
	n     int64
	ready chan struct{} // closed, under mu, when n has been added to held
}

// NewBudget returns a budget of limit bytes.
func NewBudget(limit int64) *Budget { return &Budget{limit: limit} }

// ErrQuit says that the caller's own reason to stop came before its turn.
var ErrQuit = errors.New("gave up waiting for memory")

// Acquire takes n bytes, waiting for its turn. When ctx ends or quit is closed first it
// holds nothing and returns the context's error or ErrQuit. A nil quit never is.
func (b *Budget) Acquire(ctx context.Context, n int64, quit <-chan struct{}) error {
	b.mu.Lock()
	if len(b.waiting) == 0 && b.fits(n) {
		b.held += n
		b.mu.Unlock()
		return nil
	}
	w := &waiter{n: n, ready: make(chan struct{})}
	b.waiting = append(b.waiting, w)
	b.mu.Unlock()

	var err error
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-quit:
		err = ErrQuit
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.waiting, w); i >= 0 {
		b.waiting = slices.Delete(b.waiting, i, i+1)
	} else {
		b.held -= n // served while the context ended
	}
	b.serve()
	return err
}

// TryAcquire takes n bytes if that needs no waiting.
func (b *Budget) TryAcquire(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) > 0 || !b.fits(n) {
		return false
	}
	b.held += n
	return true
}

// Settle replaces a price paid before reading by the real one. It never waits:
// the page is in memory already, so the budget may be exceeded by the difference.
func (b *Budget) Settle(paid, real int64) { b.Release(paid - real) }

// Release gives n bytes back.
func (b *Budget) Release(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held -= n
	b.serve()
}

// Held is the number of bytes taken now.
func (b *Budget) Held() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held
}

// Tight tells that somebody waits.
func (b *Budget) Tight() bool { return b.Waiting() > 0 }

// Waiting is the number of Acquire calls that wait.
func (b *Budget) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting)
}

func (b *Budget) fits(n int64) bool { return b.held <= 0 || b.held+n <= b.limit }

// serve admits waiters in order until one does not fit. mu is held.
func (b *Budget) serve() {
	for len(b.waiting) > 0 && b.fits(b.waiting[0].n) {
		w := b.waiting[0]
		b.waiting = slices.Delete(b.waiting, 0, 1)
		b.held += w.n
		close(w.ready)
	}
}
