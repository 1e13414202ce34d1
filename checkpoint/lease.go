package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrLost says that a lease is no longer ours. Nothing may be written under it.
var ErrLost = errors.New("lease lost")

// session is how far a lease's one session is.
type session int

const (
	granted session = iota // the KCL Worker was not yet told, or did not yet start
	live
	over
)

// Lease is one shard held by this worker, for one session of reading it. The
// session works until Revoked is closed. If Check is nil then, it is to be handed
// over: write and commit what is there, then stop. If not, it is lost: stop
// and write nothing.
type Lease struct {
	k          *Keeper
	key        string
	parents    []string
	token      int64
	generation int64

	ctx     context.Context
	cancel  context.CancelFunc
	revoked chan struct{}
	writing chan struct{} // holds a token while a write of the row is under way

	// Guarded by k.mu.
	counter   int64
	at        Checkpoint
	currentTo time.Time // known, and
	stored    time.Time // in the row
	renewAt   time.Time
	state     session
	advanced  bool      // it committed in this session
	moved     time.Time // when it was last seen to come further, at first when it was taken
	restarts  int       // sessions in a row that ended on their own without a commit
	resumeAt  time.Time // when the next of them may start
	epoch     int64     // as in the row
	olderTo   time.Time // as in the row
	rowsIn    int64     // known, goes along with every write of the row
	halted    bool      // the row has the gap that stops it
	ended     bool
	lost      error
	handing   bool   // to be handed over
	target    string // to whom; "" leaves it to the end of the session
	java      bool   // a Java leader has written the next owner into the row already
}

// Key is the shard id.
func (l *Lease) Key() string { return l.key }

// Parent is the shard's parent, "" if it has none.
func (l *Lease) Parent() string {
	if len(l.parents) == 0 {
		return ""
	}
	return l.parents[0]
}

// Token is the row's counter at acquisition: larger for each later owner.
func (l *Lease) Token() int64 { return l.token }

// Generation tells the sessions of this process apart.
func (l *Lease) Generation() int64 { return l.generation }

// Checkpoint is how far the shard is done, as of the last commit.
func (l *Lease) Checkpoint() Checkpoint {
	l.k.mu.Lock()
	defer l.k.mu.Unlock()
	return l.at
}

// CurrentTo is the time up to which the shard is durable, as far as this worker knows
// or the row tells; zero if unknown.
func (l *Lease) CurrentTo() time.Time {
	l.k.mu.Lock()
	defer l.k.mu.Unlock()
	return l.currentTo
}

// Check returns nil while this session may still write, else an error that is
// ErrLost. It costs no call: ask before every write.
func (l *Lease) Check() error {
	l.k.mu.Lock()
	defer l.k.mu.Unlock()
	if err := l.check(); err != nil || l.state != over {
		return err
	}
	return l.gone("its session is over")
}

// check is about the row: it may still be written after the session, to hand it
// over. The caller holds mu.
func (l *Lease) check() error {
	if l.lost == nil && !l.k.trusted() {
		l.k.expire()
		l.k.lose(l, lostByDeadline, "the worker's own deadline passed")
	}
	return l.lost
}

func (l *Lease) gone(why string) error { return fmt.Errorf("shard %s: %s: %w", l.key, why, ErrLost) }

// Revoked is closed when the session must stop.
func (l *Lease) Revoked() <-chan struct{} { return l.revoked }

// Context ends when the lease is lost. A hand-over does not end it.
func (l *Lease) Context() context.Context { return l.ctx }

// CaughtUp notes that everything in the shard up to t is durable. It is stored
// with the next write of the row.
func (l *Lease) CaughtUp(t time.Time) {
	l.k.mu.Lock()
	defer l.k.mu.Unlock()
	if t.After(l.currentTo) {
		l.currentTo, l.moved = t, time.Now()
	}
}

// RowsIn notes that a file of this shard has rows of an epoch. It is stored with the
// next write of the row.
func (l *Lease) RowsIn(epoch int64) {
	l.k.mu.Lock()
	defer l.k.mu.Unlock()
	l.rowsIn = max(l.rowsIn, epoch)
}

// Commit stores that the shard is done up to seq, and up to the time currentTo if
// that is not zero. Everything up to there must be durable. It returns nil only if
// the row says so; ErrLost if the lease is not ours any more. Throttles
// and outages are waited for as long as the lease is ours and ctx lasts.
func (l *Lease) Commit(ctx context.Context, seq string, currentTo time.Time) error {
	if !isSeq(seq) {
		return fmt.Errorf("checkpoint shard %s: %q is no sequence number", l.key, seq)
	}
	l.CaughtUp(currentTo)
	done, err := l.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	at := l.Checkpoint()
	if at.Sentinel == ShardEnd || at.Seq != "" && seqBefore(seq, at.Seq) {
		return fmt.Errorf("checkpoint shard %s: %s would go back behind %s", l.key, seq, at.text())
	}
	if at.Seq == seq {
		return l.Check()
	}
	next := Checkpoint{Seq: seq, Start: at.Start, Created: at.Created}
	err = l.write(ctx, "commit", update{
		set:    item{attrAt: str(seq), attrAtSub: num(0), attrSwitches: num(0)},
		remove: append(attrPending(), attrGap),
	}, func(r Row) bool { return r.in() == l.k.o.Worker && r.Checkpoint.Seq == seq })
	if err != nil {
		return fmt.Errorf("checkpoint shard %s at %s: %w", l.key, seq, err)
	}
	l.k.mu.Lock()
	l.at, l.advanced, l.halted, l.moved = next, true, false, time.Now()
	l.k.mu.Unlock()
	return nil
}

// Halt stores the gap that stops this shard. The shard stays owned and does not
// advance; a later Commit or End removes the mark.
func (l *Lease) Halt(ctx context.Context, gap string) error {
	done, err := l.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	err = l.write(ctx, "halt", update{set: item{attrGap: str(gap)}},
		func(r Row) bool { return r.in() == l.k.o.Worker && r.Gap == gap })
	if err != nil {
		return fmt.Errorf("halt shard %s: %w", l.key, err)
	}
	l.k.mu.Lock()
	l.halted = true
	l.k.mu.Unlock()
	return nil
}

// Done says that the session is over and writes nothing any more. A revoked
// lease is now handed over; one that was not is granted again after a while.
func (l *Lease) Done() {
	k := l.k
	k.mu.Lock()
	defer k.mu.Unlock()
	if l.state == over {
		return
	}
	l.state = over
	switch {
	case l.ended || l.lost != nil:
		k.drop(l)
	case l.handing:
		k.release(l)
	default:
		if l.advanced {
			l.restarts = 0
		}
		l.resumeAt = time.Now().Add(min(time.Second<<l.restarts, 30*time.Second))
		l.restarts = min(l.restarts+1, 5)
	}
}
