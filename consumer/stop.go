package consumer

import (
	"context"
	"errors"
	"time"

	"github.com/vmware/vmware-go-kcl-v2/clientlibrary/worker"
	"go.uber.org/zap"

	"dynamolake/checkpoint"
)

// shutdown hands everything over: the leases first, in parallel, because others
// wait for them; then the library, which has nothing left to do.
func shutdown(ctx context.Context, o Options, keeper *checkpoint.Keeper, kcl *worker.Worker, stopping chan struct{}, stop func(), kept <-chan error) error {
	began := time.Now()
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Settle)
	defer cancel()
	err := keeper.Drain(limit)
	close(stopping)
	done := make(chan struct{})
	go func() {
		defer close(done)
		kcl.Shutdown() // has no deadline of its own
	}()
	// The drain may have used up its time; the library gets some of its own. Then the
	// leases end, and with them whatever a session still waits for.
	ended := wait(done, o.Settle)
	stop()
	if !ended && !wait(done, lastWait) {
		err = errors.Join(err, errors.New("a shard did not stop in time; its lease expires by itself"))
	}
	if kerr := <-kept; kerr != nil && !errors.Is(kerr, context.Canceled) {
		err = errors.Join(err, kerr)
	}
	o.Log.Info("stopped", zap.Duration("took", time.Since(began)), zap.Error(err))
	return err
}

// lastWait is what a session may take to notice that its lease has ended.
const lastWait = 5 * time.Second

// wait tells whether done was closed in time.
func wait(done <-chan struct{}, limit time.Duration) bool {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}
