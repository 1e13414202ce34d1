package bootstrap_test

import (
	"testing"
	"time"

	"dynamolake/bootstrap"
	"dynamolake/checkpoint/ledger"
	"dynamolake/internal/awssim"
)

// TestAConversionWaitsForThoseOfOtherTables because all of them at once would need that many times the memory, and
// after an outage all tables of a fleet have a gap.
func TestAConversionWaitsForThoseOfOtherTables(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 61}, func(w *world) {
		w.live(time.Minute, 30)
		w.pitr(35)
		turns := bootstrap.NewTurns(1)
		turns <- struct{}{} // another table's
		done := make(chan error, 1)
		go func() {
			_, err := bootstrap.Bootstrap(w.Context(), w.options("waiting", func(o *bootstrap.Options) { o.Turns = turns }), bootstrap.Seed{NoStream: true})
			done <- err
		}()
		time.Sleep(time.Hour)
		if x := w.read().Epochs[0].Exports[0]; x.Status != ledger.Exported {
			t.Errorf("while it is not its turn the export is %s", x.Status)
		}
		<-turns
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if len(turns) != 0 {
			t.Error("the turn is not over")
		}
		w.wantItemsAt(w.reach())
	})
}
