package consumer

import (
	kcl "github.com/vmware/vmware-go-kcl-v2/clientlibrary/interfaces"
	"go.uber.org/zap"

	"dynamolake/checkpoint"
)

// processor is the library's view of a session.
type processor struct {
	source *source
	log    *zap.Logger
	ses    *session
}

// CreateProcessor is the library's factory method; the processor gets its session in
// Initialize, because the library may create one that it never initializes.
func (s *source) CreateProcessor() kcl.IRecordProcessor {
	return &processor{source: s, log: s.log}
}

func (p *processor) Initialize(in *kcl.InitializationInput) {
	p.ses, _ = p.source.session(in.ShardId)
}

func (p *processor) ProcessRecords(*kcl.ProcessRecordsInput) {
	if p.ses != nil {
		p.ses.guard("writing", p.ses.write)
		p.source.watch(p.ses)
	}
}

func (p *processor) Shutdown(in *kcl.ShutdownInput) {
	if p.ses == nil || in.ShutdownReason != kcl.TERMINATE {
		return // whatever is held is written in close
	}
	p.ses.guard("ending", func() {
		if err := p.ses.finish(); err != nil {
			p.log.Info("the shard's end was not recorded; its next owner does it", zap.String("shard", p.ses.shard), zap.Error(err))
			return
		}
		// Only verifies: the end was written by finish, with the children first.
		if err := in.Checkpointer.Checkpoint(nil); err != nil {
			p.log.Error("the library's checkpoint disagrees with the lease", zap.String("shard", p.ses.shard), zap.Error(err))
		}
	})
}

// ending wraps the leases' checkpointer to see the one call that ends every session.
type ending struct {
	*checkpoint.Driver
	source *source
}

// RemoveLeaseOwner is the library's last call for a shard, in its goroutine.
func (e ending) RemoveLeaseOwner(shard string) error {
	if ses, ok := e.source.forget(shard); ok {
		ses.guard("closing", ses.close)
	}
	return e.Driver.RemoveLeaseOwner(shard)
}
