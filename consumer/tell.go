package consumer

import (
	"github.com/prometheus/client_golang/prometheus"

	"dynamolake/checkpoint/ledger"
)

// Register adds the metrics of a state: whether the worker is ready, and what its polling
// costs an hour, by the price of one call.
func (s *State) Register(reg prometheus.Registerer, l Limits, pollDollars float64) {
	reg.MustRegister(&unready{state: s, limits: l})
	reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "dynamolake", Subsystem: "consumer", Name: "polling_dollars_per_hour",
		Help: "What the GetRecords calls of the last hour cost, in US dollars at the list price.",
	}, func() float64 { return s.pollsPerHour() * pollDollars }))
}

// unready is a gauge for each reason: 1 where it holds.
type unready struct {
	state  *State
	limits Limits
}

var unreadyDesc = prometheus.NewDesc("dynamolake_consumer_unready", "1 for each reason why the worker is not ready, as in /readyz.", []string{"reason"}, nil)

func (u *unready) Describe(out chan<- *prometheus.Desc) { out <- unreadyDesc }

func (u *unready) Collect(out chan<- prometheus.Metric) {
	holds := map[string]float64{}
	for _, r := range Ready(u.state.Facts(), u.limits) {
		holds[r.Code] = 1
	}
	for _, code := range Codes() {
		out <- prometheus.MustNewConstMetric(unreadyDesc, prometheus.GaugeValue, holds[code], code)
	}
}

// gaps is a gauge of the ledger's gaps by their state, as a worker last read it.
type gaps struct{ view *view }

var gapsDesc = prometheus.NewDesc("dynamolake_ledger_gaps", "Gaps of the table in the ledger, by state. Each worker says the same.", []string{"state"}, nil)

func countGaps(reg prometheus.Registerer, v *view) { reg.MustRegister(gaps{v}) }

func (g gaps) Describe(out chan<- *prometheus.Desc) { out <- gapsDesc }

func (g gaps) Collect(out chan<- prometheus.Metric) {
	n := map[ledger.GapState]float64{}
	for _, gap := range g.view.now.Load().Gaps {
		n[gap.State]++
	}
	for _, state := range []ledger.GapState{ledger.GapOpen, ledger.GapRepairing, ledger.GapClosed, ledger.GapLost, ledger.GapReseeded} {
		out <- prometheus.MustNewConstMetric(gapsDesc, prometheus.GaugeValue, n[state], string(state))
	}
}
