package checkpoint

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// Options of a Keeper. Zero durations mean the defaults.
type Options struct {
	Client *dynamodb.Client
	App    string // name of the lease table
	Worker string // unique in the fleet
	Stream Stream

	Initial   Initial       // zero means TrimHorizon
	Duration  time.Duration // a worker silent for so long is dead; 10 s
	Heartbeat time.Duration // 1 s
	Renew     time.Duration // each row is written at least so often; 20 s
	ListEvery time.Duration // 60 s
	Margin    time.Duration // the owner stops so much before Duration; Duration/10
	MaxLeases int           // 0 means no limit

	Log        *zap.Logger
	Wall       func() time.Time // for what is stored for people; nil means time.Now
	Registerer prometheus.Registerer
}

// Keeper holds the leases of one worker.
type Keeper struct{}

func Open(ctx context.Context, o Options) (*Keeper, error) { panic("todo") }
func (k *Keeper) Run(ctx context.Context) error            { panic("todo") }
func (k *Keeper) Drain(ctx context.Context) error          { panic("todo") }
