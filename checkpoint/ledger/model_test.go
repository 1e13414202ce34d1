package ledger

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// The model plays the three sources without files or calls: a table, a stream
// of shards that forgets, exports on partition clocks of their own, and readers that
// lag, stop and adopt epochs late. The ledger decides; at the end the rows are
// folded by (_epoch, order) and must be the table.

type write struct {
	at      time.Time // true time
	stamp   time.Time // on the partition's clock
	key     int
	value   int // 0: deleted
	existed bool
}

type modelRow struct {
	epoch int64
	order int64 // _seq or _ts within the epoch
	key   int
	value int
	at    time.Time // _ts of a stream row
	full  bool
}

type modelShard struct {
	keys    []int
	pos     int // into log
	log     []write
	adopted int64
	through time.Time // time of the last row written under an older epoch
	current time.Time // all up to here is in the lake
}

type model struct {
	t      *testing.T
	r      *rand.Rand
	timing Timing
	now    time.Time
	l      Ledger
	writes []write
	state  map[int]int
	offset map[int]time.Duration // of a key's partition
	shards []*modelShard
	rows   []modelRow
	seq    int64
	arn    string
	pitr   time.Time // since when it is on; zero: off
	broken string    // a rule left out on purpose
	tails  int       // items that only the question to the table got right
}

var histories = flag.Int("ledger.histories", 3000, "how many histories the model plays")

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func newModel(t *testing.T, seed uint64) *model {
	m := &model{
		t: t, r: rand.New(rand.NewPCG(seed, 1)), timing: RealTiming(), now: start,
		arn: "arn", state: map[int]int{}, offset: map[int]time.Duration{}, pitr: start,
	}
	keys := 0
	for range 1 + m.r.IntN(4) {
		s := &modelShard{current: start}
		off := time.Duration(m.r.IntN(120)-60) * time.Second
		for range 1 + m.r.IntN(6) {
			s.keys = append(s.keys, keys)
			m.offset[keys] = off
			keys++
		}
		m.shards = append(m.shards, s)
	}
	return m
}

func (m *model) chance(percent int) bool { return m.r.IntN(100) < percent }

// write changes some items within the next span.
func (m *model) live(span time.Duration) {
	end := m.now.Add(span)
	for n := m.r.IntN(12); n > 0; n-- {
		m.now = m.now.Add(time.Duration(m.r.Int64N(int64(span/12) + 1)))
		for burst := 1 + m.r.IntN(3); burst > 0; burst-- {
			m.now = m.now.Add(time.Duration(m.r.IntN(2000)) * time.Millisecond)
			s := m.shards[m.r.IntN(len(m.shards))]
			key := s.keys[m.r.IntN(len(s.keys))]
			w := write{at: m.now, stamp: m.now.Add(m.offset[key]), key: key, existed: m.state[key] != 0}
			if !w.existed || m.chance(50) {
				w.value = len(m.writes) + 1
			}
			if w.value == 0 && !w.existed {
				continue
			}
			m.state[key] = w.value
			m.writes = append(m.writes, w)
			s.log = append(s.log, w)
		}
	}
	if m.now.Before(end) {
		m.now = end
	}
}

// open is a session's beginning, and what it does when the ledger has changed.
func (m *model) adopt(s *modelShard) {
	if e := m.l.Streaming().Number; s.adopted < e {
		if s.adopted != 0 {
			s.through = s.current
			if s.pos > 0 {
				s.through = s.log[s.pos-1].at
			}
		}
		if m.broken != "adopt late" || m.chance(30) {
			s.adopted = e
		}
	}
}

