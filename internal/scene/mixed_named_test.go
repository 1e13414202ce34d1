package scene_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"dynamolake/checkpoint/ledger"
	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"
	"dynamolake/internal/lakecheck"
	"dynamolake/internal/scene"
)

// story plays one history that a test tells, in fair weather, and judges how it ended.
func story(t *testing.T, tell func(*testing.T, *mixed), judge func(outcome)) {
	bubble.Run(t, func(t *testing.T) {
		m := newMixed(t.Context(), 1, zap.NewNop())
		m.streaming = true
		out := outcome{}
		func() {
			defer m.end(&out)
			m.must(m.cloud.SetPITR(scene.TableName, 35))
			tell(t, m)
			m.settle(&out)
		}()
		if out.failed == "" && out.unsettled == "" {
			m.look(&out)
		}
		judge(out)
	})
}

// whole wants a lake without a fault.
func whole(t *testing.T) func(outcome) {
	return func(out outcome) {
		if problem := out.wrong(); problem != "" {
			t.Error(problem)
		}
	}
}

// windows are what AWS was asked for, without full exports.
func (m *mixed) windows() (list []awssim.ExportInfo) {
	for _, x := range m.cloud.Exports(scene.TableName) {
		if !x.Full {
			list = append(list, x)
		}
	}
	return list
}

// windowsOf are those whose rows are in an epoch.
func (m *mixed) windowsOf(epoch int64) []awssim.ExportInfo {
	lake, err := lakecheck.Read(m.ctx, m.scene.Store("observer"), m.scene.Prefix())
	m.must(err)
	ids := map[string]bool{}
	for _, x := range lake.Exports {
		ids[x.ID] = x.Epoch == epoch
	}
	return slices.DeleteFunc(m.windows(), func(x awssim.ExportInfo) bool { return !ids[ledger.Export{ARN: x.ARN}.ID()] })
}

// tile checks that windows cover a stretch of time, one after the other, and at most so
// much more at either end.
func tile(t *testing.T, windows []awssim.ExportInfo, from, to time.Time, more time.Duration) {
	t.Helper()
	if len(windows) == 0 {
		t.Fatal("nothing was exported")
	}
	for i := 1; i < len(windows); i++ {
		if !windows[i].From.Equal(windows[i-1].To) {
			t.Errorf("a window from %s follows one to %s", windows[i].From, windows[i-1].To)
		}
	}
	first, last := windows[0].From, windows[len(windows)-1].To
	if first.After(from) || from.Sub(first) > more {
		t.Errorf("windows begin at %s; lost is what comes after %s", first.UTC(), from.UTC())
	}
	if last.Before(to) || last.Sub(to) > more {
		t.Errorf("windows end at %s; lost is what came before %s", last.UTC(), to.UTC())
	}
}

// closed checks that the ledger has this one gap, and that it is repaired. Shards that lose
// something at different times may have one each: then it is the first.
func closed(t *testing.T, m *mixed, reason string, most int) ledger.Gap {
	t.Helper()
	l := m.ledger()
	if len(l.Gaps) == 0 || len(l.Gaps) > most || l.Gaps[0].State != ledger.GapClosed || !strings.Contains(l.Gaps[0].Reason, reason) {
		t.Fatalf("want %d gaps at most, closed, because %q:\n%s", most, reason, l.JSON())
	}
	g := l.Gaps[0]
	for _, s := range l.Coverage(time.Now()) {
		if s.Gap == g.Number && (s.State != ledger.Compacted || s.From.After(g.From) || s.To.Before(g.To)) {
			t.Errorf("the gap is covered as %+v", s)
		}
	}
	return g
}

// repaired waits until the gap that somebody met is closed.
func repaired(m *mixed) {
	for range 200 {
		time.Sleep(time.Minute)
		if l := m.ledger(); len(l.Gaps) > 0 && len(l.Missing()) == 0 {
			return
		}
	}
	m.must(fmt.Errorf("the gap is not repaired:\n%s", m.ledger().JSON()))
}

// away lets everybody stop at once, after all was read.
func (m *mixed) away() {
	time.Sleep(30 * time.Minute)
	for _, a := range m.workers {
		a.stop()
		<-a.done
	}
}

// seeded makes a full export and waits for it.
func (m *mixed) seeded(t *testing.T) {
	t.Helper()
	m.seed(false)
	<-m.seeder.done
	if !m.seeder.ok {
		t.Fatal("the full export failed")
	}
}

