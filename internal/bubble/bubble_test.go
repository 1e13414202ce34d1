package bubble_test

import (
	"sync"
	"testing"
	"time"

	"dynamolake/internal/bubble"
)

// TestTimersThatRunOutAtOnce ends the process with a SIGSEGV under the race detector if two processors fire a bubble's timers:
// in one of its goroutines a timer that calls a function, in others timers of channels that nobody waits for.
func TestTimersThatRunOutAtOnce(t *testing.T) {
	const readers, rounds = 8, 20_000
	bubble.Run(t, func(t *testing.T) {
		var wg sync.WaitGroup
		counts := make([]int, readers)
		for i := range counts {
			wg.Go(func() {
				for range rounds {
					called := make(chan struct{})
					time.AfterFunc(time.Second, func() { close(called) })
					timer := time.NewTimer(time.Second)
					<-called
					select {
					case <-timer.C:
						counts[i]++
					default:
						t.Error("a timer that ran out says nothing")
					}
				}
			})
		}
		wg.Wait()
		for i, n := range counts {
			if n != rounds {
				t.Errorf("reader %d heard %d of %d timers", i, n, rounds)
			}
		}
	})
}
