package writer

import (
	"slices"
	"testing"
	"time"

	"dynamolake/internal/bubble"
)

// TestWhoMayHaveMemory is about tables that share 120 bytes: each has 20 of its own, 60 are lent.
func TestWhoMayHaveMemory(t *testing.T) {
	type ask struct {
		table int
		n     int64
	}
	for _, c := range []struct {
		name string
		held [3]int64
		asks []ask
		pass []int // places in asks
	}{
		{"a table alone may have all that is lent, and its own", [3]int64{}, []ask{{0, 80}}, []int{0}},
		{"but not what is the others' own", [3]int64{1, 0, 0}, []ask{{0, 80}}, nil},
		{"its own is there for a table whatever the others hold", [3]int64{80, 0, 0}, []ask{{1, 20}, {2, 15}}, []int{0, 1}},
		{"and whoever waits before it", [3]int64{80, 0, 0}, []ask{{0, 1}, {0, 1}, {1, 20}}, []int{2}},
		{"what is lent goes to who asked first", [3]int64{70, 20, 20}, []ask{{1, 10}, {2, 1}, {0, 1}}, []int{0}},
		{"who is larger than what is left holds back who needs lent memory too", [3]int64{60, 0, 0}, []ask{{1, 45}, {0, 5}, {2, 10}}, []int{2}},
		{"nobody passes another of his table", [3]int64{60, 0, 0}, []ask{{1, 45}, {1, 5}}, nil},
		{"a giant passes when its table holds nothing and nothing is lent", [3]int64{0, 20, 20}, []ask{{0, 1000}, {1, 1}}, []int{0}},
		{"and waits else", [3]int64{0, 21, 0}, []ask{{0, 1000}}, nil},
		{"behind a giant the others have their own", [3]int64{1000, 5, 0}, []ask{{1, 15}, {2, 20}, {1, 1}}, []int{0, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tables := Budgets(120, 3)
			var waiting []*waiter
			for i := range tables {
				tables[i].held = c.held[i]
			}
			for _, a := range c.asks {
				waiting = append(waiting, &waiter{of: tables[a.table], n: a.n})
			}
			var pass []int
			for _, w := range admitted(tables, waiting, tables[0].pool.own, tables[0].pool.limit) {
				pass = append(pass, slices.Index(waiting, w))
			}
			if !slices.Equal(pass, c.pass) {
				t.Errorf("%v pass, want %v", pass, c.pass)
			}
		})
	}
}

func TestATablesOwnMemoryIsNotWaitedFor(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		b := Budgets(100, 2)
		if !b[0].TryAcquire(75) || b[0].TryAcquire(1) || !b[1].TryAcquire(20) {
			t.Fatal("25 are each table's own, and 50 are lent")
		}
		passed := make(chan int, 3)
		for i, table := range []int{0, 1, 0} {
			go func() {
				time.Sleep(time.Duration(i) * time.Second)
				if err := b[table].Acquire(t.Context(), 10, nil); err != nil {
					t.Error(err)
				}
				passed <- i
			}()
		}
		time.Sleep(5 * time.Second)
		if b[0].Waiting() != 2 || b[1].Waiting() != 1 || !b[0].Tight() || !b[1].Tight() {
			t.Fatal("all three wait")
		}
		b[1].Release(10) // of its own, so only the second fits
		if i := <-passed; i != 1 || b[1].Held() != 20 || b[1].Tight() {
			t.Errorf("%d passed, and %d are held: what others lack is not this table's to give", i, b[1].Held())
		}
		b[0].Release(20)
		if i, j := <-passed, <-passed; i+j != 2 || b[0].Held() != 75 || b[0].Tight() {
			t.Errorf("%d and %d passed, %d held", i, j, b[0].Held())
		}
	})
}
