package bootstrap_test

import (
	"context"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"dynamolake/bootstrap"
	"dynamolake/checkpoint/ledger"
	"dynamolake/internal/awssim"
)

func TestRunOutlivesWhatPeopleMend(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 23}, func(w *world) {
		w.live(time.Minute, 30)
		w.pitr(35)
		w.full()
		core, logs := observer.New(zapcore.ErrorLevel)
		r, err := bootstrap.NewRepairer(w.options("repair", func(o *bootstrap.Options) { o.Follow, o.Log = true, zap.New(core) }))
		if err != nil {
			w.Fatal(err)
		}
		denied := w.Intercept(func(c *awssim.Call) awssim.Fault {
			if c.Client == "repair" && c.Operation == "DescribeExport" {
				return awssim.Fault{Status: 400, Code: "AccessDeniedException"}
			}
			return awssim.Fault{}
		})
		ctx, stop := context.WithCancel(w.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		w.live(2*time.Hour, 60)
		if n := logs.Len(); n != 1 {
			w.Errorf("told %d times: %v", n, logs.All())
		}
		l := w.read()
		if e := l.Epochs[1]; e.Windows != 0 || len(e.Exports) < 5 {
			w.Errorf("the scene failed: %s", l.JSON())
		}
		denied()
		w.live(time.Hour, 30)
		if lag := time.Since(w.reach()); lag > 30*time.Minute {
			w.Errorf("the lake ends %v ago", lag)
		}
		w.wantItemsAt(w.reach())
		stop()
		if err := <-ended; err != nil {
			w.Error(err)
		}
	})
}

func TestAnExportLeftBehindIsFinishedByARepairer(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 24}, func(w *world) {
		w.live(time.Minute, 30)
		w.pitr(35)
		ctx, stop := context.WithTimeout(w.Context(), time.Minute)
		defer stop()
		if _, err := bootstrap.Bootstrap(ctx, w.options("dies"), bootstrap.Seed{NoStream: true}); err == nil {
			w.Fatal("it did not die")
		}
		if err := w.tryCatchUp(); err != nil {
			w.Error(err)
		}
		l := w.read()
		if b := l.Base(); b == nil || b.Exports[0].Status != ledger.Converted {
			w.Fatalf("%s", l.JSON())
		}
		w.wantItemsAt(w.reach())
	})
}
