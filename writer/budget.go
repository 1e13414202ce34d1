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
// Several tables have a Budget each, of one bound ([Budgets]): a part of it is its own, and
// at any time free for it, the rest is for who needs it.
//
// Waiters are served in order, but none waits for those of another table while its own has
// enough left. A request waits until it fits; one that is larger than all that its table
// could ever have waits until the table holds nothing and nobody more than his own, and then
// passes alone, so a single giant page cannot block for ever.
//
// While somebody waits for what a table holds, its budget is tight: whoever holds a batch
// that is not full should write it now, and must do so before it waits itself.
type Budget struct {
	pool *pool
	held int64 // guarded by the pool's mu
}

// pool is one bound and those who share it.
type pool struct {
	limit int64
	own   int64 // of each table

	mu      sync.Mutex
	tables  []*Budget
	waiting []*waiter
}

type waiter struct {
	of    *Budget
	n     int64
	ready chan struct{} // closed, under mu, when n has been added to held
}

// NewBudget returns a budget of limit bytes.
func NewBudget(limit int64) *Budget { return Budgets(limit, 1)[0] }

// Budgets returns those of n tables, which together have limit bytes. Half of them are divided evenly,
// the other half is lent.
func Budgets(limit int64, n int) []*Budget {
	p := &pool{limit: limit, own: limit / int64(2*n)}
	for range n {
		p.tables = append(p.tables, &Budget{pool: p})
	}
	return slices.Clone(p.tables)
}

// ErrQuit says that the caller's own reason to stop came before its turn.
var ErrQuit = errors.New("gave up waiting for memory")

// Acquire takes n bytes, waiting for its turn. When ctx ends or quit is closed first it
// holds nothing and returns the context's error or ErrQuit. A nil quit never is.
func (b *Budget) Acquire(ctx context.Context, n int64, quit <-chan struct{}) error {
	p := b.pool
	w := &waiter{of: b, n: n, ready: make(chan struct{})}
	p.mu.Lock()
	p.waiting = append(p.waiting, w)
	p.serve()
	p.mu.Unlock()

	var err error
	select {
	case <-w.ready:
		return nil
	default:
	}
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-quit:
		err = ErrQuit
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.waiting, w); i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
	} else {
		b.held -= n // served while the context ended
	}
	p.serve()
	return err
}

// TryAcquire takes n bytes if that needs no waiting.
func (b *Budget) TryAcquire(n int64) bool {
	p := b.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	w := &waiter{of: b, n: n}
	if b.waits() || !slices.Contains(admitted(p.tables, append(slices.Clone(p.waiting), w), p.own, p.limit), w) {
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
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	b.held -= n
	b.pool.serve()
}

// Held is the number of bytes taken now.
func (b *Budget) Held() int64 {
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	return b.held
}

// Tight tells that somebody waits for what is held here: one of this table, or, where it holds
// more than its own, anybody.
func (b *Budget) Tight() bool {
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	return b.waits() || b.held > b.pool.own && len(b.pool.waiting) > 0
}

// waits tells whether somebody of this table does. mu is held.
func (b *Budget) waits() bool {
	return slices.ContainsFunc(b.pool.waiting, func(w *waiter) bool { return w.of == b })
}

// Waiting is the number of Acquire calls of this table that wait.
func (b *Budget) Waiting() (n int) {
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	for _, w := range b.pool.waiting {
		if w.of == b {
			n++
		}
	}
	return n
}

// serve admits who may be. mu is held.
func (p *pool) serve() {
	for _, w := range admitted(p.tables, p.waiting, p.own, p.limit) {
		w.of.held += w.n
		p.waiting = slices.DeleteFunc(p.waiting, func(other *waiter) bool { return other == w })
		close(w.ready)
	}
}

// admitted is the rule: which of those who wait may pass now, in their order. Of each table that
// is who comes first; of what is lent, who comes first of all that need it.
func admitted(tables []*Budget, waiting []*waiter, own, limit int64) (pass []*waiter) {
	if len(waiting) == 0 {
		return nil
	}
	held := make(map[*Budget]int64, len(tables))
	lent, lendable := int64(0), limit-own*int64(len(tables))
	for _, b := range tables {
		held[b] = b.held
		lent += max(0, b.held-own)
	}
	behind := map[*Budget]bool{} // somebody of the table waits
	queued := false              // somebody waits for what is lent
	for _, w := range waiting {
		if len(behind) == len(tables) {
			break
		}
		b := w.of
		before, after := max(0, held[b]-own), max(0, held[b]+w.n-own)
		alone := held[b] <= 0 && lent == 0
		switch {
		case behind[b]:
			continue
		case after > 0 && (queued || !alone && lent-before+after > lendable):
			behind[b], queued = true, true
			continue
		}
		held[b] += w.n
		lent += after - before
		pass = append(pass, w)
	}
	return pass
}
