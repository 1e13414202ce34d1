package scene_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
	"dynamolake/internal/lakecheck"
	"dynamolake/internal/scene"
	"dynamolake/internal/verify"
)

// play runs a history to its end and looks at the lake.
func (m *mixed) play() (out outcome) {
	defer m.end(&out)
	if m.rng.IntN(2) == 0 {
		m.must(m.cloud.SetPITR(scene.TableName, 35))
	}
	if !m.streaming {
		m.setStream(false)
	}
	m.setCalm(false)
	if m.rng.IntN(4) == 0 { // the table is older than what its stream has
		m.live(time.Duration(20+m.rng.IntN(30))*time.Hour, 30)
	}
	m.live(time.Duration(1+m.rng.IntN(20))*time.Minute, m.rng.IntN(60))
	steps := 6 + m.rng.IntN(8)
	seedAt, fleetAt := m.rng.IntN(6), m.rng.IntN(5)
	if m.rng.IntN(6) == 0 {
		seedAt = steps // not before all else is over
	}
	for step := range steps {
		if step == seedAt {
			m.seed(false)
		}
		if step == fleetAt {
			m.hire()
		}
		m.live(time.Duration(1+m.rng.IntN(40))*time.Minute, 3+m.rng.IntN(22))
		if m.rng.IntN(10) < 8 {
			m.event(step > fleetAt)
		}
	}
	m.settle(&out)
	m.end(&out)
	m.look(&out)
	return out
}

// end stops everybody.
func (m *mixed) end(out *outcome) {
	if r := recover(); r != nil {
		s, ours := r.(stuck)
		if !ours {
			panic(r)
		}
		out.failed = s.Error()
	}
	m.setCalm(true)
	all := m.workers
	if m.seeder != nil {
		all = append(all[:len(all):len(all)], m.seeder)
	}
	for _, a := range all {
		a.stop()
	}
	for _, a := range all {
		<-a.done
	}
}

// settle lets everything come to rest: all weather is over, somebody of each kind is there.
func (m *mixed) settle(out *outcome) {
	m.setCalm(true)
	m.cloud.SetExportTakes(5 * time.Minute)
	m.must(m.cloud.SetPITR(scene.TableName, 35))
	if m.streaming && !m.streamOn {
		m.setStream(true)
	}
	m.live(10*time.Minute, 10)
	stopped := time.Now()
	for i := range 300 {
		if i%20 == 0 && i < 100 { // in case that one of them cannot go on
			m.workers = slices.DeleteFunc(m.workers, (*actor).ended)
			if len(m.workers) < 2 {
				m.hire()
			}
		}
		if out.unsettled = m.unsettled(stopped); out.unsettled == "" {
			return
		}
		time.Sleep(10 * time.Minute)
	}
}

// unsettled says what keeps the lake from being whole up to a time. Where only a full export can
// help, as the repairers say, it makes one.
func (m *mixed) unsettled(at time.Time) string {
	l := m.ledger()
	lost := slices.ContainsFunc(l.Gaps, func(g ledger.Gap) bool { return g.State == ledger.GapLost })
	if l.Base() == nil || lost {
		if m.seeder == nil || m.seeder.ended() {
			m.seed(false)
		}
		return fmt.Sprintf("no full export yet, or lost: %v", lost)
	}
	at = latest(at, l.Base().To) // nothing was written since
	if missing := l.Missing(); len(missing) > 0 {
		return fmt.Sprintf("gap %d is %s", missing[0].Number, missing[0].State)
	}
	if m.seeder != nil && !m.seeder.ended() {
		return "a full export is under way"
	}
	if s := l.Streaming(); (s != nil) != m.streaming {
		return fmt.Sprintf("streaming is %v", s != nil)
	} else if s != nil {
		through, err := m.scene.Through(m.ctx)
		if err != nil {
			return "there are no leases yet: " + err.Error()
		}
		table, err := m.scene.Describe(m.ctx)
		m.must(err)
		switch {
		case s.StreamARN != table.StreamARN:
			return "the newest stream is not read yet"
		case !l.Covers(at, through) || through.Before(at):
			return fmt.Sprintf("the lake covers up to %v only, the fleet is at %v, wanted is %v", l.Reach(through), through, at)
		}
	} else if l.Reach(time.Time{}).Before(at) {
		return fmt.Sprintf("windows up to %v only", l.Reach(time.Time{}))
	}
	return ""
}

// parts are what is proven, each by itself.
func (m *mixed) parts() []*scene.Scene {
	if !m.split {
		return []*scene.Scene{m.scene}
	}
	var all []*scene.Scene
	for _, p := range scene.Parts {
		all = append(all, m.scene.Of(p))
	}
	return all
}

// look proves the lake in both ways.
func (m *mixed) look(out *outcome) {
	out.ledger = m.ledger()
	var err error
	for _, part := range m.parts() {
		one, err := part.Prove(m.ctx)
		if err != nil {
			out.failed = err.Error()
			return
		}
		if out.report = one; !one.OK() {
			break
		}
	}
	o := verify.Defaults()
	o.Store, o.Prefix, o.Table, o.Keys, o.Ledger = m.scene.Lake("observer"), m.scene.Prefix(), scene.TableName, m.scene.Table.Keys, m.scene.Ledger("observer")
	o.Depth, o.Memory = verify.DepthRows, 64<<20
	if m.streaming {
		o.Leases = func(ctx context.Context) ([]checkpoint.Row, error) {
			t, err := m.scene.Leases(ctx)
			return t.Leases, err
		}
		o.AgainstTable = verify.NewTable(m.db, scene.TableName, m.scene.Table.Keys)
	}
	r, err := verify.Run(m.ctx, o)
	if err != nil {
		out.failed = err.Error()
		return
	}
	for _, d := range r.Doubts {
		out.doubts = append(out.doubts, fmt.Sprintf("verify: %s: %s: %s", d.Kind, d.Subject, d.Text))
	}
	lake, err := lakecheck.Read(m.ctx, m.scene.Store("observer"), m.scene.Prefix())
	m.must(err)
	for _, x := range lake.Exports {
		if x.Overlap != nil {
			out.overlap += len(x.Overlap.Rows)
		}
	}
}