func TestABootstrapOf40HoursWithTheStreamRunningEndsCorrect(t *testing.T) {
	if testing.Short() {
		t.Skip("40 hours of a fleet")
	}
	story(t, func(t *testing.T, m *mixed) {
		m.live(10*time.Minute, 60)
		m.cloud.SetExportTakes(40 * time.Hour)
		m.join()
		m.live(10*time.Minute, 20)
		began := time.Now()
		m.seed(false)
		m.live(20*time.Hour, 200)
		m.kill(m.seeder) // another goes on with the same export
		m.seed(false)
		for range 40 {
			m.live(time.Hour, 10)
			if m.seeder.ended() {
				break
			}
		}
		<-m.seeder.done
		if took := time.Since(began); took < 40*time.Hour {
			t.Errorf("the export took %v", took)
		}
		all := m.cloud.Exports(scene.TableName)
		l := m.ledger()
		if len(all) != 1 || !all[0].Full || len(l.Gaps) != 0 {
			t.Fatalf("exports %+v:\n%s", all, l.JSON())
		}
		want, err := m.cloud.ItemsAt(scene.TableName, l.Base().To)
		m.must(err)
		if int64(len(want)) != l.Base().Items || !all[0].To.Equal(l.Base().To) || l.Base().To.Before(l.Streaming().From) {
			t.Errorf("%d items at %s:\n%s", len(want), all[0].To, l.JSON())
		}
		lake, err := lakecheck.Read(m.ctx, m.scene.Store("observer"), m.scene.Prefix())
		m.must(err)
		for _, o := range lake.Exports[0].Objects {
			for _, r := range o.Rows {
				if want[r.Key] == "" {
					t.Errorf("item %s is in the snapshot, and was not in the table", r.Key)
				}
				delete(want, r.Key)
			}
		}
		if len(want) > 0 {
			t.Errorf("%d items of the table are not in the snapshot", len(want))
		}
	}, whole(t))
}

func TestAFleetThatWasDownFor30HoursIsRepairedByExactlyTheLostWindow(t *testing.T) {
	story(t, func(t *testing.T, m *mixed) {
		m.live(10*time.Minute, 40)
		m.join()
		m.seeded(t)
		m.live(time.Hour, 40)
		m.away()
		down := time.Now()
		m.live(30*time.Hour, 120)
		up := time.Now()
		m.join()
		m.live(time.Hour, 40)
		repaired(m)
		g := closed(t, m, "older than the stream keeps", 1)
		// What the stream still has when the fleet comes back is no part of it.
		tile(t, m.windows(), down, up.Add(-24*time.Hour), time.Hour)
		if g.From.After(down) || g.Resumed.Before(up.Add(-24*time.Hour)) {
			t.Errorf("the gap: %+v", g)
		}
	}, whole(t))
}

func TestAStreamThatWasTurnedOffAndOn(t *testing.T) {
	story(t, func(t *testing.T, m *mixed) {
		m.live(10*time.Minute, 40)
		m.join()
		m.seeded(t)
		m.live(time.Hour, 40)
		off := time.Now()
		m.setStream(false)
		m.live(2*time.Hour, 40)
		on := time.Now()
		m.setStream(true)
		m.live(time.Hour, 40)
		repaired(m)
		closed(t, m, "another took its place", 1)
		tile(t, m.windows(), off, on, time.Hour)
	}, whole(t))
}

func TestAShardThatIsTrimmedUnderASlowReader(t *testing.T) {
	story(t, func(t *testing.T, m *mixed) {
		m.live(10*time.Minute, 40)
		w := m.join()
		m.seeded(t)
		m.live(time.Hour, 40)
		time.Sleep(20 * time.Minute)
		slow := time.Now()
		m.set(m.frozen, w.name, slow.Add(50*time.Minute)) // shorter than the lease
		m.live(30*time.Minute, 40)
		trimmed := time.Now()
		m.must(m.cloud.TrimBefore(scene.TableName, trimmed))
		m.live(time.Hour, 40)
		repaired(m)
		g := closed(t, m, "older than the stream keeps", len(m.cloud.Shards(scene.TableName)))
		tile(t, m.windowsOf(g.Epoch), slow, trimmed, 90*time.Minute)
	}, whole(t))
}
