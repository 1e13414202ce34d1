package consumer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"
	"dynamolake/internal/scene"
	"dynamolake/writer"
)

// process is one that reads several tables.
type process struct {
	name     string
	tables   *consumer.Tables
	registry *prometheus.Registry
	logs     *observer.ObservedLogs
	stop     context.CancelFunc
	done     chan error
}

const manyApp = "dynamolake"

// beside creates more tables.
func (f *fixture) beside(shards int, names ...string) map[string]*scene.Scene {
	f.Helper()
	scenes := map[string]*scene.Scene{}
	for _, name := range names {
		s, err := f.Beside(f.Context(), name, manyApp, shards)
		if err != nil {
			f.Fatal(err)
		}
		scenes[name] = s
	}
	return scenes
}

// side runs a process that reads the tables side by side.
func (f *fixture) side(name string, scenes map[string]*scene.Scene, change func(*consumer.Options)) *process {
	return f.sideIn(64<<20, name, scenes, change)
}

func (f *fixture) sideIn(memory int64, name string, scenes map[string]*scene.Scene, change func(*consumer.Options)) *process {
	core, logs := observer.New(zap.InfoLevel)
	p := &process{name: name, registry: prometheus.NewRegistry(), logs: logs, done: make(chan error, 1)}
	var names []string
	for table := range scenes {
		names = append(names, table)
	}
	slices.Sort(names)
	p.tables = consumer.NewTables(names, func(table string) prometheus.Registerer {
		return prometheus.WrapRegistererWith(prometheus.Labels{"table": table}, p.registry)
	}, zap.New(core))
	shared, budgets := checkpoint.NewProcess(), writer.Budgets(memory/2, len(names))
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	go func() {
		p.done <- p.tables.Run(ctx, func(ctx context.Context, a consumer.Attempt) error {
			s := scenes[a.Table]
			o := s.Worker(name, zap.NewNop())
			table, err := consumer.Describe(ctx, o.DynamoDB, a.Table)
			if err != nil {
				return err
			}
			o.Table, o.Registerer, o.Begun, o.Limits.Age, o.Settle = table, a.Registerer, a.Begun, time.Second, 5*time.Second
			o.Many, o.Process, o.Budget, o.Memory = true, shared, budgets[slices.Index(names, a.Table)], memory
			if change != nil {
				change(&o)
			}
			return consumer.Run(ctx, o)
		})
		close(p.done)
	}()
	f.members = append(f.members, &member{name: name, stop: stop, done: p.done, registry: p.registry})
	return p
}

// metric is a table's.
func (p *process) metric(t *testing.T, name, table string) float64 {
	t.Helper()
	families, err := p.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == name && l.GetName() == "table" && l.GetValue() == table {
					return m.GetGauge().GetValue() + m.GetCounter().GetValue()
				}
			}
		}
	}
	t.Fatalf("no metric %s of table %s", name, table)
	return 0
}

func (f *fixture) proveAll(scenes map[string]*scene.Scene) {
	f.Helper()
	for table, s := range scenes {
		if err := s.Await(f.Context(), 5*time.Minute); err != nil {
			f.Fatalf("%s: %v", table, err)
		}
		r, err := s.Prove(f.Context())
		if err != nil {
			f.Fatal(err)
		}
		if wrong := r.Lost + r.Doubled + r.OutOfOrder + r.Orphans + r.Unknown + r.WrongContent + r.WrongItems; wrong != 0 {
			f.Errorf("%s: %s\n%s", table, r, strings.Join(r.Problems, "\n"))
		}
	}
}

// TestThreeTablesThreeWorkersOneKilled, with shards that split meanwhile.
func TestThreeTablesThreeWorkersOneKilled(t *testing.T) {
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		scenes := f.beside(3, "audit", "carts", "users")
		authors := map[string]*scene.Author{}
		for table, s := range scenes {
			authors[table] = s.Author(uint64(len(table)), 40)
		}
		write := func(n int) {
			for range n {
				for _, table := range []string{"audit", "carts", "users"} {
					if err := authors[table].Step(f.Context()); err != nil {
						f.Fatal(err)
					}
				}
				time.Sleep(50 * time.Millisecond)
			}
		}
		first, second := f.side("w1", scenes, nil), f.side("w2", scenes, nil)
		f.side("w3", scenes, nil)
		write(300)
		f.kill(&member{name: "w3"})
		for table := range scenes {
			if err := f.Cloud.RollAll(table); err != nil {
				f.Fatal(err)
			}
		}
		write(300)
		f.proveAll(scenes)
		for table := range scenes {
			rows := first.metric(f.T, "dynamolake_consumer_rows_total", table) + second.metric(f.T, "dynamolake_consumer_rows_total", table)
			if rows == 0 || first.metric(f.T, "dynamolake_table_up", table) != 1 {
				f.Errorf("%s: %v rows by who lives", table, rows)
			}
		}
		first.stop()
		if err := <-first.done; err != nil {
			f.Errorf("w1 did not hand over cleanly: %v", err)
		}
		write(50)
		f.proveAll(scenes)
	})
}

