package consumer

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"go.uber.org/zap"

	"dynamolake/checkpoint"
	"dynamolake/consumer/adapter"
)

// source answers the library's Kinesis calls from the leases that this worker
// holds, and keeps the sessions.
type source struct {
	driver *checkpoint.Driver
	open   func(*checkpoint.Lease, *zap.Logger) *session
	log    *zap.Logger
	state  *State

	mu       sync.Mutex
	sessions map[string]*session // by shard; the newest generation only
}

var _ adapter.Source = (*source)(nil)

// ListShards shows the library the shards it should run, and waits a little for
// news. It names no parents: lineage is the leases' business, and the library
// starts a child early where its parent has no row.
func (s *source) ListShards(ctx context.Context, _ *kinesis.ListShardsInput) (*kinesis.ListShardsOutput, error) {
	s.state.listing(s.driver)
	grants := s.driver.Wanted(ctx)
	out := &kinesis.ListShardsOutput{Shards: make([]types.Shard, len(grants))}
	for i, g := range grants {
		out.Shards[i] = types.Shard{ShardId: aws.String(g.Shard), SequenceNumberRange: &types.SequenceNumberRange{
			StartingSequenceNumber: aws.String(strconv.FormatInt(g.Generation, 10)),
		}}
	}
	return out, nil
}

// GetShardIterator opens the shard's session under its present lease. The
// position that the library asks for is ignored: the chain knows better.
func (s *source) GetShardIterator(_ context.Context, in *kinesis.GetShardIteratorInput) (*kinesis.GetShardIteratorOutput, error) {
	shard := aws.ToString(in.ShardId)
	lease, ok := s.driver.Session(shard)
	if !ok {
		return nil, fmt.Errorf("shard %s: %w", shard, errRevoked)
	}
	ses := s.open(lease, s.log.With(zap.String("shard", shard), zap.Int64("token", lease.Token())))
	s.mu.Lock()
	s.sessions[shard] = ses
	s.mu.Unlock()
	return &kinesis.GetShardIteratorOutput{ShardIterator: aws.String(iterator(ses))}, nil
}

// GetRecords runs one step of the session. The answer never holds a record; a
// missing iterator says that the shard has ended and everything in it is durable.
func (s *source) GetRecords(_ context.Context, in *kinesis.GetRecordsInput) (*kinesis.GetRecordsOutput, error) {
	shard, _, _ := strings.Cut(aws.ToString(in.ShardIterator), "|")
	ses, ok := s.session(shard)
	if !ok || iterator(ses) != aws.ToString(in.ShardIterator) {
		return nil, fmt.Errorf("shard %s: %w", shard, errRevoked)
	}
	var ended bool
	var err error
	ses.guard("reading", func() { ended, err = ses.read() })
	s.watch(ses)
	if ses.crashed {
		err = ses.quarantine()
	}
	if err != nil {
		return nil, err
	}
	out := &kinesis.GetRecordsOutput{MillisBehindLatest: aws.Int64(0)}
	if !ended {
		out.NextShardIterator = in.ShardIterator
	}
	return out, nil
}

func (s *source) session(shard string) (*session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ses, ok := s.sessions[shard]
	return ses, ok
}

// forget drops the session after its last call.
func (s *source) forget(shard string) (*session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ses, ok := s.sessions[shard]
	delete(s.sessions, shard)
	s.state.left(shard)
	return ses, ok
}

// watch notes how a session is, in the goroutine that runs it.
func (s *source) watch(ses *session) {
	s.state.stepped(ses)
	if ses.batch != nil {
		oldest, _ := ses.batch.Oldest()
		ses.metrics.holds(ses.shard, oldest)
	}
}

func iterator(s *session) string {
	return s.shard + "|" + strconv.FormatInt(s.lease.Generation(), 10)
}
