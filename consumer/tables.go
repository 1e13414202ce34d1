package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
)

// Tables are the tables that one process reads side by side. One that fails is tried again, or given up
// where that would be for nothing, and the others go on.
type Tables struct {
	log    *zap.Logger
	tables []*side
}

// Attempt is at reading one table.
type Attempt struct {
	Table      string
	Registerer prometheus.Registerer // what is registered there is taken back when the attempt is over
	Begun      func()                // to be called when the table is read
}

// side is one of the tables.
type side struct {
	name       string
	registerer prometheus.Registerer
	up         prometheus.Gauge

	mu      sync.Mutex
	err     error // why it is not read; nil while it is, or is about to be for the first time
	tries   int
	retryAt time.Time // zero: not before a new start
}

// Sided says how one of several tables fares.
type Sided struct {
	Table   string
	Err     error     // why it is not read; nil while nothing is wrong
	RetryAt time.Time // when it is tried again; zero where a new start is needed
}

// NewTables declares tables. registerer is asked for what a table's metrics are registered with.
func NewTables(names []string, registerer func(table string) prometheus.Registerer, log *zap.Logger) *Tables {
	t := &Tables{log: log}
	for _, name := range names {
		s := &side{name: name, registerer: registerer(name), up: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "dynamolake", Name: "table_up",
			Help: "1 while one of several tables is read; 0 after it failed, until it is read again.",
		})}
		s.up.Set(1)
		s.registerer.MustRegister(s.up)
		t.tables = append(t.tables, s)
	}
	return t
}

// forGood marks what trying again does not cure.
type forGood struct{ error }

func (e forGood) Unwrap() error { return e.error }

// ForGood says that an error stays until somebody has mended its cause and starts anew.
func ForGood(err error) error {
	if err == nil {
		return nil
	}
	return forGood{err}
}

func isForGood(err error) bool {
	_, marked := errors.AsType[forGood](err)
	_, rejects := errors.AsType[*TooManyRejects](err)
	return marked || rejects || errors.Is(err, ledger.ErrOtherTable)
}

// Run reads each table by read until ctx ends. read sets a table up, reads it,
// and returns nil when ctx has ended and all is handed over. Run returns nil if no table has
// failed since it was last read. It returns before ctx ends when nothing is left to do, or when another process
// uses the worker id.
func (t *Tables) Run(ctx context.Context, read func(context.Context, Attempt) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	for _, s := range t.tables {
		wg.Go(func() {
			t.keep(ctx, s, read)
			if errors.Is(s.fails().Err, checkpoint.ErrReplaced) {
				stop()
			}
		})
	}
	wg.Wait()
	var failed []error
	for _, s := range t.tables {
		if err := s.fails().Err; err != nil {
			failed = append(failed, fmt.Errorf("table %s: %w", s.name, err))
		}
	}
	return errors.Join(failed...)
}

// Tables whose trouble may pass are tried again, less and less often.
const (
	retryFirst = 5 * time.Second
	retryMost  = 5 * time.Minute
)

// keep reads a table until ctx ends, or it is given up.
func (t *Tables) keep(ctx context.Context, s *side, read func(context.Context, Attempt) error) {
	log := t.log.With(zap.String("table", s.name))
	said := ""
	for {
		metrics := &round{Registerer: s.registerer}
		err := read(ctx, Attempt{Table: s.name, Registerer: metrics, Begun: func() {
			if said != "" {
				log.Info("the table is read again")
			}
			said = ""
			s.note(nil, time.Time{})
		}})
		metrics.end()
		switch {
		case err == nil && ctx.Err() != nil:
			return
		case err == nil:
			err = errors.New("its reading ended without a reason")
		case ctx.Err() != nil && !errors.Is(err, context.Canceled):
			s.note(err, time.Time{}) // not all is handed over
			return
		case ctx.Err() != nil:
			return // it was about to begin; an earlier trouble stands
		}
		last := isForGood(err) || errors.Is(err, checkpoint.ErrReplaced)
		var wait time.Duration
		var retryAt time.Time
		if !last {
			wait = s.wait()
			retryAt = time.Now().Add(wait)
		}
		s.note(err, retryAt)
		if text := err.Error(); text != said {
			said = text
			log.Error("the table is not read; the others are", zap.Error(err), zap.Bool("tried_again", !last))
		}
		if last || sleep(ctx, wait) != nil {
			return
		}
	}
}

// wait is how long to wait before the next try.
func (s *side) wait() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries++
	return jitter(min(retryFirst<<min(s.tries-1, 10), retryMost))
}

func (s *side) note(err error, retryAt time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err, s.retryAt = err, retryAt
	if err == nil {
		s.tries = 0
		s.up.Set(1)
	} else {
		s.up.Set(0)
	}
}

func (s *side) fails() Sided {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Sided{Table: s.name, Err: s.err, RetryAt: s.retryAt}
}

// State says how each table fares, in their order.
func (t *Tables) State() []Sided {
	states := make([]Sided, 0, len(t.tables))
	for _, s := range t.tables {
		states = append(states, s.fails())
	}
	return states
}

// Ready adds to why single tables are not ready what keeps others from being read at all. reasons is asked
// for each that is read.
func (t *Tables) Ready(reasons func(table string) []Reason) (all []Reason) {
	for _, s := range t.State() {
		for _, r := range s.Ready(reasons) {
			all = append(all, Reason{r.Code, s.Table + ": " + r.Text})
		}
	}
	slices.SortStableFunc(all, func(a, b Reason) int { return slices.Index(Codes(), a.Code) - slices.Index(Codes(), b.Code) })
	return all
}

// Ready says why a table is not ready. reasons is asked if nothing keeps it from being read.
func (s Sided) Ready(reasons func(table string) []Reason) []Reason {
	if s.Err == nil {
		return reasons(s.Table)
	}
	text := "it is not read before a new start"
	if !s.RetryAt.IsZero() {
		text = "it is tried again in " + secs(max(0, time.Until(s.RetryAt)))
	}
	return []Reason{{TableFails, strings.ReplaceAll(s.Err.Error(), "\n", "; ") + "; " + text}}
}