func TestATableThatFailsDoesNotStopTheOthers(t *testing.T) {
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		scenes := f.beside(2, "audit", "users")
		late := &scene.Scene{}
		*late = *scenes["audit"]
		late.Table.Name, late.Table.ARN = "later", strings.Replace(late.Table.ARN, "audit", "later", 1)
		all := map[string]*scene.Scene{"audit": scenes["audit"], "users": scenes["users"], "later": late}
		p := f.side("w", all, nil)
		author := scenes["audit"].Author(1, 20)
		step := func(n int) {
			for range n {
				if err := author.Step(f.Context()); err != nil {
					f.Fatal(err)
				}
			}
		}
		step(50)
		time.Sleep(10 * time.Minute)
		f.proveAll(map[string]*scene.Scene{"audit": scenes["audit"]})
		if p.metric(f.T, "dynamolake_table_up", "later") != 0 || p.metric(f.T, "dynamolake_table_up", "audit") != 1 {
			f.Error("the metric does not tell which table fails")
		}
		ready := p.tables.Ready(func(string) []consumer.Reason { return nil })
		if len(ready) != 1 || ready[0].Code != consumer.TableFails || !strings.HasPrefix(ready[0].Text, `later: table "later" does not exist in eu-west-1`) || !strings.Contains(ready[0].Text, "; it is tried again in ") {
			f.Errorf("readiness: %+v", ready)
		}
		if n := p.logs.FilterMessage("the table is not read; the others are").Len(); n != 1 {
			f.Errorf("the error is logged %d times in ten minutes of tries", n)
		}

		// It comes.
		f.Cloud.SetShards("later", 2)
		if err := scene.CreateTable(f.Context(), dynamodb.NewFromConfig(f.Cloud.AWSConfig("author")), "later"); err != nil {
			f.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		if p.metric(f.T, "dynamolake_table_up", "later") != 1 || len(p.tables.Ready(func(string) []consumer.Reason { return nil })) != 0 {
			f.Errorf("it is there now, and is not read: %+v", p.tables.State())
		}
		if p.logs.FilterMessage("the table is read again").Len() != 1 {
			f.Error("nobody is told that it is well")
		}
		p.stop()
		if err := <-p.done; err != nil {
			f.Errorf("all is well, and the process fails with %v", err)
		}

		// A ledger of another table is for somebody to look at: it is not tried again, and fails the process at its end.
		p = f.side("w-2", all, func(o *consumer.Options) {
			if o.Table.Name == "users" {
				document := ledger.Document(scenes["audit"].Lake("w-2"), scenes["audit"].Prefix()+ledger.Key, writer.ErrNotFound, writer.ErrChanged)
				o.Ledger = ledger.NewStore(document, o.Table.ARN)
			}
		})
		step(50)
		time.Sleep(10 * time.Minute)
		f.proveAll(map[string]*scene.Scene{"audit": scenes["audit"]})
		if s := p.tables.State()[2]; s.Table != "users" || s.Err == nil || !s.RetryAt.IsZero() {
			f.Errorf("given up: %+v", s)
		}
		p.stop()
		if err := <-p.done; err == nil || !strings.HasPrefix(err.Error(), "table users: ") || !strings.Contains(err.Error(), "give each table its own lake or prefix") {
			f.Errorf("the process ends with %v", err)
		}
	})
}

// TestAFloodDoesNotKeepATrickle: a table that is written to by far faster than the lake takes it is read by
// the same worker as one with a change a second, and memory is short all the time.
func TestAFloodDoesNotKeepATrickle(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		scenes := f.beside(4, "flood", "trickle")
		pad := strings.Repeat("x", 200<<10)
		f.setOnPut(func(target string) {
			if strings.Contains(target, "flood") && strings.Contains(target, "changes/") {
				time.Sleep(40 * time.Second)
			}
		})
		p := f.sideIn(2*consumer.LeastMemory, "w", scenes, func(o *consumer.Options) { o.Limits.Age, o.PollMax = 5*time.Second, time.Second })
		db := dynamodb.NewFromConfig(f.Cloud.AWSConfig("author"))
		put := func(table, key, text string) {
			if _, err := db.PutItem(f.Context(), &dynamodb.PutItemInput{TableName: &table, Item: map[string]ddbtypes.AttributeValue{
				"customer": &ddbtypes.AttributeValueMemberS{Value: key}, "order": &ddbtypes.AttributeValueMemberN{Value: "1"},
				"text": &ddbtypes.AttributeValueMemberS{Value: text},
			}}); err != nil {
				f.Fatal(err)
			}
		}
		time.Sleep(30 * time.Second)
		most, waited, began := 0.0, 0, time.Now()
		for i := range 60 {
			put("trickle", fmt.Sprint(i), "drop by drop")
			for j := range 4 {
				put("flood", fmt.Sprint(i*4+j), pad)
			}
			time.Sleep(time.Until(began.Add(time.Duration(i+1) * time.Second)))
			most = max(most, float64(i+1)-p.metric(f.T, "dynamolake_consumer_rows_total", "trickle"))
			if p.metric(f.T, "dynamolake_consumer_held_bytes", "flood") > 6<<20 {
				waited++
			}
		}
		f.Logf("of the trickle at most %.0f changes were not in the lake, one a second; the flood held all it could have in %d of 60 seconds", most, waited)
		if waited < 10 {
			f.Errorf("memory was short in %d of 60 seconds: the test shows nothing", waited)
		}
		if most > 5+2 {
			f.Errorf("changes of the trickle were not in the lake for %.0f s, with a flush interval of 5 s and polls every second", most)
		}
		f.setOnPut(nil)
		f.proveAll(scenes)
	})
}

