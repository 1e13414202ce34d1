package checkpoint

import (
	"context"
	"fmt"
	"time"
)

// Adopted tells whether every shard whose reading has begun has adopted an epoch of the stream, and
// of what time the last row may be that is in an older one.
//
// A shard that is halted at a gap, or was never begun, is not waited for: before its
// session writes anything, it adopts an epoch and then reads the ledger afresh. So
// read the ledger before the rows.
func Adopted(rows []Row, epoch int64) (done bool, through time.Time) {
	done = true
	for _, r := range rows {
		older := r.OlderTo
		if r.Epoch < epoch {
			// A row without an epoch that is under way is of a version that knew none.
			begun := r.Epoch > 0 || r.Checkpoint.Seq != "" || r.ended()
			if begun && !r.ended() && r.Gap == "" {
				done = false
			}
			if begun && r.CurrentTo.After(older) {
				older = r.CurrentTo
			}
		}
		if older.After(through) {
			through = older
		}
	}
	return done, through
}

// Through is up to when all shards are in the lake, as their rows say: zero when one does
// not. reading is false where no shard is left to be read.
func Through(rows []Row) (through time.Time, reading bool) {
	for _, r := range rows {
		if r.ended() {
			continue
		}
		at := r.CurrentTo
		if at.IsZero() {
			at = r.Checkpoint.Created
		}
		if at.IsZero() {
			return time.Time{}, true
		}
		if !reading || at.Before(through) {
			through, reading = at, true
		}
	}
	return through, reading
}

// Epoch is the highest that files of this shard may have rows in; 0 if none was adopted yet.
func (l *Lease) Epoch() int64 {
	l.k.mu.Lock()
	defer l.k.mu.Unlock()
	return l.epoch
}

// Awaited tells whether [Adopted] waits for this shard: it has an epoch and does not halt.
func (l *Lease) Awaited() bool {
	l.k.mu.Lock()
	defer l.k.mu.Unlock()
	return l.epoch > 0 && !l.halted
}

// LineageEpoch is the highest epoch that this shard or a parent of it may have rows
// in. A parent without a row counts as 0. Whole says that the shard's last file is there: nothing
// can come late behind it.
func (l *Lease) LineageEpoch(whole bool) int64 {
	l.k.mu.Lock()
	defer l.k.mu.Unlock()
	epoch := l.epoch
	if whole {
		epoch = l.rowsIn
	}
	for _, p := range l.parents {
		if r := l.k.rows[p]; r.ended() {
			epoch = max(epoch, r.RowsIn)
		} else {
			epoch = max(epoch, r.Epoch)
		}
	}
	return epoch
}

// Adopt stores the epoch under which files of this shard are written from now on, and the time of
// the last row that an older one may have. Neither goes back. A shard that was
// halted goes on. It returns nil only if the row says so, and waits like Commit.
func (l *Lease) Adopt(ctx context.Context, epoch int64, olderTo time.Time) error {
	if epoch <= 0 {
		return fmt.Errorf("shard %s: %d is no epoch", l.key, epoch)
	}
	done, err := l.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	l.k.mu.Lock()
	same := l.epoch >= epoch && !olderTo.After(l.olderTo) && !l.halted
	epoch = max(epoch, l.epoch)
	if olderTo.Before(l.olderTo) {
		olderTo = l.olderTo
	}
	l.k.mu.Unlock()
	if same {
		return l.Check()
	}
	// Up to the next millisecond: it is a bound.
	u := update{set: item{attrEpoch: num(epoch)}, remove: []string{attrGap}}
	if !olderTo.IsZero() {
		olderTo = time.UnixMilli((olderTo.UnixNano() + int64(time.Millisecond) - 1) / int64(time.Millisecond)).UTC()
		u.set[attrOlderTo] = num(olderTo.UnixMilli())
	}
	err = l.write(ctx, "adopt", u, func(r Row) bool {
		return r.in() == l.k.o.Worker && r.Epoch == epoch && r.OlderTo.Equal(olderTo) && r.Gap == ""
	})
	if err != nil {
		return fmt.Errorf("adopt epoch %d for shard %s: %w", epoch, l.key, err)
	}
	l.k.mu.Lock()
	l.epoch, l.olderTo, l.halted = epoch, olderTo, false
	l.k.mu.Unlock()
	return nil
}

// Now is the service's clock, as far as this worker knows it; its own machine's may
// be off by hours.
func (l *Lease) Now() time.Time { return l.k.now() }

func (k *Keeper) now() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.server.IsZero() {
		return k.o.Wall().UTC()
	}
	return k.server.Add(time.Since(k.scanned)).UTC()
}
