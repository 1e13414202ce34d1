package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// open begins a write of the session.
func (l *Lease) open(ctx context.Context) (done func(), err error) {
	if err := l.Check(); err != nil {
		return nil, err
	}
	return l.begin(ctx)
}

// held is check for who does not hold mu.
func (l *Lease) held() error {
	l.k.mu.Lock()
	defer l.k.mu.Unlock()
	return l.check()
}

// begin waits until no other write of this row is under way.
func (l *Lease) begin(ctx context.Context) (done func(), err error) {
	select {
	case l.writing <- struct{}{}:
		return func() { <-l.writing }, nil
	case <-l.ctx.Done():
		return nil, l.held()
	case <-ctx.Done():
		return nil, fmt.Errorf("write lease row %s: %w", l.key, context.Cause(ctx))
	}
}

// write updates the row, under the condition that it is as this lease left it, and
// raises the counter. landed recognizes the row after this write: the answer
// may have been lost, and an earlier attempt is what the condition then fails on.
//
// An attempt without an answer may still be on its way. It carries the old
// counter: it lands before the next attempt, which then finds it, or never.
func (l *Lease) write(ctx context.Context, op string, u update, landed func(Row) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.ctx, cancel)()
	wait := 50 * time.Millisecond
	for {
		if err := l.held(); err != nil {
			return err
		}
		err := l.attempt(ctx, op, u)
		if err == nil {
			return nil
		}
		if no, ok := errors.AsType[refused](err); ok {
			if again, err := l.reconcile(no, landed); !again {
				return err
			}
			continue
		}
		if op == "renew" || lasting(err) {
			return err
		}
		if !pause(ctx, wait, nil) {
			if lost := l.held(); lost != nil {
				return lost
			}
			return err
		}
		wait = min(2*wait, 2*time.Second)
	}
}

// attempt makes the call once. Whatever time is not stored yet goes along.
func (l *Lease) attempt(ctx context.Context, op string, u update) error {
	k := l.k
	k.mu.Lock()
	n, java, current := l.counter, l.java, l.currentTo
	send := u
	send.set = item{attrCounter: num(n + 1)}
	if current.After(l.stored) {
		send.set[attrCurrentTo] = num(current.UnixMilli())
	}
	if l.rowsIn != 0 {
		send.set[attrRowsIn] = num(l.rowsIn)
	}
	k.mu.Unlock()
	for attr, v := range u.set {
		send.set[attr] = v
	}
	send.where = []string{"#" + attrCounter + " = :n"}
	if java {
		send.where = append(send.where, "#"+attrHolder+" = :me")
	} else {
		send.where = append(send.where, "#"+attrOwner+" = :me", "attribute_not_exists(#"+attrHolder+")")
	}
	send.args = item{":n": num(n), ":me": str(k.o.Worker)}
	ctx, cancel := context.WithTimeout(ctx, k.o.Duration/2)
	defer cancel()
	err := k.t.update(ctx, l.key, send)
	k.m.write(op, err)
	if err == nil {
		l.wrote(n+1, current)
	}
	return err
}

func (l *Lease) wrote(counter int64, current time.Time) {
	l.k.mu.Lock()
	defer l.k.mu.Unlock()
	l.counter, l.stored = counter, current
	every := l.k.o.Renew
	l.renewAt = time.Now().Add(every + jitter(every/10, l.key, counter))
}

// reconcile finds out why a write was refused: it had landed before (no error);
// another write of ours had (again); a Java leader wants the lease handed over
// (again, and revoked); or it is not ours any more.
func (l *Lease) reconcile(no refused, landed func(Row) bool) (again bool, err error) {
	k := l.k
	now, ok := no.row()
	k.mu.Lock()
	n, current := l.counter, l.stored
	k.mu.Unlock()
	if ok && now.Counter == n+1 && landed(now) {
		l.wrote(n+1, current)
		return false, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case ok && now.Counter == n+1 && now.in() == k.o.Worker:
		l.counter = n + 1
		return true, nil
	case ok && now.Counter == n && now.Holder == k.o.Worker && !l.java:
		l.java = true
		k.revoke(l, now.Owner)
		return true, nil
	case !ok:
		k.m.fenced.Inc()
		k.lose(l, lostToAnother, "its row is gone")
	default:
		k.rows[l.key] = now
		by := now.in()
		if by == "" {
			by = "nobody"
		}
		k.m.fenced.Inc()
		k.lose(l, lostToAnother, fmt.Sprintf("its row now belongs to %s at counter %d", by, now.Counter))
	}
	return false, l.lost
}
