package consumer

import (
	"context"
	"fmt"
	"sync"

	"dynamolake/writer"
)

// TooManyRejects ends a worker: more records than were allowed have gone to rejects/.
type TooManyRejects struct {
	Table string
	Most  int64
}

func (e *TooManyRejects) Error() string {
	return fmt.Sprintf("table %s has more than %d rejects; look at rejects/ in the lake, mend the schema or what writes the items, and start again with a higher --max-rejects or after moving them out of the lake", e.Table, e.Most)
}

// tolerance counts rejects, and says when they are too many.
type tolerance struct {
	table string
	most  int64 // below 0: any number
	stop  chan error

	mu sync.Mutex
	n  int64
}

// newTolerance counts those that are there, unless any number is fine.
func newTolerance(ctx context.Context, store writer.Store, tablePrefix, table string, most int64) (*tolerance, error) {
	t := &tolerance{table: table, most: most, stop: make(chan error, 1)}
	if most < 0 {
		return t, nil
	}
	for _, err := range store.List(ctx, tablePrefix+"rejects/") {
		if err != nil {
			return nil, fmt.Errorf("count the rejects of table %s: %w", table, err)
		}
		if t.n++; t.n > most {
			return nil, &TooManyRejects{table, most}
		}
	}
	return t, nil
}

func (t *tolerance) add(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n += int64(n); t.most >= 0 && t.n > t.most {
		select {
		case t.stop <- &TooManyRejects{t.table, t.most}:
		default:
		}
	}
}
