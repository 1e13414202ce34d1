package ledger

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"
)

// memory is a register that can be told to misbehave.
type memory struct {
	mu      sync.Mutex
	body    []byte
	version int
	swaps   int
	fault   func(swap int) (lose, refuse bool) // of the answer; of the write
}

func (m *memory) Load(context.Context) ([]byte, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.version == 0 {
		return nil, "", nil
	}
	return m.body, strconv.Itoa(m.version), nil
}

var errLost = errors.New("connection reset")

func (m *memory) Swap(_ context.Context, body []byte, version string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.swaps++
	lose, refuse := false, false
	if m.fault != nil {
		lose, refuse = m.fault(m.swaps)
	}
	if refuse {
		return errLost
	}
	if have := strconv.Itoa(m.version); version != have && (version != "" || m.version != 0) {
		return ErrChanged
	}
	m.body, m.version = body, m.version+1
	if lose {
		return errLost
	}
	return nil
}

// count is a change that would show if it were made twice.
func count(l *Ledger) error {
	l.Gaps = append(l.Gaps, Gap{Number: int64(len(l.Gaps)) + 1, State: GapClosed})
	return nil
}

func TestAChangeLandsOnceWhateverHappensToItsAnswer(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault func(int) (bool, bool)
	}{
		{"all is well", nil},
		{"the write is lost", func(n int) (bool, bool) { return false, n == 1 }},
		{"the answer is lost", func(n int) (bool, bool) { return n == 1, false }},
		{"both, several times", func(n int) (bool, bool) { return n == 4, n < 4 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble.Run(t, func(t *testing.T) {
				m := &memory{fault: c.fault}
				l, err := NewStore(m, "arn:table").Update(t.Context(), count)
				if err != nil {
					t.Fatal(err)
				}
				again, err := NewStore(m, "arn:table").Read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if len(l.Gaps) != 1 || len(again.Gaps) != 1 || again.Revision != 1 {
					t.Errorf("the change is there %d times, stored %d times at revision %d", len(l.Gaps), len(again.Gaps), again.Revision)
				}
			})
		})
	}
}

func TestTwoWhoChangeItAtOnceBothWin(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		m := &memory{}
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if _, err := NewStore(m, "arn:table").Update(t.Context(), count); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		l, err := NewStore(m, "arn:table").Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(l.Gaps) != 20 {
			t.Errorf("%d of 20 changes are there", len(l.Gaps))
		}
	})
}

func TestAnUpdateEnds(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		m := &memory{fault: func(int) (bool, bool) { return false, true }}
		began := time.Now()
		if _, err := NewStore(m, "arn:table").Update(t.Context(), count); !errors.Is(err, errLost) {
			t.Errorf("error %v, want the register's", err)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("it took %v", took)
		}
		none := func(*Ledger) error { return nil }
		m = &memory{}
		if _, err := NewStore(m, "arn:table").Update(t.Context(), none); err != nil || m.swaps != 0 {
			t.Errorf("a change of nothing wrote %d times, error %v", m.swaps, err)
		}
		no := errors.New("no")
		if _, err := NewStore(m, "arn:table").Update(t.Context(), func(*Ledger) error { return no }); !errors.Is(err, no) || m.swaps != 0 {
			t.Errorf("a change that is refused wrote %d times, error %v", m.swaps, err)
		}
	})
}

func TestALedgerOfAnotherTableOrFormatIsRefused(t *testing.T) {
	m := &memory{}
	if _, err := NewStore(m, "arn:one").Update(t.Context(), count); err != nil {
		t.Fatal(err)
	}
	if _, err := NewStore(m, "arn:two").Read(t.Context()); err == nil {
		t.Error("the ledger of another table was taken")
	}
	for _, body := range []string{"", "{", `{"format":2}`, `{"format":1,"epochs":[{"epoch":4},{"epoch":1}]}`} {
		if _, err := Parse([]byte(body)); err == nil {
			t.Errorf("%q was taken for a ledger", body)
		}
	}
}

func TestTheLedgerInDynamoDB(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		cloud := awssim.New(awssim.Config{Seed: 1})
		client := dynamodb.NewFromConfig(cloud.AWSConfig("worker"))
		var stores []*Store
		for range 3 {
			d, err := OpenDynamoDB(t.Context(), client, "ledgers", "s3://lake/a/b/orders/")
			if err != nil {
				t.Fatal(err)
			}
			stores = append(stores, NewStore(d, "arn:table"))
		}
		var all sync.WaitGroup
		for _, s := range stores {
			all.Go(func() {
				for range 5 {
					if _, err := s.Update(t.Context(), count); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		l, err := stores[0].Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(l.Gaps) != 15 || l.Revision != 15 {
			t.Errorf("%d changes at revision %d, want 15", len(l.Gaps), l.Revision)
		}
		other, err := OpenDynamoDB(t.Context(), client, "ledgers", "s3://lake/a/b/customers/")
		if err != nil {
			t.Fatal(err)
		}
		if _, version, err := other.Load(t.Context()); err != nil || version != "" {
			t.Errorf("another ledger in the table has version %q, error %v", version, err)
		}
	})
}
