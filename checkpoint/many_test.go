package checkpoint

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const manyLabel = "2026-11-24T10:00:00.123"

func scopeNamed(table string) Scope {
	return Scope{Region: "eu-west-1", Account: "123456789012", Table: table}
}

// many starts a keeper for each table, as one process.
func (f *fleet) many(id string, tables map[string]*stream) map[string]*worker {
	f.t.Helper()
	process, keepers := NewProcess(), map[string]*worker{}
	for table, s := range tables {
		keepers[table] = f.start(id, func(o *Options) {
			o.Scope, o.Label, o.Process, o.Stream = scopeNamed(table), manyLabel, process, s
		})
	}
	return keepers
}

// of has shards whose ids tell the table.
func of(table string, shards int) *stream {
	s := newStream()
	for i := range shards {
		s.add(Shard{ID: born(time.Duration(i)*time.Millisecond, table)})
	}
	return s
}

// readers is who reads how many shards of a table.
func (f *fleet) readers(table string) map[string]int {
	n := map[string]int{}
	for _, l := range f.leases() {
		if l.k.o.Scope.Table == table && l.Check() == nil && l.Checkpoint().Sentinel != ShardEnd {
			n[l.k.o.Worker]++
		}
	}
	return n
}

// evenly waits until each table's shards are spread over so many workers.
func (f *fleet) evenly(limit time.Duration, tables map[string]*stream, workers int) time.Duration {
	f.t.Helper()
	return f.until(limit, fmt.Sprintf("each table even on %d workers", workers), func() bool {
		for table, s := range tables {
			r := f.readers(table)
			if total(r) != len(s.shards) || len(r) != min(workers, len(s.shards)) || spread(r) > 1 {
				return false
			}
		}
		return true
	})
}

func TestRowsOfSeveralTablesAreThoseOfTheJavaAdapter(t *testing.T) {
	id := ids("", "p", "x")
	inBubble(t, newStream(Shard{ID: id[0]}), func(t *testing.T, f *fleet) {
		f.many("a", map[string]*stream{"orders": f.stream})
		f.even(15*time.Second, 1, 1)
		const of = "123456789012:eu-west-1$123456789012$orders$2026-11-24T10_00_00.123:1"
		want := map[string]string{
			"leaseKey": "S " + of + ":" + id[0], "streamName": "S " + of, "shardId": "S " + id[0],
			"leaseOwner": "S a", "leaseCounter": "N 1", "checkpoint": "S TRIM_HORIZON",
			"checkpointSubSequenceNumber": "N 0", "ownerSwitchesSinceCheckpoint": "N 1",
			"startingHashKey": "S 0", "endingHashKey": "S 1", "entityType": "S LEASE", "created": "N 946684803000",
			"stream": "S " + manyLabel,
		}
		if diff := cmp.Diff(want, f.item(of+":"+id[0])); diff != "" {
			t.Errorf("a lease that was taken:\n%s", diff)
		}
		f.stream.split(id[0], id[1])
		if err := f.end(t, f.lease(id[0])); err != nil {
			t.Fatal(err)
		}
		child := f.item(of + ":" + id[1])
		if child["parentShardId"] != "SS "+id[0] || child["shardId"] != "S "+id[1] || child["leaseOwner"] != "S a" {
			t.Errorf("its child, whose parent goes by its shard id as in Java: %v", child)
		}
		f.even(15*time.Second, 1, 1)
	})
}

func TestARowOfAJavaFleetOfSeveralStreamsIsTakenOver(t *testing.T) {
	id := ids("", "p")
	inBubble(t, newStream(Shard{ID: id[0]}), func(t *testing.T, f *fleet) {
		if _, err := Open(t.Context(), Options{Client: f.client("java"), App: "app", Worker: "setup", Stream: f.stream}); err != nil {
			t.Fatal(err)
		}
		mine, other := scopeNamed("orders").stream(manyLabel), scopeNamed("audit").stream(manyLabel)
		for _, of := range []string{mine, other} {
			it := javaRow(of+":"+id[0], "java-1", "4711")
			it["streamName"], it["shardId"] = str(of), str(id[0])
			f.put("app", it)
		}
		f.many("a", map[string]*stream{"orders": f.stream})
		f.until(30*time.Second, "the stopped Java worker's shard read", func() bool { return f.sessions(id[0]) == 1 })
		if at := f.lease(id[0]).Checkpoint().Seq; at != "4711" {
			t.Errorf("begun at %s, want where Java was", at)
		}
		time.Sleep(5 * time.Minute) // in which the stream is listed, and what is done with removed
		if row := f.item(other + ":" + id[0]); row["leaseOwner"] != "S java-1" || row["leaseCounter"] != "N 4711" {
			t.Errorf("the row of another table: %v", row)
		}
	})
}

func TestSeveralTablesShareAFleet(t *testing.T) {
	tables := map[string]*stream{"orders": of("orders", 9), "audit": of("audit", 4), "users": of("users", 1)}
	inBubble(t, newStream(), func(t *testing.T, f *fleet) {
		f.quiet = true
		f.many("w1", tables)
		f.many("w2", tables)
		third := f.many("w3", tables)
		f.evenly(20*time.Second, tables, 3)

		before := f.workerRow("w1")
		time.Sleep(time.Minute)
		beats := f.workerRow("w1").Beat - before.Beat
		if beats < 40 || beats > 65 {
			t.Errorf("%d beats in a minute: three tables are to cost one beat a second", beats)
		}
		if diff := cmp.Diff([]string{"eu-west-1$123456789012$audit", "eu-west-1$123456789012$orders", "eu-west-1$123456789012$users"}, before.Tables); diff != "" {
			t.Errorf("served: %s", diff)
		}

		// A power cut: all tables of the worker go to the others, after its window.
		f.setCut("w3", true)
		for _, w := range third {
			w.cancel()
			<-w.err
		}
		if took := f.evenly(15*time.Second, tables, 2); took < 8*time.Second {
			t.Errorf("taken over after %s, before the dead worker's window had passed", took)
		}
	})
}

