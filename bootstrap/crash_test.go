package bootstrap_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"dynamolake/bootstrap"
	"dynamolake/internal/awssim"
)

var errKilled = errors.New("killed")

// killed runs f as a worker that dies with its n-th call, before the call has an effect or right
// after it. It tells whether it lived to the end.
func (w *world) killed(worker string, n int, after bool, f func(ctx context.Context) error) (lived bool) {
	w.Helper()
	ctx, kill := context.WithCancelCause(w.Context())
	defer kill(nil)
	var mu sync.Mutex
	calls := 0
	defer w.Intercept(func(c *awssim.Call) awssim.Fault {
		if c.Client != worker {
			return awssim.Fault{}
		}
		mu.Lock()
		defer mu.Unlock()
		if calls++; calls < n {
			return awssim.Fault{}
		}
		if calls == n && after {
			return awssim.Fault{After: func() { kill(errKilled) }, DropReply: true}
		}
		kill(errKilled)
		return awssim.Fault{Status: 503, Code: "Dead"}
	})()
	err := f(ctx)
	if ctx.Err() == nil && err != nil {
		w.Fatalf("killed at call %d: %v", n, err)
	}
	return ctx.Err() == nil
}

// everyCrash plays a scene again and again, with a crash at each call there is.
func everyCrash(t *testing.T, cfg awssim.Config, before func(*world), act func(*world, context.Context, bootstrap.Options) error, check func(*world)) {
	for _, after := range []bool{false, true} {
		lived, n := false, 0
		for n = 1; !lived; n++ {
			t.Run(fmt.Sprint("call ", n, " after ", after), func(t *testing.T) {
				inWorld(t, cfg, func(w *world) {
					before(w)
					seldom := func(o *bootstrap.Options) { o.Poll = 2 * time.Minute }
					lived = w.killed("first", n, after, func(ctx context.Context) error { return act(w, ctx, w.options("first", seldom)) })
					time.Sleep(time.Second)
					if err := act(w, w.Context(), w.options("second", seldom)); err != nil {
						w.Fatalf("the second worker: %v", err)
					}
					check(w)
				})
			})
			if t.Failed() {
				return
			}
		}
		t.Logf("%d calls", n-2)
	}
}

func TestACrashAtAnyCallOfAFullExport(t *testing.T) {
	if testing.Short() {
		t.Skip("one world a call")
	}
	everyCrash(t, awssim.Config{Seed: 3, ExportFiles: 2}, func(w *world) {
		w.live(time.Second, 20)
	}, func(_ *world, ctx context.Context, o bootstrap.Options) error {
		o.DropRaw = true
		_, err := bootstrap.Bootstrap(ctx, o, bootstrap.Seed{Enable: true})
		return err
	}, func(w *world) {
		w.wantState(w.Items("orders"))
		w.wantOnce()
		if n := len(w.Exports("orders")); n != 1 {
			w.Errorf("%d exports", n)
		}
	})
}

func TestACrashAtAnyCallOfWindows(t *testing.T) {
	if testing.Short() {
		t.Skip("one world a call")
	}
	everyCrash(t, awssim.Config{Seed: 4, ExportFiles: 2}, func(w *world) {
		w.live(time.Second, 20)
		w.pitr(35)
		w.full()
		w.live(32*time.Minute, 24)
	}, func(_ *world, ctx context.Context, o bootstrap.Options) error {
		o.Follow = true
		o.DropRaw = true
		r, err := bootstrap.NewRepairer(o)
		if err == nil {
			_, err = r.CatchUp(ctx)
		}
		return err
	}, func(w *world) {
		reach := w.reach()
		if lag := time.Since(reach); lag > 25*time.Minute {
			w.Errorf("the lake ends %v ago", lag)
		}
		w.wantItemsAt(reach)
		w.wantOnce()
		l := w.read()
		if n := len(w.Exports("orders")); n != 1+l.Epochs[1].Windows {
			w.Errorf("%d exports, the ledger counts 1 and %d", n, l.Epochs[1].Windows)
		}
		if left := w.objects(".json.gz"); len(left) != 2 { // of full, which did not drop
			w.Errorf("objects that were to be dropped: %q", left)
		}
	})
}