func TestALeaseTableOfOneTableIsNotTakenForSeveral(t *testing.T) {
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		m := f.start("one", nil)
		f.put("a", 5)
		f.await()
		o := f.Worker("several", zap.NewNop())
		o.Many = true
		if err := consumer.Run(f.Context(), o); err == nil || !strings.Contains(err.Error(), "is of a fleet that reads one table; give --app another name") {
			f.Errorf("several tables in it: %v", err)
		}
		f.put("b", 5)
		f.await()
		f.terminate(m)
		f.prove(0)
	})
}

// TestAFleetOfSeveralMayShrinkToOne: a worker that is given one table of a lease table of several goes on
// with its rows.
func TestAFleetOfSeveralMayShrinkToOne(t *testing.T) {
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		scenes := f.beside(2, "audit", "users")
		p := f.side("w", scenes, nil)
		author := scenes["audit"].Author(1, 20)
		for range 40 {
			if err := author.Step(f.Context()); err != nil {
				f.Fatal(err)
			}
		}
		f.proveAll(scenes)
		p.stop()
		<-p.done
		o := scenes["audit"].Worker("alone", zap.NewNop())
		o.Limits.Age = time.Second
		ctx, stop := context.WithCancel(f.Context())
		done := make(chan error, 1)
		go func() { done <- consumer.Run(ctx, o) }()
		for range 40 {
			if err := author.Step(f.Context()); err != nil {
				f.Fatal(err)
			}
		}
		f.proveAll(map[string]*scene.Scene{"audit": scenes["audit"]})
		stop()
		if err := <-done; err != nil {
			f.Error(err)
		}
		table, err := checkpoint.ReadTable(f.Context(), o.DynamoDB, manyApp, "")
		if err != nil {
			f.Fatal(err)
		}
		for _, r := range table.Leases {
			if r.Of == "" {
				f.Errorf("a plain key: %+v", r)
			}
		}
	})
}

func TestTablesAreTriedAgainLessAndLessOften(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		var tries []time.Duration
		began := time.Now()
		tables := consumer.NewTables([]string{"a"}, func(string) prometheus.Registerer { return prometheus.NewRegistry() }, zap.NewNop())
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		err := tables.Run(ctx, func(_ context.Context, a consumer.Attempt) error {
			a.Registerer.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "each_attempt"}))
			tries = append(tries, time.Since(began))
			return errors.New("no such table")
		})
		if err == nil || err.Error() != "table a: no such table" {
			t.Errorf("it ends with %v", err)
		}
		if n := len(tries); n < 15 || n > 25 {
			t.Errorf("%d tries in an hour: %v", n, tries)
		}
	})
}

func TestTheProcessEndsWhenNothingIsLeft(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		tables := consumer.NewTables([]string{"a", "b"}, func(string) prometheus.Registerer { return prometheus.NewRegistry() }, zap.NewNop())
		err := tables.Run(t.Context(), func(_ context.Context, a consumer.Attempt) error {
			if a.Table == "a" {
				return &consumer.TooManyRejects{Table: "a", Most: 3}
			}
			return consumer.ForGood(errors.New("over"))
		})
		if err == nil || !strings.Contains(err.Error(), "table a: more than 3 further records") && !strings.Contains(err.Error(), "table b: over") {
			t.Errorf("it ends with %v", err)
		}
		began := time.Now()
		err = tables.Run(t.Context(), func(ctx context.Context, a consumer.Attempt) error {
			if a.Table == "a" {
				return fmt.Errorf("worker w: %w", checkpoint.ErrReplaced)
			}
			a.Begun()
			<-ctx.Done()
			return nil
		})
		if !errors.Is(err, checkpoint.ErrReplaced) || time.Since(began) > time.Second {
			t.Errorf("replaced after %s: %v", time.Since(began), err)
		}
	})
}
