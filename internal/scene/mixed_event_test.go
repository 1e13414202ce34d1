package scene_test

import (
	"time"

	"dynamolake/checkpoint"
	"dynamolake/internal/scene"
)

// event is one thing that can happen.
func (m *mixed) event(fleet bool) {
	switch m.rng.IntN(20) {
	case 0, 1:
		m.replaceSome(false)
	case 2, 3:
		m.replaceSome(true)
	case 4: // frozen, perhaps with a file on the way
		if a := m.some(); a != nil {
			d := time.Duration(1+m.rng.IntN(60)) * time.Minute
			if m.rng.IntN(2) == 0 {
				m.freezeAtPut(a.name, d)
			} else {
				m.set(m.frozen, a.name, time.Now().Add(d))
			}
		}
	case 5, 6: // whoever makes the full export dies, and somebody else begins
		if m.seeder != nil && !m.seeder.ended() {
			m.kill(m.seeder)
			m.live(time.Duration(m.rng.IntN(120))*time.Minute, 5)
			m.seed(false)
		}
	case 7:
		m.reshard()
	case 8:
		service := []string{"dynamodb", "streams", "s3"}[m.rng.IntN(3)]
		m.set(m.down, service, time.Now().Add(time.Duration(1+m.rng.IntN(10))*time.Minute))
	case 9, 10:
		m.outage(fleet, time.Duration(24*60+m.rng.IntN(30*60))*time.Minute)
	case 11:
		m.outage(fleet, time.Duration(1+m.rng.IntN(600))*time.Minute)
	case 12, 13:
		m.trim(time.Now().Add(-time.Duration(m.rng.IntN(60)) * time.Minute))
	case 14, 15:
		m.toggleStream()
	case 16:
		if m.rng.IntN(2) == 0 {
			m.must(m.cloud.SetPITR(scene.TableName, 0))
			m.live(time.Duration(5+m.rng.IntN(60))*time.Minute, m.rng.IntN(20))
			m.must(m.cloud.SetPITR(scene.TableName, 35))
		}
	case 17:
		for _, x := range m.cloud.Exports(scene.TableName) {
			if x.Status == "IN_PROGRESS" {
				m.must(m.cloud.FailExport(x.ARN, "UNKNOWN", "Internal error"))
			}
		}
	case 18:
		if m.rng.IntN(5) == 0 {
			m.cloud.SetExportTakes(40 * time.Hour)
		} else {
			m.cloud.SetExportTakes(time.Duration(1+m.rng.IntN(120)) * time.Minute)
		}
	case 19:
		if m.seeder != nil && m.seeder.ended() {
			m.seed(true) // although the lake has one
		}
	}
}

// some is a process that works, nil if none does.
func (m *mixed) some() *actor {
	var live []*actor
	for _, a := range m.workers {
		if !a.ended() {
			live = append(live, a)
		}
	}
	if len(live) == 0 {
		return nil
	}
	return live[m.rng.IntN(len(live))]
}

// replaceSome ends a worker, and has others take its place at once, or another in addition.
func (m *mixed) replaceSome(kill bool) {
	a := m.some()
	if a == nil {
		return
	}
	switch {
	case kill:
		m.kill(a)
	case m.rng.IntN(3) > 0:
		a.stop()
	}
	live := 0
	for _, w := range m.workers {
		if !w.ended() && w != a {
			live++
		}
	}
	if live < 2 {
		m.hire()
	}
}

// outage is a time in which nobody works.
func (m *mixed) outage(fleet bool, d time.Duration) {
	if !fleet {
		return
	}
	unseen := m.rng.IntN(2) == 0 // what was read last goes while nobody looks
	if unseen {
		for n := range 3 {
			m.item(m.next*10+n, true)
		}
		time.Sleep(10 * time.Minute)
	}
	for _, a := range m.workers {
		if m.rng.IntN(2) == 0 {
			m.kill(a)
		}
		a.stop()
	}
	for n := 0; unseen && n < 3; n++ {
		m.item(m.next*10+n, false)
	}
	m.live(d, 10+m.rng.IntN(30))
	m.hire()
	if m.rng.IntN(2) == 0 {
		m.hire()
	}
}

// toggleStream turns the stream off and on, mostly at once. A table that was followed by
// windows is read from its stream from then on.
func (m *mixed) toggleStream() {
	if m.streaming {
		m.setStream(false)
	}
	switch m.rng.IntN(4) {
	case 0:
		m.live(time.Duration(1+m.rng.IntN(90))*time.Minute, m.rng.IntN(20))
	case 1:
		m.live(time.Duration(1+m.rng.IntN(90))*time.Second, m.rng.IntN(5))
	case 2:
		if m.rng.IntN(4) == 0 {
			m.live(30*time.Hour, 20)
		}
	}
	m.setStream(true)
	if !m.streaming {
		m.streaming = true
		m.live(time.Duration(1+m.rng.IntN(90))*time.Minute, m.rng.IntN(20))
		m.join()
	}
}

// trim takes away what slow readers have not seen yet, before its time. A real stream keeps
// what it promises, and then readers need not tell how much less than that is left: so this
// befalls only those who are not a day behind, have begun to read, and soon notice.
func (m *mixed) trim(at time.Time) {
	leases, err := m.scene.Leases(m.ctx)
	if err != nil || m.some() == nil {
		return // there is no fleet yet
	}
	rows := map[string]checkpoint.Row{}
	for _, r := range leases.Leases {
		rows[r.Key] = r
		if r.Checkpoint.Sentinel != checkpoint.ShardEnd && time.Since(r.CurrentTo) > 12*time.Hour {
			return
		}
	}
	for _, s := range m.cloud.Shards(scene.TableName) {
		r := rows[s.ID]
		if r.Checkpoint.Seq != "" || r.Checkpoint.Sentinel == checkpoint.ShardEnd {
			continue
		}
		if known := latest(s.Created, r.CurrentTo); known.Before(at) {
			at = known
		}
	}
	m.must(m.cloud.TrimBefore(scene.TableName, at))
	m.live(90*time.Minute, 10)
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func (m *mixed) reshard() {
	if !m.streamOn {
		return
	}
	shards := m.cloud.Shards(scene.TableName)
	s := shards[m.rng.IntN(len(shards))]
	switch {
	case m.rng.IntN(3) == 0:
		m.must(m.cloud.RollAll(scene.TableName))
	case !s.Open:
		m.must(m.cloud.HideShardOnce(scene.TableName, s.ID, 1+m.rng.IntN(3)))
	case m.rng.IntN(2) == 0 && len(shards) < 6:
		m.must(m.cloud.Split(scene.TableName, s.ID))
	default:
		m.must(m.cloud.Roll(scene.TableName, s.ID))
	}
}