func (w *world) reach() time.Time {
	l := w.read()
	return l.Reach(time.Time{})
}

func (w *world) wantItemsAt(at time.Time) {
	w.Helper()
	want, err := w.ItemsAt("orders", at)
	if err != nil {
		w.Fatal(err)
	}
	w.wantState(want)
}

// split gives a worker the datasets of a schema before it acts.
func split(text string, act func(context.Context, bootstrap.Options) error) func(*world, context.Context, bootstrap.Options) error {
	return func(w *world, ctx context.Context, o bootstrap.Options) (err error) {
		if o.Datasets, err = w.datasets(ctx, o, text); err != nil {
			return err
		}
		return act(ctx, o)
	}
}

func TestACrashAtAnyCallOfAFullExportInThreeDatasets(t *testing.T) {
	if testing.Short() {
		t.Skip("one world a call")
	}
	everyCrash(t, awssim.Config{Seed: 36, ExportFiles: 2}, func(w *world) {
		w.live(time.Second, 30)
		w.pitr(35)
	}, split(threeDatasets, func(ctx context.Context, o bootstrap.Options) error {
		o.DropRaw = true
		_, err := bootstrap.Bootstrap(ctx, o, bootstrap.Seed{NoStream: true})
		return err
	}), func(w *world) {
		w.wantDatasets(w.Items("orders"), has)
		if n := len(w.objects("snapshot/")); n != 6 || len(w.Exports("orders")) != 1 {
			w.Errorf("%d files of %d exports", n, len(w.Exports("orders")))
		}
		if r := w.record(w.base().ID()); r.Rejects != 0 || r.Rows != int64(w.footerRows("snapshot/")) {
			w.Errorf("record %+v", r)
		}
	})
}

func TestACrashAtAnyCallOfAnInferredExport(t *testing.T) {
	if testing.Short() {
		t.Skip("one world a call")
	}
	everyCrash(t, awssim.Config{Seed: 38, ExportFiles: 2}, func(w *world) {
		w.live(time.Second, 30)
		w.pitr(35)
	}, split("", func(ctx context.Context, o bootstrap.Options) error {
		_, err := bootstrap.Bootstrap(ctx, o, bootstrap.Seed{NoStream: true})
		return err
	}), func(w *world) {
		w.wantDatasets(w.Items("orders"), map[string]func(string) (string, bool){"all": has["everything"]})
		versions := w.objects("_ledger/schemas/")
		if x := w.base(); x.Schema != 2 || len(versions) != 2 || w.record(x.ID()).Schema != 2 {
			w.Errorf("export of schema %d, versions %q", x.Schema, versions)
		}
		for key, f := range w.footers("snapshot/") {
			if f.Meta["schema"] != "2" || len(columnsOf(f)) != 3 {
				w.Errorf("%s has schema %s and columns %q", key, f.Meta["schema"], columnsOf(f))
			}
		}
	})
}

func TestACrashAtAnyCallOfWindowsInThreeDatasets(t *testing.T) {
	if testing.Short() {
		t.Skip("one world a call")
	}
	everyCrash(t, awssim.Config{Seed: 37, ExportFiles: 2}, func(w *world) {
		w.live(time.Second, 30)
		w.pitr(35)
		w.full(w.with(threeDatasets))
		w.live(17*time.Minute, 24)
	}, split(threeDatasets, func(ctx context.Context, o bootstrap.Options) error {
		o.Follow = true
		r, err := bootstrap.NewRepairer(o)
		if err == nil {
			_, err = r.CatchUp(ctx)
		}
		return err
	}), func(w *world) {
		w.wantDatasets(w.itemsAt(w.reach()), has)
		if w.read().Epochs[1].Windows == 0 {
			w.Error("no window was converted")
		}
	})
}

// footerRows counts the rows of files.
func (w *world) footerRows(word string) (n int) {
	w.Helper()
	for _, f := range w.footers(word) {
		n += int(f.Rows)
	}
	return n
}
