package checkpoint

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
)

// assign is the loop that sees who lives, reads the rows when they may have
// changed, and does this worker's part of the plan.
func (k *Keeper) assign(ctx context.Context) {
	var polls, scans trouble
	for {
		began := time.Now()
		err := k.poll(ctx, k.p.age(k.o.Heartbeat/2))
		if ctx.Err() != nil {
			return
		}
		polls.note(k.log, "reading the worker table", err)
		if err != nil {
			// Who lives is not known, so nothing may be decided.
			if !pause(ctx, k.o.Heartbeat/2, nil) {
				return
			}
			continue
		}

		k.mu.Lock()
		// The first scan follows the first beat at once: what is ours in it was not
		// handed to us, for nobody knew us.
		due := !k.born.IsZero() && k.rows == nil || k.ready() && (k.rescan || !time.Now().Before(k.scanAt))
		age := k.p.age(2 * k.o.Heartbeat)
		if k.rescan || k.rows == nil {
			age = 0
		}
		k.mu.Unlock()
		if due {
			err := k.scan(ctx, age)
			if ctx.Err() != nil {
				return
			}
			scans.note(k.log, "reading the lease table", err)
		}
		k.mu.Lock()
		if k.rows != nil && k.ready() {
			k.resume()
			if k.replan {
				k.replan = false
				k.act()
			}
		}
		k.mu.Unlock()

		// A signal cuts the wait short, but never below a part of a heartbeat: what it
		// tells is often the first of many.
		if !pause(ctx, k.o.Heartbeat/10, nil) || !pause(ctx, k.o.Heartbeat-time.Since(began), k.wake) {
			return
		}
	}
}

// scan reads the lease table, or takes a reading of another keeper of the process that is not older
// than age.
func (k *Keeper) scan(ctx context.Context, age time.Duration) error {
	k.scanning.take()
	defer k.scanning.pass()
	k.mu.Lock()
	k.rescan = false
	k.mu.Unlock()
	s, asked, got, err := k.p.leases.read(ctx, age, k.t.leases)
	all := len(s.rows)
	var stray []Row
	s.rows, stray = ours(s.rows, k.o.Scope, k.o.Label)

	k.mu.Lock()
	defer k.mu.Unlock()
	k.blind.note(asked, err)
	if err != nil {
		k.rescan = true
		return err
	}
	if k.orphans == nil {
		// What carries our id before we took anything is of an earlier process. It may
		// still run until its trust window ends, so ours begins after that.
		k.orphans = map[string]int64{}
		for _, r := range s.rows {
			if r.in() == k.o.Worker {
				k.orphans[r.Key] = r.Counter
			}
		}
		for _, b := range s.broken {
			k.log.Warn("row ignored", zap.String("reason", b))
		}
	}
	k.scanned, k.server = asked, s.server
	every := scanEvery * time.Duration(max(1, all/scanRows))
	rows := make(map[string]Row, len(s.rows))
	counters := make(map[string]sighting[int64], len(s.rows))
	for _, r := range s.rows {
		if old, ok := k.rows[r.Key]; ok && old.Counter > r.Counter {
			r = old // written by us while the scan ran
		}
		rows[r.Key] = r
		counters[r.Key] = k.counters[r.Key].see(r.Counter, got)
		if l := k.leases[r.Key]; l != nil && r.in() != k.o.Worker && !l.handing {
			l.renewAt = got // the conditional write will tell whether it is lost
		}
		if m, ok := k.members[r.in()]; r.in() != "" && r.in() != k.o.Worker && !r.ended() && (!ok || m.state == foreign) {
			every = k.o.Duration / 3 // only its rows tell whether it lives
		}
	}
	for key := range k.leases {
		if r, ok := k.rows[key]; ok && rows[key].Key == "" {
			rows[key] = r // created by us while the scan ran
		}
	}
	k.rows, k.counters, k.stray, k.replan = rows, counters, stray, true
	k.scanAt = asked.Add(every*9/10 + jitter(every/5, k.o.Worker, asked.UnixNano()))
	return nil
}

// free tells whether a row may be taken: nobody has it, or who has it is dead.
// Of the dead only a scan tells that is not much younger than the poll: a worker
// needs two heartbeats from its start to its first lease, so what it has by then
// is of its dead predecessor. The caller holds mu.
func (k *Keeper) free(r Row) bool {
	id := r.in()
	if id == "" {
		return true
	}
	if k.scanned.Sub(k.polled) > 3*k.o.Heartbeat/2 {
		return false
	}
	if k.departed[id] {
		return true
	}
	if m, ok := k.members[id]; ok && m.state != foreign {
		return m.state == dead
	}
	return id != k.o.Worker && k.counters[r.Key].still(k.scanned, k.o.Duration)
}

