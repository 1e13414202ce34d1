package consumer

import (
	"fmt"
	"maps"
	"sync"
	"time"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
)

// State is what can be told of a worker while it runs, at no cost: give one to [Options] and
// ask it from anywhere. The zero value is that of a worker which has not begun.
type State struct {
	mu       sync.Mutex
	driver   *checkpoint.Driver // of the stream that is being read; nil before, and between two
	listed   time.Time          // when the library last asked which shards to run
	view     *view
	metrics  *metrics
	standing map[string]string // by shard: what keeps it
}

// Facts are a [State] at a moment.
type Facts struct {
	// Reading is false before a stream is read, and between two.
	Reading bool
	// Silent is for how long the library has not asked which shards to run: it asks every
	// second or so.
	Silent time.Duration
	Leases checkpoint.Pulse
	// LedgerAge is how long ago the ledger was asked and answered.
	LedgerAge time.Duration
	// Gaps are those of the ledger that are not closed.
	Gaps []ledger.Gap
	// Standing says what keeps a shard, of those that something does.
	Standing map[string]string
}

// Facts are told from memory.
func (s *State) Facts() Facts {
	s.mu.Lock()
	driver, v := s.driver, s.view
	f := Facts{Reading: driver != nil && v != nil, Standing: maps.Clone(s.standing)}
	listed := s.listed
	s.mu.Unlock()
	if !f.Reading {
		return f
	}
	f.Silent = time.Since(listed)
	f.Leases = driver.Pulse()
	f.LedgerAge = v.age()
	f.Gaps = v.now.Load().Missing()
	return f
}

// Reach is how far the fleet's slowest shard is behind, from what this worker's last scan of the
// lease table said; false while that is not known.
func (s *State) Reach() (lag time.Duration, ok bool) {
	s.mu.Lock()
	driver := s.driver
	s.mu.Unlock()
	if driver == nil || !driver.Pulse().Begun {
		return 0, false
	}
	through, reading, now := driver.Reach()
	if !reading || through.IsZero() {
		return 0, !reading
	}
	return max(0, now.Sub(through)), true
}

// pollsPerHour are this worker's GetRecords calls.
func (s *State) pollsPerHour() float64 {
	s.mu.Lock()
	m := s.metrics
	s.mu.Unlock()
	if m == nil {
		return 0
	}
	return m.polls.perHour(time.Now())
}

// listing notes that the library asks which shards to run.
func (s *State) listing(d *checkpoint.Driver) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.driver, s.listed = d, time.Now()
}

// following notes the ledger that a worker goes by, and over that it reads no stream now.
func (s *State) following(v *view) (over func()) {
	if s == nil {
		return func() {}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.view, s.driver = v, nil
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.view, s.driver, s.metrics, s.standing = nil, nil, nil, nil
	}
}

// stepped notes how a session is after a step.
func (s *State) stepped(ses *session) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.metrics = ses.metrics
	if why := ses.standing(); why != "" {
		if s.standing == nil {
			s.standing = map[string]string{}
		}
		s.standing[ses.shard] = why
	} else {
		delete(s.standing, ses.shard)
	}
}

// left forgets a shard.
func (s *State) left(shard string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.standing, shard)
}

// standing says what keeps a shard from moving; empty where nothing seems to.
func (s *session) standing() string {
	switch {
	case s.crashed:
		return "a bug stopped it; it is read again soon"
	case s.putFails > 0:
		return fmt.Sprintf("the lake refused %d writes in a row", s.putFails)
	case s.failures > 0 && s.blocked.Load():
		return "the stream may not be read: a permission is missing"
	case s.failures > 0:
		return fmt.Sprintf("%d reads in a row failed", s.failures)
	case s.durable:
		return "it has ended, and its children are looked for"
	}
	return ""
}