// read lets a shard's owner take some records into the lake.
func (m *model) read(s *modelShard, all bool) {
	if s.pos < len(s.log) && m.now.Sub(s.log[s.pos].at) > m.timing.Retention {
		_, epoch, err := m.l.OpenGap(Loss{Since: s.current, Seen: m.now, Reason: "trimmed", Adopted: s.adopted}, m.timing)
		if err != nil {
			m.t.Fatal(err)
		}
		if m.broken == "same epoch" {
			m.l.Epochs[len(m.l.Epochs)-1].Number = epoch
		}
		if s.adopted != 0 && s.adopted < epoch {
			s.through = s.current
		}
		s.adopted = epoch
		for s.pos < len(s.log) && m.now.Sub(s.log[s.pos].at) > m.timing.Retention {
			s.pos++
		}
	}
	m.adopt(s)
	for s.pos < len(s.log) && (all || m.chance(80)) {
		w := s.log[s.pos]
		s.pos++
		m.seq++
		s.current = w.at.Truncate(time.Second)
		m.rows = append(m.rows, modelRow{epoch: s.adopted, order: m.seq, key: w.key, value: w.value, at: w.at.Truncate(time.Second)})
	}
	if s.pos == len(s.log) {
		s.current = m.now
	}
}

// fix does what the repairer does: when all have adopted, the gap's end is known.
func (m *model) fix() {
	for i := range m.l.Gaps {
		g := m.l.Gaps[i]
		if g.State != GapOpen {
			continue
		}
		through := time.Time{}
		for _, s := range m.shards {
			if s.adopted < g.After {
				if m.broken != "fix early" {
					return
				}
				continue
			}
			if s.through.After(through) {
				through = s.through
			}
		}
		if m.broken == "no through" {
			through = time.Time{}
		}
		if err := m.l.FixGap(g.Number, through, m.timing); err != nil {
			m.t.Fatal(err)
		}
	}
}

// export is what AWS shows of a window: one record per key, compacted, on the partition's clock.
func (m *model) export(from, to time.Time) map[int]write {
	first, last := map[int]write{}, map[int]write{}
	for _, w := range m.writes {
		if w.stamp.Before(from) || !w.stamp.Before(to) {
			continue
		}
		if _, ok := first[w.key]; !ok {
			first[w.key] = w
		}
		last[w.key] = w
	}
	for key, w := range last {
		if w.value == 0 && !first[key].existed {
			delete(last, key)
		}
	}
	return last
}

// windows plans and converts what is due.
func (m *model) windows() {
	f := Facts{PITR: !m.pitr.IsZero(), Earliest: m.pitr, Latest: m.now.Add(-m.timing.Safe), Window: time.Duration(15+m.r.IntN(2000)) * time.Minute, InFlight: 1 + m.r.IntN(3)}
	if limit := m.now.AddDate(0, 0, -35); f.Earliest.Before(limit) {
		f.Earliest = limit
	}
	for _, step := range m.l.Plan(f, m.timing) {
		if step.Lost {
			m.l.GiveUp(step.Epoch, step.Why, f.Earliest, m.now)
		}
		for _, x := range step.Plan {
			if d := x.To.Sub(x.From); d < m.timing.MinWindow || d > m.timing.MaxWindow || x.To.After(f.Latest) {
				m.t.Errorf("a window from %v to %v at %v", x.From, x.To, m.now)
			}
			if err := m.l.Add(step.Epoch, x); err != nil {
				m.t.Fatal(err)
			}
		}
	}
	for i := range m.l.Epochs {
		e := &m.l.Epochs[i]
		for e.Source == Incremental && len(e.Exports) > 0 && m.chance(70) {
			x := e.Exports[0]
			shown := m.export(x.From, x.To)
			for key, w := range shown {
				m.rows = append(m.rows, modelRow{epoch: e.Number, order: w.stamp.UnixMicro(), key: key, value: w.value, at: w.stamp})
			}
			if err := m.l.Convert(e.Number, x.From, Done{Items: int64(len(shown)), To: x.To}, m.now, m.timing); err != nil {
				m.t.Fatal(err)
			}
		}
		if e.Source == Incremental && !e.Until.IsZero() && !e.To.Before(e.Until) {
			m.tail(e)
		}
	}
}

