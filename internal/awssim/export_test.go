package awssim_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"
)

func TestAnExportShowsTheTableAsItWas(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newExportWorld(t, awssim.Config{Seed: 3})
		for i := range 100 {
			w.put(fmt.Sprint("k", i), "1")
		}
		time.Sleep(time.Minute)
		at := time.Now().Truncate(time.Second)
		want, err := w.ItemsAt("orders", at)
		if err != nil {
			t.Fatal(err)
		}
		d, err := w.full()
		for i := range 50 { // in the very instant, and so not in the export
			w.put(fmt.Sprint("k", i), "2")
			w.put(fmt.Sprint("new", i), "2")
		}
		d = w.wait(d, err)
		lines := w.lines(d)
		if len(lines) != 100 || len(want) != 100 || *d.ItemCount != 100 {
			t.Fatalf("%d lines, %d items, count %d", len(lines), len(want), *d.ItemCount)
		}
		if slices.IsSorted(lines) {
			t.Error("the lines are sorted")
		}
		time.Sleep(15 * time.Minute)
		d = w.wait(w.increment(at, at.Add(15*time.Minute)))
		if n := len(w.lines(d)); n != 100 {
			t.Errorf("%d changes, want 100", n)
		}
	})
}
