package awssim

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Config is a cloud before its first request. Zero fields take the defaults named.
type Config struct {
	Seed    uint64
	Region  string // eu-west-1
	Account string // 123456789012

	Retention    time.Duration // of stream records; 24 h
	TrimEvery    time.Duration // how often what is older is trimmed; 0 = at once
	IteratorLife time.Duration // of a shard iterator; 15 min
	RollEvery    time.Duration // mean life of an open shard; 0 = rolled on command only
	Shards       int           // of a stream when it is enabled; 1. SetShards for one table

	// EmptyPages makes one GetRecords page in so many empty or short although
	// records follow, though never two of them to who has been at the tip, and ends some
	// closed shards with an empty page; 0 = never.
	EmptyPages int

	// ActiveAfter is how long a new table is CREATING; 0 = not at all.
	ActiveAfter time.Duration

	// BackupsAfter is how long after it is ACTIVE a table refuses point-in-time
	// recovery; 10 s, and below 0 = not at all.
	BackupsAfter time.Duration
	ExportTakes  time.Duration // from request to COMPLETED, if ClockSkew is not more; 5 min, and below 0 = nothing
	ExportFiles  int           // of each export, one for each partition of the table; 4
	ExportLimit  int           // under way at once in the account; 300
	ExportWindow time.Duration // the shortest of an incremental export; 15 min
	// ManifestFilter puts the filter of an export into its summary. Whether AWS does is not known.
	ManifestFilter bool

	// ClockSkew is the most that the clock of a partition, which stamps writes for
	// exports, is ahead or behind; each is off by its own. 0 = all are exact.
	ClockSkew time.Duration

	// Latency is added before each request is applied; nil = none. Virtual-clock
	// tests of polling code want some, or time never moves.
	Latency func(*Call) time.Duration
}

// Cloud is one account in one region. Its methods may be called from any goroutine.
type Cloud struct {
	cfg   Config
	calls atomic.Int64
	exprs exprCache

	hooksMu sync.Mutex
	hooks   []*hook

	mu      sync.Mutex // guards all below; never held while sleeping or calling out
	rng     *rand.Rand
	seq     sequence
	ids     uint64
	tables  map[string]*table
	streams map[string]*stream // by ARN, live and disabled
	shards  map[string]int     // initial shard count by table name
	tokens  map[string]transaction
	buckets map[string]*bucket

	exports      []*export // by start
	running      []*export // those under way
	exported     uint64    // ids given out
	exportTokens map[string]exportToken

	counts map[CountKey]*Count
}

// New returns an empty cloud.
func New(cfg Config) *Cloud {
	if cfg.Region == "" {
		cfg.Region = "eu-west-1"
	}
	if cfg.Account == "" {
		cfg.Account = "123456789012"
	}
	if cfg.Retention == 0 {
		cfg.Retention = 24 * time.Hour
	}
	if cfg.IteratorLife == 0 {
		cfg.IteratorLife = 15 * time.Minute
	}
	if cfg.Shards == 0 {
		cfg.Shards = 1
	}
	if cfg.BackupsAfter == 0 {
		cfg.BackupsAfter = 10 * time.Second
	}
	if cfg.ExportTakes == 0 {
		cfg.ExportTakes = 5 * time.Minute
	}
	if cfg.ExportFiles == 0 {
		cfg.ExportFiles = 4
	}
	if cfg.ExportLimit == 0 {
		cfg.ExportLimit = 300
	}
	if cfg.ExportWindow == 0 {
		cfg.ExportWindow = 15 * time.Minute
	}
	c := &Cloud{
		cfg:     cfg,
		rng:     rand.New(rand.NewPCG(cfg.Seed, 0x6177_7373_696d)),
		tables:  map[string]*table{},
		streams: map[string]*stream{},
		shards:  map[string]int{},
		tokens:  map[string]transaction{},
		buckets: map[string]*bucket{},

		exportTokens: map[string]exportToken{},
		counts:       map[CountKey]*Count{},
	}
	c.seq = newSequence(c.rng)
	return c
}

// host is where AWSConfig sends requests; virtual-hosted buckets are below it.
const host = "awssim.local"

// AWSConfig returns the settings for SDK clients that reach this cloud. The name
// is the caller that interceptors see. Endpoints are https, as in AWS, because the
// SDK signs and checksums bodies differently over plain http; nothing is encrypted.
func (c *Cloud) AWSConfig(client string) aws.Config {
	endpoint := "https://" + host
	return aws.Config{
		Region:       c.cfg.Region,
		BaseEndpoint: &endpoint,
		HTTPClient:   c.Client(client),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDAWSSIM", SecretAccessKey: "secret", AccountID: c.cfg.Account}, nil
		}),
	}
}

// SetShards sets how many shards a stream of the table starts with; it takes
// effect when the stream is enabled next.
func (c *Cloud) SetShards(table string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shards[table] = n
}
