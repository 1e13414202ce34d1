package scene

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"dynamolake/bootstrap"
	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
	"dynamolake/internal/awssim"
	"dynamolake/internal/lakecheck"
)

// Exporter is who makes exports and repairs gaps, not yet running. The caller changes
// what it wants and calls bootstrap.Bootstrap, or makes a Repairer.
func (s *Scene) Exporter(name string, log *zap.Logger) bootstrap.Options {
	cfg := s.Cloud.AWSConfig(name)
	o := bootstrap.Defaults()
	o.DynamoDB, o.S3 = dynamodb.NewFromConfig(cfg), S3(cfg)
	o.Store, o.Ledger = s.Lake(name), s.Ledger(name)
	o.Table = bootstrap.Table{
		Name: s.Table.Name, ARN: s.Table.ARN, Account: s.Table.Account, Region: s.Table.Region,
		Keys: s.Table.Keys, StreamARN: s.Table.StreamARN,
	}
	o.Raw.Bucket, o.Worker = Bucket, name
	o.Adopted = checkpoint.AskAdopted(o.DynamoDB, s.App(), s.Table.Name)
	o.Log, o.Registerer = log, prometheus.NewRegistry()
	return o
}

// Through is up to when the stream is in the lake, as the lease rows say; zero if one does not.
func (s *Scene) Through(ctx context.Context) (time.Time, error) {
	table, err := s.Leases(ctx)
	var through time.Time
	for _, r := range table.Leases {
		switch {
		case r.Checkpoint.Sentinel == checkpoint.ShardEnd:
			continue
		case r.CurrentTo.IsZero():
			return time.Time{}, err
		case through.IsZero() || r.CurrentTo.Before(through):
			through = r.CurrentTo
		}
	}
	return through, err
}

// truth is what the lake is compared with, when the ledger knows exports too.
func (s *Scene) truth(l *ledger.Ledger, t ledger.Timing) lakecheck.Truth {
	truth := lakecheck.Truth{
		Journal: journal(s.Cloud.Writes(s.Table.Name)), Items: s.Cloud.Items(s.Table.Name),
		Timeline: &lakecheck.Timeline{Slack: t.Skew},
	}
	if base := l.Base(); base != nil {
		truth.Timeline.Base = base.Number
	}
	if l.Streaming() == nil {
		truth.AsOf = l.Reach(time.Time{})
	}
	for _, e := range l.Epochs {
		of := lakecheck.Epoch{Number: e.Number, Source: string(e.Source), From: e.From, To: e.To, GivenUp: givenUp(l, &e)}
		if e.Source == ledger.Full {
			of.Export = e.Exports[0].ID()
		}
		truth.Timeline.Epochs = append(truth.Timeline.Epochs, of)
	}
	return truth
}

// givenUp tells of windows that nobody goes on with.
func givenUp(l *ledger.Ledger, e *ledger.Epoch) bool {
	for _, g := range l.Gaps {
		if g.Epoch == e.Number && (g.State == ledger.GapLost || g.State == ledger.GapReseeded) {
			return true
		}
	}
	base := l.Base()
	return base != nil && e.Number < base.Number
}

func journal(records []awssim.Record) []lakecheck.Record {
	out := make([]lakecheck.Record, len(records))
	for i, r := range records {
		out[i] = lakecheck.Record{
			Shard: r.Shard, Seq: r.Seq, EventID: r.EventID, Op: r.Event, KeyJSON: r.Key, NewJSON: r.New, OldJSON: r.Old, At: r.Created,
		}
		if r.Kept {
			out[i].Micros = r.Micros
		}
	}
	return out
}