// tail asks the table for items that the lake has from the overlap, alive, and
// that no window of the epoch mentions.
func (m *model) tail(e *Epoch) {
	if m.broken == "no tail" {
		return
	}
	mentioned := map[int]bool{}
	newest := map[int]modelRow{}
	for _, r := range m.rows {
		if r.epoch == e.Number {
			mentioned[r.key] = true
		}
		if r.epoch < e.Number && !r.full && !r.at.IsZero() {
			if old, ok := newest[r.key]; !ok || cmp.Or(cmp.Compare(old.epoch, r.epoch), cmp.Compare(old.order, r.order)) < 0 {
				newest[r.key] = r
			}
		}
	}
	for key, r := range newest {
		if r.value != 0 && !mentioned[key] && !r.at.Before(e.From.Add(-m.timing.Skew)) && m.state[key] == 0 {
			m.tails++
			m.rows = append(m.rows, modelRow{epoch: e.Number, order: e.From.UnixMicro(), key: key})
		}
	}
}

// full makes a full export at T, at once.
func (m *model) full() {
	at := m.now.Add(-time.Duration(m.r.IntN(600)) * time.Second).Truncate(time.Second)
	if at.Before(m.pitr) || m.pitr.IsZero() {
		return
	}
	epoch, err := m.l.StartFull(Export{To: at, Status: Planned}, m.chance(20))
	if err != nil {
		return
	}
	last := map[int]int{}
	for _, w := range m.writes {
		if w.stamp.Before(at) {
			last[w.key] = w.value
		}
	}
	for key, v := range last {
		if v != 0 {
			m.rows = append(m.rows, modelRow{epoch: epoch, key: key, value: v, full: true})
		}
	}
	m.live(time.Duration(m.r.IntN(40*60)) * time.Minute)
	if m.chance(50) {
		for _, s := range m.shards {
			if m.l.Streaming() != nil {
				m.read(s, m.chance(50))
			}
		}
	}
	if err := m.l.Convert(epoch, time.Time{}, Done{To: at}, m.now, m.timing); err != nil {
		m.t.Fatal(err)
	}
}

// startStream begins to read at the trim horizon, or at the tip.
func (m *model) startStream() {
	from := m.now.Add(-m.timing.Retention)
	if from.Before(start) {
		from = start
	}
	if m.chance(30) {
		from = m.now
	}
	m.l.StartStream(m.arn, from, time.Time{}, m.now, m.timing)
	for _, s := range m.shards {
		s.pos = 0
		for s.pos < len(s.log) && s.log[s.pos].at.Before(from) {
			s.pos++
		}
		s.current = from
	}
}

// replaceStream turns the stream off, has the old one drained as far as it goes, and
// turns another on.
func (m *model) replaceStream() {
	for _, s := range m.shards {
		end := len(s.log)
		m.live(time.Minute)
		if m.chance(20) { // nobody comes to drain it in time
			m.now = m.now.Add(m.timing.Retention + time.Hour)
		}
		log := s.log
		s.log = log[:end]
		m.read(s, true)
		s.log = log
	}
	m.live(time.Duration(m.r.IntN(600)) * time.Minute) // written while there is no stream
	from, since := m.now, m.now
	for _, s := range m.shards {
		if s.pos < len(s.log) && s.current.After(s.log[s.pos].at) {
			s.current = s.log[s.pos].at.Truncate(time.Second)
		}
		if s.current.Before(since) {
			since = s.current
		}
		s.pos = len(s.log)
	}
	m.arn += "+"
	m.l.StartStream(m.arn, from, since, m.now, m.timing)
	for _, s := range m.shards {
		s.current = from
	}
}

func (m *model) settle() {
	for range 60 {
		m.now = m.now.Add(30 * time.Minute)
		for _, s := range m.shards {
			if m.l.Streaming() != nil {
				m.read(s, true)
			}
		}
		m.fix()
		m.windows()
	}
}

