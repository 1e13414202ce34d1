package consumer_test

import (
	"testing"
	"time"

	"dynamolake/checkpoint"
	"dynamolake/consumer"
	"dynamolake/internal/awssim"
)

func TestManyLossesAtOnceAreFewWrites(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	const shards = 1000
	inBubble(t, awssim.Config{Retention: time.Hour}, shards, func(f *fixture) {
		f.put("a", 4*shards)
		var fleet []*member
		for _, name := range []string{"one", "two", "three", "four"} {
			fleet = append(fleet, f.start(name, goOnHourly))
		}
		f.await()
		for _, m := range fleet {
			f.terminate(m)
		}
		f.put("lost", 4*shards)
		time.Sleep(3 * time.Hour)
		f.put("b", 4*shards)
		before := f.ledger().Revision
		for _, name := range []string{"five", "six", "seven", "eight"} {
			f.start(name, goOnHourly)
		}
		time.Sleep(5 * time.Minute)
		gaps, err := consumer.Gaps(f.Context(), f.Store("observer"), f.Prefix())
		if err != nil || len(gaps) < shards*9/10 {
			t.Fatalf("%d gaps, error %v: the test shows nothing", len(gaps), err)
		}
		l := f.ledger()
		t.Logf("%d shards lost their place: %d gaps in the ledger, %d changes of it", len(gaps), len(l.Gaps), l.Revision-before)
		if len(l.Gaps) != 1 || l.Revision-before > 25 {
			t.Errorf("%d gaps in the ledger, %d changes of it for %d shards", len(l.Gaps), l.Revision-before, len(gaps))
		}
		f.fix(hourly())
		table, err := f.Leases(f.Context())
		if err != nil {
			t.Fatal(err)
		}
		if done, _ := checkpoint.Adopted(table.Leases, 8); !done {
			t.Error("not all have adopted")
		}
	})
}
