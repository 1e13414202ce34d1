package writer

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dynamolake/internal/bubble"
)

func TestBudgetServesInOrder(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		b := NewBudget(100)
		ctx := t.Context()
		if err := b.Acquire(ctx, 80, nil); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var order []int64
		for i, n := range []int64{60, 10, 500, 20} { // 10 would fit at once, but is not first
			go func() {
				time.Sleep(time.Duration(i) * time.Second)
				if err := b.Acquire(ctx, n, nil); err != nil {
					t.Error(err)
				}
				mu.Lock()
				order = append(order, n)
				mu.Unlock()
			}()
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if b.Waiting() != 4 || !b.Tight() || b.TryAcquire(1) {
			t.Fatalf("%d wait, want 4, and nobody passes them", b.Waiting())
		}
		for _, step := range []struct {
			release int64
			held    int64
			waiting int
		}{{80, 70, 2}, {60, 10, 2}, {10, 500, 1}, {500, 20, 0}, {20, 0, 0}} {
			b.Release(step.release)
			synctest.Wait()
			if b.Held() != step.held || b.Waiting() != step.waiting {
				t.Fatalf("after a release of %d: held %d, %d wait; want %d, %d", step.release, b.Held(), b.Waiting(), step.held, step.waiting)
			}
		}
		if len(order) != 4 || order[2] != 500 || order[3] != 20 {
			t.Errorf("served in the order %v", order)
		}
	})
}

func TestBudgetGivesUpWithTheContext(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		b := NewBudget(10)
		if !b.TryAcquire(10) || b.Tight() {
			t.Fatal("a free budget refuses")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		got := make(chan error, 1)
		go func() { got <- b.Acquire(ctx, 8, nil) }()
		second := make(chan error, 1)
		go func() {
			time.Sleep(time.Millisecond)
			second <- b.Acquire(t.Context(), 3, nil)
		}()
		time.Sleep(2 * time.Millisecond)
		b.Settle(10, 5) // 3 would fit, but stands behind 8
		synctest.Wait()
		if b.Waiting() != 2 {
			t.Fatalf("%d wait, want 2", b.Waiting())
		}
		if err := <-got; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if err := <-second; err != nil || b.Held() != 8 || b.Tight() {
			t.Errorf("the next in line got %v, held %d", err, b.Held())
		}
	})
}
