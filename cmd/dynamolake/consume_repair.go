package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"go.uber.org/zap"

	"dynamolake/bootstrap"
	"dynamolake/consumer"
	"dynamolake/writer"
)

// Values of --repair, and the one of --on-gap that depends on it.
const (
	repairAuto = "auto"
	repairOn   = "on"
	repairOff  = "off"
	onGapAuto  = "auto"
)

// gapPolicy is what --on-gap means: auto goes on where the gap can be repaired.
func gapPolicy(onGap string, repairs bool) consumer.GapPolicy {
	switch {
	case onGap != onGapAuto:
		return consumer.GapPolicy(onGap)
	case repairs:
		return consumer.GapContinue
	}
	return consumer.GapStop
}

// repairer returns what repairs gaps beside the consumer; nil where nothing can, or
// should. Any number of workers may take part.
func (c consuming) repairer(ctx context.Context, cfg aws.Config, store writer.Lake, worker consumer.Options) (*bootstrap.Repairer, error) {
	if c.repair == repairOff {
		return nil, nil
	}
	c.memory = max(c.memory/2, 64<<20) // only while an export is converted, and only one is
	o, err := c.options(cfg, worker.DynamoDB, store, worker.Ledger, worker.Log, worker.Registerer)
	if err == nil {
		o.Table, err = bootstrap.Describe(ctx, o.DynamoDB, c.table)
	}
	if err == nil {
		err = bootstrap.Recoverable(ctx, o.DynamoDB, o.Table)
	}
	if err != nil {
		if c.repair == repairOn {
			return nil, err
		}
		worker.Log.Warn("gaps of the stream will not be repaired by this worker", zap.Error(err))
		return nil, nil
	}
	o.Turns = c.turns
	o.Worker, o.Datasets, o.MaxRejects = worker.Worker, worker.Datasets, worker.MaxRejects
	return bootstrap.NewRepairer(o)
}
