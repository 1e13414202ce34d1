package checkpoint

import (
	"context"
	"errors"
	"time"
)

// ErrLost says that a lease is no longer ours. Nothing may be written under it.
var ErrLost = errors.New("lease lost")

// Lease is one shard held by this worker, for one session (generation) of
// reading it.
type Lease struct{}

func (l *Lease) Key() string                                                       { panic("todo") }
func (l *Lease) Parent() string                                                    { panic("todo") }
func (l *Lease) Token() int64                                                      { panic("todo") }
func (l *Lease) Generation() int64                                                 { panic("todo") }
func (l *Lease) Checkpoint() Checkpoint                                            { panic("todo") }
func (l *Lease) Check() error                                                      { panic("todo") }
func (l *Lease) Revoked() <-chan struct{}                                          { panic("todo") }
func (l *Lease) Context() context.Context                                          { panic("todo") }
func (l *Lease) Commit(ctx context.Context, seq string, currentTo time.Time) error { panic("todo") }
func (l *Lease) CaughtUp(t time.Time)                                              { panic("todo") }
func (l *Lease) Halt(ctx context.Context, gap string) error                        { panic("todo") }
func (l *Lease) End(ctx context.Context, children []Shard) error                   { panic("todo") }
func (l *Lease) Done()                                                             { panic("todo") }
