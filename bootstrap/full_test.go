package bootstrap_test

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"dynamolake/bootstrap"
	"dynamolake/checkpoint/ledger"
	"dynamolake/internal/awssim"
)

func TestAFullExportAndTheWindowsBehindItAreTheTable(t *testing.T) {
	for _, skew := range []time.Duration{0, 50 * time.Second} {
		t.Run("skew "+skew.String(), func(t *testing.T) {
			inWorld(t, awssim.Config{Seed: 7, ClockSkew: skew}, func(w *world) {
				w.live(time.Minute, 80)
				w.pitr(35)
				w.live(time.Minute, 40)
				r := w.full()
				want, err := w.ItemsAt("orders", r.To)
				if err != nil {
					w.Fatal(err)
				}
				w.wantState(want)
				if int(r.Items) != len(want) || len(want) == 0 {
					w.Errorf("%d items, want %d", r.Items, len(want))
				}
				for range 3 {
					w.live(40*time.Minute, 60)
					w.catchUp()
					l := w.read()
					reach := l.Reach(time.Time{})
					if lag := time.Since(reach); lag > 40*time.Minute {
						w.Errorf("the lake ends %v ago", lag)
					}
					if want, err = w.ItemsAt("orders", reach); err != nil {
						w.Fatal(err)
					}
					w.wantState(want)
				}
				w.wantOnce()
				l := w.read()
				if n := len(w.Exports("orders")); n != 1+l.Epochs[1].Windows {
					w.Errorf("%d exports, the ledger counts 1 and %d", n, l.Epochs[1].Windows)
				}
				if n := len(w.objects("_ledger/exports/")); n != 1+l.Epochs[1].Windows {
					w.Errorf("%d records of exports", n)
				}
				if l.Epochs[0].Source != ledger.Full || l.Epochs[1].Source != ledger.Incremental || l.TableID != w.table.ID {
					w.Errorf("the ledger: %s", l.JSON())
				}
			})
		})
	}
}

func TestAYoungTableGetsAllThatItNeeds(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 22, ActiveAfter: 5 * time.Second, BackupsAfter: 30 * time.Minute}, func(w *world) {
		w.put("a", 1, "x")
		r, err := bootstrap.Bootstrap(w.Context(), w.options("full"), bootstrap.Seed{Enable: true})
		if err != nil {
			w.Fatal(err)
		}
		w.wantState(w.Items("orders"))
		l := w.read()
		s := l.Streaming()
		if s == nil || r.To.Before(s.From.Add(5*time.Minute)) || r.Epoch != s.Number-2 {
			w.Errorf("%+v: %s", r, l.JSON())
		}
		again, err := bootstrap.Bootstrap(w.Context(), w.options("full"), bootstrap.Seed{Enable: true})
		if err != nil || !again.Already || again.Export != r.Export || again.Items != 1 {
			w.Errorf("again: %+v %v", again, err)
		}
	})
}

// TestTheLogOfAFullExportSaysWhatIsSo: it is of a moment, so it begins nowhere, and who reads no stream waits for none.
func TestTheLogOfAFullExportSaysWhatIsSo(t *testing.T) {
	for _, c := range []struct {
		seed bootstrap.Seed
		wait string
	}{
		{bootstrap.Seed{Enable: true, NoStream: true}, "waiting until point-in-time recovery has the export's time"},
		{bootstrap.Seed{Enable: true}, "waiting until the export's time lies behind the stream's beginning"},
	} {
		inWorld(t, awssim.Config{Seed: 22, BackupsAfter: 2 * time.Minute}, func(w *world) {
			w.put("a", 1, "x")
			core, logs := observer.New(zapcore.InfoLevel)
			o := w.options("full", func(o *bootstrap.Options) { o.Log = zap.New(core) })
			if _, err := bootstrap.Bootstrap(w.Context(), o, c.seed); err != nil {
				w.Fatal(err)
			}
			waits := 0
			for _, e := range logs.All() {
				if from, ok := e.ContextMap()["from"]; ok {
					w.Errorf("%s: from %v", e.Message, from)
				}
				if strings.HasPrefix(e.Message, "waiting until") {
					if waits++; e.Message != c.wait {
						w.Errorf("%+v: %s", c.seed, e.Message)
					}
				}
			}
			if waits != 1 {
				w.Errorf("%+v: it was said %d times what is waited for", c.seed, waits)
			}
		})
	}
}
