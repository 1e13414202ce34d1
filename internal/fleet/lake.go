package fleet

import (
	"time"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
)

// Lake is what the ledger says.
type Lake struct {
	// Base is the full export that the state starts from; empty while there is none.
	Base      string `json:"base"`
	BaseEpoch int64  `json:"base_epoch"`
	// From and To: the lake has the table's state at any time between.
	From     time.Time     `json:"from,omitzero"`
	To       time.Time     `json:"to,omitzero"`
	Coverage []ledger.Span `json:"coverage"`
	Missing  []ledger.Gap  `json:"missing"` // gaps that are not closed
}

// Cover adds what the ledger says. The stream that is read is in the lake up to where its
// slowest shard is.
func (r *Report) Cover(l *ledger.Ledger, leases []checkpoint.Row) {
	through, reading := checkpoint.Through(leases)
	if !reading && len(leases) > 0 || through.After(r.At) {
		through = r.At
	}
	r.Lake = &Lake{Coverage: append([]ledger.Span{}, l.Coverage(through)...), Missing: append([]ledger.Gap{}, l.Missing()...)}
	if base := l.Base(); base != nil {
		r.Lake.Base, r.Lake.BaseEpoch = base.Exports[0].ID(), base.Number
		r.Lake.From, r.Lake.To = base.To, l.Reach(through)
	}
}