// claims are the leases that the plan is about. Those of workers of which it is not
// yet known whether they live are left out. The caller holds mu.
func (k *Keeper) claims() []Claim {
	claims := make([]Claim, 0, len(k.rows))
	for key, r := range k.rows {
		if !eligible(r, k.rows) {
			continue
		}
		c := Claim{Key: key, Owner: r.in()}
		l := k.leases[key]
		switch {
		case l != nil && l.java:
			continue
		case l != nil && l.lost == nil && l.handing:
			c.Owner, c.Fixed = l.target, l.target != ""
		case l != nil && l.lost == nil, k.taking[key]:
			c.Owner = k.o.Worker
		case c.Owner == k.o.Worker:
		case k.free(r):
			c.Owner = ""
		default:
			if m := k.members[c.Owner]; m.state != alive && m.state != leaving || r.Holder != "" {
				continue
			}
		}
		claims = append(claims, c)
	}
	return claims
}

// act does this worker's part: takes what the plan gives to it, adopts what was
// handed to it, hands over what is too much. The caller holds mu.
func (k *Keeper) act() {
	now := time.Now()
	if k.draining {
		return
	}
	for key, r := range k.rows {
		if r.Owner != k.o.Worker || r.Holder != "" || k.leases[key] != nil || k.taking[key] || !eligible(r, k.rows) {
			continue
		}
		if n, ok := k.orphans[key]; ok && n == r.Counter && now.Before(k.born.Add(k.o.Duration)) {
			k.replan = true
			continue
		}
		k.take(r)
	}
	handing := 0
	for _, m := range Plan(k.staying(), k.claims()) {
		switch {
		case m.From == k.o.Worker && k.leases[m.Key] != nil:
			k.revoke(k.leases[m.Key], m.To)
			handing++
		case m.From == "" && m.To == k.o.Worker && k.leases[m.Key] == nil:
			k.take(k.rows[m.Key])
		}
	}
	if len(k.taking)+handing > 0 {
		k.log.Info("leases are moving", zap.Int("held", len(k.leases)), zap.Int("taking", len(k.taking)), zap.Int("handing_over", handing))
	}
}

// take starts to take a row. The caller holds mu.
func (k *Keeper) take(r Row) {
	epoch := k.epoch
	k.taking[r.Key] = true
	k.task(func(ctx context.Context) {
		k.mu.Lock()
		may := k.trusted() && !k.draining && k.epoch == epoch
		k.mu.Unlock()
		got, err := r, error(nil)
		if may {
			got, err = k.claim(ctx, r)
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.taking, r.Key)
		signal(k.dropped)
		if !may {
			k.rescan = true
			return
		}
		if err != nil {
			k.rescan = true // it may or may not be ours now
			if no, ok := errors.AsType[refused](err); ok {
				if now, ok := no.row(); ok {
					k.rows[r.Key] = now
				}
			}
			return
		}
		k.rows[r.Key] = got
		k.grant(got, epoch)
	})
}

// claim writes this worker into a row that has not changed since it was read.
func (k *Keeper) claim(ctx context.Context, r Row) (Row, error) {
	ctx, cancel := context.WithTimeout(ctx, k.o.Duration/2)
	defer cancel()
	u := update{
		set:    item{attrOwner: str(k.o.Worker), attrCounter: num(r.Counter + 1)},
		remove: []string{attrHolder},
		where:  []string{"#" + attrCounter + " = :n"},
		args:   item{":n": num(r.Counter)},
	}
	if r.Owner == "" {
		u.where = append(u.where, "attribute_not_exists(#"+attrOwner+")")
	} else {
		u.where = append(u.where, "#"+attrOwner+" = :old")
		u.args[":old"] = str(r.Owner)
	}
	got := r
	got.Owner, got.Holder, got.Counter = k.o.Worker, "", r.Counter+1
	if r.Owner != k.o.Worker {
		u.add = item{attrSwitches: one()}
		got.Switches++
	}
	if r.Checkpoint.Sentinel == Latest && r.Checkpoint.Start.IsZero() {
		// A Java row. From now on latest means now, or a crash before the first
		// checkpoint would move it on.
		got.Checkpoint.Start = k.clock()
		u.set[attrStart] = num(got.Checkpoint.Start.UnixMilli())
	}
	err := k.t.update(ctx, r.Key, u)
	k.m.write("take", err)
	if no, ok := errors.AsType[refused](err); ok {
		// The answer to the write that took it may have been lost.
		if now, ok := no.row(); ok && now.Owner == k.o.Worker && now.Holder == "" && now.Counter == got.Counter {
			return now, nil
		}
	}
	return got, err
}

// clock is the time that a beginning without a past is counted from: the service's
// at the last scan, since this machine's clock may be off by hours. Somewhat
// too early is well.
func (k *Keeper) clock() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.server.IsZero() {
		return k.o.Wall().UTC()
	}
	return k.server.UTC()
}
