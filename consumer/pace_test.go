package consumer

import (
	"testing"
	"time"
)

func TestAnIdleShardIsLeftAloneLongerAndLonger(t *testing.T) {
	p := pace{max: 10 * time.Second}
	for empties, want := range map[int]time.Duration{
		1: 250 * time.Millisecond, 8: 250 * time.Millisecond,
		9: 500 * time.Millisecond, 10: time.Second, 11: 2 * time.Second, 13: 8 * time.Second,
		14: 10 * time.Second, 100: 10 * time.Second, 1 << 30: 10 * time.Second,
	} {
		if got := p.idle(empties); got != want {
			t.Errorf("after %d empty pages the wait is %v, want %v", empties, got, want)
		}
	}
}

func TestFailedCallsBackOff(t *testing.T) {
	p := pace{max: 5 * time.Second}
	for failures, want := range map[int]time.Duration{
		1: 250 * time.Millisecond, 2: 500 * time.Millisecond, 5: 4 * time.Second, 6: 5 * time.Second, 17: 5 * time.Second, 18: 5 * time.Second, 1 << 30: 5 * time.Second,
	} {
		if got := p.backoff(failures); got != want {
			t.Errorf("after %d failures the wait is %v, want %v", failures, got, want)
		}
	}
}

func TestNoWaitIsLongerThanTheLongest(t *testing.T) {
	p := pace{max: 100 * time.Millisecond}
	for n := 1; n < 100; n++ {
		if p.idle(n) != p.max || p.backoff(n) != p.max {
			t.Fatalf("after %d: %v and %v, want %v", n, p.idle(n), p.backoff(n), p.max)
		}
	}
}

func TestJitterTakesAwayATenthAtMost(t *testing.T) {
	const wait = 10 * time.Second
	least, most := wait, time.Duration(0)
	for range 10_000 {
		d := jitter(wait)
		least, most = min(least, d), max(most, d)
	}
	if least < wait*9/10 || most > wait || most-least < wait/20 {
		t.Errorf("from %v to %v, want spread over 9 s to 10 s", least, most)
	}
	if d := jitter(0); d != 0 {
		t.Errorf("jitter of nothing is %v", d)
	}
}