// fold is what a reader does.
func (m *model) fold() map[int]int {
	base := m.l.Base()
	rows := slices.Clone(m.rows)
	slices.SortStableFunc(rows, func(a, b modelRow) int { return cmp.Or(cmp.Compare(a.epoch, b.epoch), cmp.Compare(a.order, b.order)) })
	state := map[int]int{}
	for _, r := range rows {
		if r.epoch >= base.Number {
			state[r.key] = r.value
		}
	}
	return state
}

// play runs one history and returns what is wrong at its end; proven tells whether the lake claims to be whole.
func (m *model) play() (wrong string, proven bool) {
	streaming := m.chance(80)
	if streaming && m.chance(50) {
		m.startStream()
	}
	for range 12 + m.r.IntN(20) {
		m.live(time.Duration(m.r.IntN(180)) * time.Minute)
		switch m.r.IntN(10) {
		case 0:
			m.full()
		case 1:
			if streaming && m.l.Streaming() == nil {
				m.startStream()
			}
		case 2: // an outage
			m.live(time.Duration(m.r.IntN(50)) * time.Hour)
		case 3:
			if !streaming {
				_, _ = m.l.Follow() // there may be nothing to follow yet
			}
		case 4:
			if m.chance(30) {
				m.pitr = m.now // off and on
			}
		case 5:
			if m.l.Streaming() != nil && m.chance(40) {
				m.replaceStream()
			}
		default:
			for _, s := range m.shards {
				if m.l.Streaming() != nil && m.chance(70) {
					m.read(s, m.chance(50))
				}
			}
		}
		m.fix()
		if m.chance(70) {
			m.windows()
		}
	}
	if m.l.Base() == nil {
		m.full()
	}
	m.settle()
	if m.l.lost() != nil {
		m.full()
		m.settle()
	}
	if m.l.Base() == nil {
		return "", false
	}
	if s := m.l.Streaming(); s == nil && m.l.following() == nil {
		return "", false
	}
	through := m.now
	if _, err := Parse(m.l.JSON()); err != nil {
		m.t.Fatal(err)
	}
	asOf := m.now
	if m.l.Streaming() == nil {
		asOf = m.l.Reach(through)
	} else if !m.l.Covers(m.now, through) {
		return fmt.Sprintf("the lake reaches to %v only", m.l.Reach(through)), false
	}
	got, want := m.fold(), map[int]int{}
	for _, w := range m.writes {
		if m.l.Streaming() != nil || w.stamp.Before(asOf) {
			want[w.key] = w.value
		}
	}
	for key := range want {
		if got[key] != want[key] {
			return fmt.Sprintf("key %d is %d, want %d", key, got[key], want[key]), true
		}
	}
	for key := range got {
		if got[key] != 0 && want[key] == 0 {
			return fmt.Sprintf("key %d is %d, and is not in the table", key, got[key]), true
		}
	}
	return "", true
}

func TestTheFoldIsTheTable(t *testing.T) {
	n := *histories
	if testing.Short() {
		n /= 10
	}
	proven, gaps, tails := 0, 0, 0
	for seed := range uint64(n) {
		m := newModel(t, seed)
		wrong, ok := m.play()
		if wrong != "" {
			t.Errorf("seed %d: %s\n%s", seed, wrong, m.l.JSON())
			break
		}
		if ok {
			proven++
		}
		gaps += len(m.l.Gaps)
		tails += m.tails
	}
	t.Logf("%d histories proven, %d gaps, %d items deleted unseen", proven, gaps, tails)
	if proven < n/2 || gaps < n || tails == 0 {
		t.Error("the model does not play what it is for")
	}
}

// TestTheModelCatches leaves one rule out at a time.
func TestTheModelCatches(t *testing.T) {
	for _, rule := range []string{"fix early", "no through", "no tail"} {
		t.Run(rule, func(t *testing.T) {
			for seed := range uint64(20_000) {
				m := newModel(t, seed)
				m.broken = rule
				if wrong, _ := m.play(); wrong != "" {
					t.Logf("seed %d: %s", seed, wrong)
					return
				}
			}
			t.Error("nobody noticed")
		})
	}
}
