package main

import (
	"context"
	"fmt"
	"time"

	"dynamolake/checkpoint/ledger"
)

// tell says in plain words what becomes of the ledger, until ctx ends.
func (p *play) tell(ctx context.Context) {
	store := p.scene.Ledger("observer")
	for {
		if l, err := store.Read(ctx); err == nil {
			p.tellOf(&l)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(demoPoll / 2):
		}
	}
}

func (p *play) tellOf(l *ledger.Ledger) {
	once := func(key, format string, args ...any) {
		if _, told := p.told.LoadOrStore(key, true); !told {
			p.say(format, args...)
		}
	}
	at := func(t time.Time) string { return fmt.Sprintf("%.1fs", t.Sub(p.began).Seconds()) }
	for _, e := range l.Epochs {
		if e.Source != ledger.Full {
			continue
		}
		if x := e.Exports[0]; x.Status == ledger.Converted {
			once("seeded", "the FULL EXPORT is in the lake: %d items", e.Items)
		} else if x.Status == ledger.Running {
			once("seeding", "AWS exports the whole table as it was at %s; the stream is read meanwhile", at(x.To))
		}
	}
	for _, g := range l.Gaps {
		key := fmt.Sprint("gap ", g.Number)
		once(key+" seen", "a GAP: %s; whoever meets it goes on with what there is", g.Reason)
		if g.State == ledger.GapRepairing || g.State == ledger.GapClosed {
			once(key+" fixed", "all shards are behind the gap: AWS exports the WINDOW from %s to %s, what was lost", at(g.From), at(g.To))
		}
		if g.State == ledger.GapClosed {
			once(key+" closed", "the gap is CLOSED: %d items, each as the window left it", l.Epoch(g.Epoch).Items)
		}
	}
}

// repaired counts the gaps that are closed.
func (p *play) repaired(ctx context.Context) (closed int, err error) {
	l, err := p.scene.Ledger("observer").Read(ctx)
	for _, g := range l.Gaps {
		if g.State == ledger.GapClosed {
			closed++
		}
	}
	return closed, err
}
