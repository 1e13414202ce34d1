package consumer

import (
	"fmt"
	"sync/atomic"
)

// TooManyRejects ends a worker: it made more rejects than it was allowed to.
type TooManyRejects struct {
	Table string
	Most  int64
}

func (e *TooManyRejects) Error() string {
	return fmt.Sprintf("table %s: more than %d further records went to rejects/; look at their reasons, mend the schema or what writes the items, and start again with a higher --max-rejects, or when they are moved away", e.Table, e.Most)
}

// tolerance counts rejects, and says when they are too many.
type tolerance struct {
	table string
	most  int64 // below 0: any number
	n     atomic.Int64
	stop  chan error
}

func newTolerance(table string, most int64) *tolerance {
	return &tolerance{table: table, most: most, stop: make(chan error, 1)}
}

func (t *tolerance) add(n int) {
	if all := t.n.Add(int64(n)); t.most >= 0 && all > t.most {
		select {
		case t.stop <- &TooManyRejects{t.table, t.most}:
		default:
		}
	}
}
