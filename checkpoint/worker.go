package checkpoint

import "time"

// Attributes of a row of <app>-WorkerMetricStats: those of the Java library that
// make a worker count there, then ours.
const (
	attrWorker  = "wid"
	attrUpdated = "lut" // epoch seconds

	attrRun     = "run"
	attrBeat    = "beat"
	attrInbox   = "inbox"
	attrLeaving = "leaving"
	attrMax     = "maxLeases"
	attrTables  = "tables"
	attrHanding = "handing"
)

// workerTable is the name of an application's worker table.
func workerTable(app string) string { return app + "-WorkerMetricStats" }

// Worker is one row of the worker table.
type Worker struct {
	ID      string
	Run     string // one process; another process of the same id has another
	Beat    int64  // 0: a Java worker, which has none
	Inbox   int64  // raised by whoever has handed it something
	Leaving bool
	Tables  []string  // those it serves, of a lease table of several; else nil
	Handing []string  // those of them that it hands over, to serve them no more
	Max     int       // most leases it takes; 0 means no limit
	Updated time.Time // by its own wall clock: to be shown, never to decide
}

func workerOf(it item) Worker {
	w := Worker{ID: text(it, attrWorker), Run: text(it, attrRun), Leaving: truth(it, attrLeaving), Tables: texts(it, attrTables), Handing: texts(it, attrHanding)}
	w.Beat, _ = number(it, attrBeat)
	w.Inbox, _ = number(it, attrInbox)
	if n, ok := number(it, attrMax); ok {
		w.Max = int(n)
	}
	if s, ok := number(it, attrUpdated); ok {
		w.Updated = time.Unix(s, 0).UTC()
	}
	return w
}
