package writer

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"dynamolake/internal/bubble"
	"dynamolake/transform"
)

var (
	chainSeeds = flag.Int("chain.seeds", 300, "random histories of a chain")
	chainFirst = flag.Uint64("chain.first", 1, "seed of the first history")
)

// world is one shard, its chain, and the lease's checkpoint that lags behind.
type world struct {
	r       *rand.Rand
	mu      sync.Mutex
	shard   []int // the shard's records, sparse
	trimmed int   // records up to here have left the stream
	store   *memStore
	lag     int // the checkpoint: a record number up to which the chain is known to be durable
	broken  bool
	adopted int // times that an owner found another's link
	keep    func(n, config int) bool
}

// draw is a random number in [0,n); the world's own order keeps a seed's history.
func (w *world) draw(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.r.IntN(n)
}

func (w *world) sleep(most time.Duration) {
	w.mu.Lock()
	d := time.Duration(w.r.Int64N(int64(most)))
	w.mu.Unlock()
	time.Sleep(d)
}

var errLost = errors.New("reply lost")

// TestRandomHistories runs owners and zombies of one shard against each other:
// they start from lagging checkpoints, read pages and cut batches of random size,
// drop what their own version of a filter does not keep, sleep at any moment,
// and write to a store that loses requests and replies, or lets a request land
// long after its reply was lost. At the end every record that all filters keep
// must be in the chain once, in order, whoever wrote it.
func TestRandomHistories(t *testing.T) {
	adopted := 0
	for seed := *chainFirst; seed < *chainFirst+uint64(*chainSeeds); seed++ {
		n, err := history(t, seed, false)
		if err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
		adopted += n
	}
	if adopted < 10**chainSeeds {
		t.Errorf("only %d conflicts in %d histories: they prove little", adopted, *chainSeeds)
	}
}

// TestTheCheckCatchesABrokenName: files named after their first record instead of
// the cursor, the rest equal, must fail the same check.
func TestTheCheckCatchesABrokenName(t *testing.T) {
	caught := 0
	const seeds = 40
	for seed := range uint64(seeds) {
		if _, err := history(t, seed+1, true); err != nil {
			caught++
		}
	}
	if caught < seeds/2 {
		t.Errorf("caught in %d of %d histories", caught, seeds)
	}
}

func history(t *testing.T, seed uint64, broken bool) (adopted int, result error) {
	bubble.Run(t, func(t *testing.T) {
		w := &world{r: rand.New(rand.NewPCG(seed, 7)), store: newMemStore(), broken: broken}
		n := 0
		for range 40 + w.r.IntN(60) {
			n += 1 + w.r.IntN(4)
			w.shard = append(w.shard, n)
		}
		// Three configurations of a filter; records of class 0 pass them all.
		w.keep = func(n, config int) bool { return n%5 == 0 || (n+config)%3 != 0 }
		w.store.before = func(string) error {
			w.sleep(2 * time.Second)
			if w.draw(8) == 0 {
				return errLost
			}
			return nil
		}
		w.store.after = func(string) error {
			w.sleep(2 * time.Second)
			if w.draw(8) == 0 {
				return errLost
			}
			return nil
		}
		w.store.head = func(string) error {
			w.sleep(time.Second)
			if w.draw(10) == 0 {
				return errLost
			}
			return nil
		}
		w.store.late = func() (time.Duration, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.r.IntN(10) == 0 {
				return time.Duration(w.r.Int64N(int64(5 * time.Minute))), errLost
			}
			return 0, nil
		}
		var owners sync.WaitGroup
		for id := range 3 + w.r.IntN(9) {
			owners.Go(func() {
				w.sleep(2 * time.Minute)
				w.own(t.Context(), id)
			})
		}
		owners.Wait()
		w.lag = 0
		w.own(t.Context(), 99) // the last owner, undisturbed, to the end
		time.Sleep(time.Hour)  // what is on its way lands
		result, adopted = w.check(), w.adopted
	})
	return adopted, result
}

