package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"
)

// ErrChanged is what a [Register] answers when another has changed the document
// since it was read.
var ErrChanged = errors.New("the document was changed by another")

// ErrOtherTable begins the error of a ledger that is of another table than was asked for.
var ErrOtherTable = errors.New("the ledger is of table")

// Register keeps one document and changes it only where nobody else has since it was read.
type Register interface {
	// Load returns the document and its version; both are empty where there is none.
	Load(ctx context.Context) (body []byte, version string, err error)
	// Swap replaces the document of that version, "" where there is none, or
	// returns ErrChanged. After any other error it may have been replaced or not.
	Swap(ctx context.Context, body []byte, version string) error
}

// Store is the ledger of one table.
type Store struct {
	reg   Register
	table string // ARN
}

// NewStore returns the ledger of a table.
func NewStore(reg Register, tableARN string) *Store { return &Store{reg: reg, table: tableARN} }

// Read returns the ledger as it is. A table that nobody has touched has an empty one.
func (s *Store) Read(ctx context.Context) (Ledger, error) {
	l, _, err := s.load(ctx)
	return l, err
}

func (s *Store) load(ctx context.Context) (Ledger, string, error) {
	body, version, err := s.reg.Load(ctx)
	if err != nil {
		return Ledger{}, "", fmt.Errorf("read the ledger: %w", err)
	}
	if version == "" {
		return Ledger{Format: FormatVersion, Table: s.table}, "", nil
	}
	l, err := Parse(body)
	if err != nil {
		return Ledger{}, "", err
	}
	if l.Table != "" && s.table != "" && l.Table != s.table {
		return Ledger{}, "", fmt.Errorf("%w %s, not of %s; give each table its own lake or prefix", ErrOtherTable, l.Table, s.table)
	}
	return l, version, nil
}

// Update changes the ledger by f, a pure function, which is called again while
// others are faster. An f that changes nothing writes nothing; an error of f ends it. It
// returns the ledger as it is then.
func (s *Store) Update(ctx context.Context, f func(*Ledger) error) (Ledger, error) {
	attempt := ""
	for try := 0; ; try++ {
		l, version, err := s.load(ctx)
		if err == nil {
			if attempt != "" && l.Attempt == attempt {
				return l, nil // the change before had landed
			}
			next := l.clone()
			if err := f(&next); err != nil {
				return l, err
			}
			if same(l, next) {
				return l, nil
			}
			attempt = rand.Text()
			next.Revision, next.Attempt = l.Revision+1, attempt
			if err = s.reg.Swap(ctx, next.JSON(), version); err == nil {
				return next, nil
			}
			if errors.Is(err, ErrChanged) {
				// Refused: but perhaps by our own write, resent after its answer was lost.
				err = nil
			}
		}
		if err != nil && (ctx.Err() != nil || try >= maxTries || lasting(err)) {
			return Ledger{}, fmt.Errorf("change the ledger: %w", err)
		}
		if err := sleep(ctx, try); err != nil {
			return Ledger{}, fmt.Errorf("change the ledger: %w", err)
		}
	}
}

// maxTries bounds how often an error is taken for one that passes. That others
// are faster is no error.
const maxTries = 8

// lasting errors say so themselves.
func lasting(err error) bool {
	var l interface{ Lasting() bool }
	return errors.As(err, &l) && l.Lasting()
}

func same(a, b Ledger) bool { return string(a.JSON()) == string(b.JSON()) }

// sleep waits before another try: 20 ms, doubling to 2 s, jittered.
func sleep(ctx context.Context, try int) error {
	d := min(20*time.Millisecond<<min(try, 7), 2*time.Second)
	var b [1]byte
	rand.Read(b[:]) //nolint:errcheck // never fails
	d = d/2 + d*time.Duration(b[0])/512
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
