package scene

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"dynamolake/checkpoint/ledger"
	"dynamolake/writer"
)

// Sabotages are ways to break the promise on purpose: each takes a store and
// returns one that lies. A check that does not catch them is no check.
var sabotages = map[string]func(context.Context, writer.Store) writer.Store{
	// The checkpoint passes what is not durable: a write is acknowledged at once
	// and happens later, if its worker lives.
	"checkpoint-early": func(life context.Context, s writer.Store) writer.Store { return early{s, life} },
	// The second writer of a name wins, as in a store without conditional writes.
	"overwrite": func(_ context.Context, s writer.Store) writer.Store { return overwriting{s.(direct)} },
	// A refused batch is written all the same, under another name.
	"fork": func(_ context.Context, s writer.Store) writer.Store { return forking{s} },
}

// Sabotages names the ways to break the promise.
func Sabotages() []string { return []string{"checkpoint-early", "overwrite", "fork"} }

// WindowTooShort is the name of the sabotage that [Scene.ShortLedger] is.
const WindowTooShort = "window-too-short"

// Break returns a store that breaks the promise in the named way, for a worker that
// lives as long as the context. The store is one of [Scene.Store].
func Break(life context.Context, how string, s writer.Store) writer.Store {
	return sabotages[how](life, s)
}

// chained tells the objects that the promise is about; the probe must not be lied to.
func chained(key string) bool {
	return strings.Contains(key, "/after-") && strings.Contains(key, "/changes/")
}

type early struct {
	writer.Store
	life context.Context
}

const earlyBy = time.Second

func (e early) PutNew(ctx context.Context, key string, body []byte, meta map[string]string) error {
	if !chained(key) {
		return e.Store.PutNew(ctx, key, body, meta)
	}
	go func() {
		select {
		case <-e.life.Done(): // its worker is gone, and the write with it
		case <-time.After(earlyBy):
			_ = e.Store.PutNew(e.life, key, body, meta) // nobody is told: that is the sabotage
		}
	}()
	return nil
}

// overwriting leaves If-None-Match out, as a store would that does not know it.
type overwriting struct{ direct }

func (o overwriting) PutNew(ctx context.Context, key string, body []byte, meta map[string]string) error {
	if !chained(key) {
		return o.Store.PutNew(ctx, key, body, meta)
	}
	_, err := o.client.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(Bucket), Key: &key, Body: bytes.NewReader(body), Metadata: meta})
	return err
}

type forking struct{ writer.Store }

func (f forking) PutNew(ctx context.Context, key string, body []byte, meta map[string]string) error {
	err := f.Store.PutNew(ctx, key, body, meta)
	if !errors.Is(err, writer.ErrExists) || !chained(key) {
		return err
	}
	// The name of a cursor that nobody stands at.
	other := strings.Replace(key, "after-0", "after-9", 1)
	if err := f.Store.PutNew(ctx, other, body, meta); err != nil && !errors.Is(err, writer.ErrExists) {
		return err
	}
	return nil
}

// ShortLedger is the ledger as a repairer would keep it that ends the window of a gap too early:
// in the middle. It claims the rest for the stream.
func (s *Scene) ShortLedger(client string) *ledger.Store {
	return ledger.NewStore(short{s.register(client)}, s.Table.ARN)
}

type short struct{ ledger.Register }

func (r short) Swap(ctx context.Context, body []byte, version string) error {
	l, err := ledger.Parse(body)
	if err != nil {
		return err
	}
	for i := range l.Gaps {
		g := &l.Gaps[i]
		windows, stream := l.Epoch(g.Epoch), l.Epoch(g.After)
		if g.State != ledger.GapRepairing || windows == nil || stream == nil || windows.Windows > 0 || len(windows.Exports) > 0 || windows.From != windows.To {
			continue
		}
		if !windows.Until.Equal(g.To) || !stream.From.Equal(g.To) || g.Reason == shortened {
			continue
		}
		g.To = g.From.Add(g.To.Sub(g.From) / 2).Truncate(time.Second)
		windows.Until, stream.From, g.Reason = g.To, g.To, shortened
	}
	return r.Register.Swap(ctx, l.JSON(), version)
}

const shortened = "sabotage: the window ends early"
