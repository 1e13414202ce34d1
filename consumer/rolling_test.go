package consumer_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/lakecheck"
	"dynamolake/internal/scene"
)

// TestARollingRestartLeavesNoHole replaces each of three workers, one as soon as the one before says that
// it is ready, as a platform does. Time is virtual, so freshness is judged, and more strictly than on a
// real machine: no row waits longer than the flush interval of a second and three more.
func TestARollingRestartLeavesNoHole(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	inBubble(t, awssim.Config{}, 4, func(f *fixture) {
		var mu sync.Mutex
		written := map[string]time.Time{} // by key: when the file was there
		f.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			if call.Operation != "PutObject" {
				return awssim.Fault{}
			}
			return awssim.Fault{After: func() {
				mu.Lock()
				defer mu.Unlock()
				_, key, _ := strings.Cut(call.Target, "/")
				if written[key].IsZero() {
					written[key] = time.Now()
				}
			}}
		})
		ready := func(name string) *member {
			s := &consumer.State{}
			m := f.start(name, func(o *consumer.Options) { o.State = s })
			for consumer.Ready(s.Facts(), dayLimits()) != nil {
				time.Sleep(100 * time.Millisecond)
			}
			return m
		}
		fleet := []*member{ready("a-0"), ready("b-0"), ready("c-0")}

		stop, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				case <-time.After(50 * time.Millisecond):
					f.put(strconv.Itoa(n), 3)
				}
			}
		}()
		time.Sleep(15 * time.Second) // a shard that was idle is asked seldom
		began := time.Now()
		for range 4 {
			for i, m := range fleet {
				f.terminate(m)
				fleet[i] = ready(m.name + "x")
			}
		}
		time.Sleep(5 * time.Second)
		close(stop)
		<-done
		f.await()
		f.prove(0)

		made := map[string]time.Time{}
		for _, r := range f.Cloud.Journal(scene.TableName) {
			if r.Created.After(began) {
				made[r.EventID] = r.Created
			}
		}
		lake, err := lakecheck.Read(f.Context(), f.Store("observer"), f.Prefix())
		if err != nil {
			f.Fatal(err)
		}
		const limit = time.Second + 3*time.Second
		var worst time.Duration
		for _, o := range lake.Objects {
			for _, row := range o.Rows {
				if at, after := made[row.EventID]; after {
					worst = max(worst, written[o.Key].Sub(at))
				}
			}
		}
		t.Logf("%d rows; the least fresh could be read %s after its write", len(made), worst.Round(time.Millisecond))
		if len(made) == 0 || worst <= 0 || worst > limit {
			t.Errorf("of %d rows the least fresh could be read %s after its write, want at most %s", len(made), worst, limit)
		}
	})
}