// TestAWorkerLeavesOneTableAndServesTheOthers: the stream was replaced, or the table failed.
func TestAWorkerLeavesOneTableAndServesTheOthers(t *testing.T) {
	tables := map[string]*stream{"orders": of("orders", 4), "audit": of("audit", 4)}
	inBubble(t, newStream(), func(t *testing.T, f *fleet) {
		f.quiet = true
		first := f.many("w1", tables)
		second := f.many("w2", tables)
		f.evenly(20*time.Second, tables, 2)
		moves := f.total()
		if err := first["audit"].k.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		first["audit"].cancel()
		f.until(5*time.Second, "audit on w2 alone", func() bool { r := f.readers("audit"); return r["w2"] == 4 && len(r) == 1 })
		if row := f.workerRow("w1"); len(row.Tables) != 1 || !strings.HasSuffix(row.Tables[0], "$orders") || row.Leaving || row.Handing != nil {
			t.Errorf("what w1 says: %+v", row)
		}
		if r := f.readers("orders"); r["w1"] != 2 || r["w2"] != 2 || f.total() != moves+2 {
			t.Errorf("orders, which nobody left: %v", r)
		}

		// A keeper that ends without handing over is no longer told of, and its rows are taken, though the
		// process beats on.
		second["orders"].cancel()
		<-second["orders"].err
		f.until(30*time.Second, "orders on w1 alone", func() bool { r := f.readers("orders"); return r["w1"] == 4 && len(r) == 1 })
		if r := f.readers("audit"); r["w2"] != 4 {
			t.Errorf("audit: %v", r)
		}
	})
}

func TestAnotherProcessOfTheIdEndsAllTables(t *testing.T) {
	tables := map[string]*stream{"orders": of("orders", 3), "audit": of("audit", 3)}
	inBubble(t, newStream(), func(t *testing.T, f *fleet) {
		f.quiet = true
		first := f.many("w", tables)
		f.evenly(20*time.Second, tables, 1)
		f.many("w", tables)
		for table, w := range first {
			select {
			case err := <-w.err:
				if err == nil || !strings.Contains(err.Error(), "another process uses this worker id") {
					t.Errorf("%s ended with %v", table, err)
				}
			case <-time.After(10 * time.Second):
				t.Errorf("%s goes on", table)
			}
		}
		f.evenly(30*time.Second, tables, 1)
	})
}

func TestWhatIsLeftOverIsSpreadOverTheWorkers(t *testing.T) {
	inBubble(t, newStream(), func(t *testing.T, f *fleet) {
		f.quiet = true
		tables := map[string]*stream{}
		for i := range 12 {
			name := fmt.Sprintf("table-%02d", i)
			tables[name] = of(name, 1)
		}
		for _, id := range []string{"w1", "w2", "w3"} {
			f.many(id, tables)
		}
		f.until(30*time.Second, "all read", func() bool { return total(f.reading()) == 12 })
		if r := f.reading(); len(r) != 3 {
			t.Errorf("twelve tables of one shard are read by %v", r)
		}
	})
}

func TestKeysAndScopes(t *testing.T) {
	orders := scopeNamed("orders")
	for _, c := range []struct {
		key   string
		row   Row // Key, Of and Stream
		plain bool
		mine  bool
	}{
		{"shardId-1", Row{Key: "shardId-1"}, true, false},
		{orders.stream(manyLabel) + ":shardId-1", Row{Key: "shardId-1", Of: orders.stream(manyLabel), Stream: manyLabel}, false, true},
		{orders.stream("2025-01-01T00:00:00.000") + ":s", Row{Key: "s", Of: orders.stream("2025-01-01T00:00:00.000"), Stream: "2025-01-01T00:00:00.000"}, false, true},
		{scopeNamed("orders2").stream(manyLabel) + ":s", Row{Key: "s", Of: scopeNamed("orders2").stream(manyLabel), Stream: manyLabel}, false, false},
		{"123456789012:kinesis:1700000000:shardId-000000000000", Row{Key: "shardId-000000000000", Of: "123456789012:kinesis:1700000000"}, false, false},
	} {
		r, err := rowOf(item{attrKey: str(c.key), attrCounter: num(1), attrAt: str(TrimHorizon)})
		if err != nil {
			t.Fatal(err)
		}
		if r.Key != c.row.Key || r.Of != c.row.Of || r.Stream != c.row.Stream || r.key() != c.key {
			t.Errorf("%s: %+v", c.key, r)
		}
		if (Scope{}).has(r) != c.plain || orders.has(r) != c.mine {
			t.Errorf("%s: in the one table %v, in orders %v", c.key, (Scope{}).has(r), orders.has(r))
		}
	}
}

func (f *fleet) workerRow(id string) Worker {
	f.t.Helper()
	table, err := ReadTable(f.t.Context(), f.client("observer"), "app", "")
	if err != nil {
		f.t.Fatal(err)
	}
	for _, w := range table.Workers {
		if w.ID == id {
			return w
		}
	}
	f.t.Fatalf("no row of worker %s", id)
	return Worker{}
}