// own is one owner's life: from the checkpoint until it dies or the shard ends.
func (w *world) own(ctx context.Context, id int) {
	const last = 99
	chain := NewChain(w.store, "c/")
	w.mu.Lock()
	from := w.lag
	w.mu.Unlock()
	batch := NewBatch(seqOf(from))
	config := id % 3
	life := 4 + w.draw(30)
	for step := 0; step < life || id == last && step < 10_000; step++ {
		page := w.page(batch.Tail(), config, id == last)
		batch.Add(nil, page, time.Now())
		if id != last && w.draw(4) == 0 {
			w.sleep(5 * time.Minute) // frozen: it comes back as a zombie
		}
		s, due := batch.Cut(time.Now(), Limits{Rows: 1 + w.draw(12), Age: time.Hour}, w.draw(2) == 0)
		if !due {
			continue
		}
		link, won, err := chain.Commit(ctx, w.file(s, id, step))
		if err != nil {
			panic(err)
		}
		batch.Advance(link.End)
		w.mu.Lock()
		if !won {
			w.adopted++
		}
		if durable := number(link.End); w.r.IntN(3) == 0 && durable > w.lag && id != last {
			w.lag = durable // a checkpoint follows a durable file, and often does not
		}
		w.mu.Unlock()
		if link.ShardEnd {
			return
		}
	}
}

// page reads on after a position: some records, filtered, and perhaps less of
// the shard's beginning than before.
func (w *world) page(after transform.Seq, config int, patient bool) *transform.Page {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.r.IntN(20) == 0 && w.lag > w.trimmed && !patient {
		w.trimmed = w.lag
	}
	p := &transform.Page{Next: "next"}
	limit := w.r.IntN(10)
	read := 0
	for _, n := range w.shard {
		if n <= number(after) || n <= w.trimmed {
			continue
		}
		if read == limit {
			return p
		}
		read++
		p.Last = seqOf(n)
		if w.keep(n, config) {
			p.Changes = append(p.Changes, transform.Change{Seq: seqOf(n), Created: 1_700_000_000_000_000 + int64(n)*3_600_000_000})
		}
	}
	p.Next = ""
	return p
}

func (w *world) file(s Slice, id, step int) File {
	var ns []int
	for c := range s.Changes() {
		ns = append(ns, number(c.Seq))
	}
	body, err := json.Marshal(ns)
	if err != nil {
		panic(err)
	}
	l := Link{After: s.After, End: s.End, ShardEnd: s.ShardEnd, Rows: int64(s.Rows), Attempt: fmt.Sprint(id, "-", step)}
	if w.broken && len(ns) > 0 {
		l.After = seqOf(ns[0] - 1)
	}
	return newFile(body, l, Schema{}, "0")
}

// check reads all that is in the store, as a reader does who lists.
func (w *world) check() error {
	times := map[int]int{}
	for key, o := range w.store.objects {
		var ns []int
		if err := json.Unmarshal(o.body, &ns); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		for i, n := range ns {
			times[n]++
			if i > 0 && ns[i-1] >= n {
				return fmt.Errorf("%s is out of order: %v", key, ns)
			}
		}
	}
	for _, n := range w.shard {
		always := w.keep(n, 0) && w.keep(n, 1) && w.keep(n, 2)
		switch {
		case times[n] > 1:
			return fmt.Errorf("record %d is there %d times", n, times[n])
		case times[n] == 0 && always:
			return fmt.Errorf("record %d is lost", n)
		}
	}
	if w.broken {
		return nil
	}
	end, ended, err := NewChain(w.quiet(), "c/").Tip(context.Background(), seqOf(0))
	if err != nil || !ended || end != seqOf(w.shard[len(w.shard)-1]) {
		return fmt.Errorf("the chain ends at %d, ended %t, %w", number(end), ended, err)
	}
	return nil
}

// quiet is the store without its faults.
func (w *world) quiet() Store { return &memStore{objects: w.store.objects} }

// number is the n that seqOf was given.
func number(s transform.Seq) int {
	if s.IsZero() {
		return 0
	}
	n := 0
	for _, c := range s[transform.SeqDigits-20:] {
		n = n*10 + int(c-'0')
	}
	return n
}
