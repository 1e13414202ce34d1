package checkpoint

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Row is one row of the lease table.
type Row struct {
	Key        string
	Owner      string // "" when nobody has it
	Holder     string // who may still checkpoint while a Java hand-over is under way, else ""
	Counter    int64
	Checkpoint Checkpoint
	Switches   int64
	Parents    []string
	Children   []string
	ParentGone bool      // no parent needs to be waited for
	CurrentTo  time.Time // all of the shard up to here is durable; zero if unknown
	Gap        string    // JSON of the gap that halted the shard, else ""
}

// Worker is one row of the worker table.
type Worker struct {
	ID      string
	Run     string // differs for each process that used the id
	Beat    int64
	Inbox   int64
	Leaving bool
	Max     int       // most leases it takes; 0 means no limit
	Updated time.Time // by its own wall clock: to be shown, never compared
}

// Table is a whole lease table as status shows it, in key order.
type Table struct {
	Leases  []Row
	Workers []Worker
}

// ReadTable reads both tables of an application.
func ReadTable(ctx context.Context, client *dynamodb.Client, app string) (Table, error) {
	panic("todo")
}
