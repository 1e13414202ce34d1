package consumer_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"dynamolake/checkpoint"
	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"
	"dynamolake/internal/lakecheck"
	"dynamolake/internal/scene"
)

// fixture is one table and a fleet in virtual time.
type fixture struct {
	*testing.T
	*scene.Scene
	mu      sync.Mutex
	members []*member
	cut     map[string]bool // workers whose requests fail
	asked   map[string]int  // "operation target": requests

	unwritten string              // objects with this in their names are not written
	onPut     func(target string) // before each object that somebody writes
	versions  int                 // of items that change wrote
}

type member struct {
	name     string
	stop     context.CancelFunc
	done     chan error
	registry *prometheus.Registry
}

// inBubble runs a story in virtual time, and stops the fleet at its end.
func inBubble(t *testing.T, cfg awssim.Config, shards int, story func(*fixture)) {
	t.Helper()
	bubble.Run(t, func(t *testing.T) {
		if cfg.Latency == nil {
			cfg.Latency = func(*awssim.Call) time.Duration { return 5 * time.Millisecond }
		}
		cloud := awssim.New(cfg)
		s, err := scene.Open(t.Context(), cloud, shards)
		if err != nil {
			t.Fatal(err)
		}
		f := &fixture{T: t, Scene: s, cut: map[string]bool{}, asked: map[string]int{}}
		cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			f.mu.Lock()
			defer f.mu.Unlock()
			if before := f.onPut; before != nil && call.Operation == "PutObject" && call.Client != "observer" {
				f.mu.Unlock()
				before(call.Target)
				f.mu.Lock()
			}
			f.asked[call.Operation+" "+call.Target]++
			if f.cut[call.Client] || f.unwritten != "" && call.Operation == "PutObject" && strings.Contains(call.Target, f.unwritten) {
				return awssim.Fault{Status: 503, Code: "ServiceUnavailable"}
			}
			return awssim.Fault{}
		})
		defer func() {
			for _, m := range f.members {
				m.stop()
			}
			for _, m := range f.members {
				<-m.done
			}
		}()
		story(f)
	})
}

// start runs a worker that flushes every second.
func (f *fixture) start(name string, change func(*consumer.Options)) *member {
	m := &member{name: name, done: make(chan error, 1), registry: prometheus.NewRegistry()}
	o := f.Worker(name, zap.NewNop())
	o.Limits.Age, o.Registerer, o.Settle = time.Second, m.registry, 5*time.Second
	if change != nil {
		change(&o)
	}
	ctx, stop := context.WithCancel(context.Background())
	m.stop = stop
	f.members = append(f.members, m)
	go func() {
		m.done <- consumer.Run(ctx, o)
		close(m.done)
	}()
	return m
}

// terminate is SIGTERM: it waits for the hand-over.
func (f *fixture) terminate(m *member) {
	f.Helper()
	m.stop()
	if err := <-m.done; err != nil {
		f.Errorf("%s did not hand over cleanly: %v", m.name, err)
	}
}

// kill cuts a worker off for good: harder than a death, for it goes on as a zombie.
func (f *fixture) kill(m *member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cut[m.name] = true
}

// refusePuts makes the store fail for objects with such a name; an empty one ends that.
func (f *fixture) refusePuts(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unwritten = name
}

func (f *fixture) setOnPut(before func(target string)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.onPut = before
}

// put writes so many new items.
func (f *fixture) put(prefix string, n int) {
	f.Helper()
	db := dynamodb.NewFromConfig(f.Cloud.AWSConfig("author"))
	for i := range n {
		if _, err := db.PutItem(f.Context(), &dynamodb.PutItemInput{TableName: aws.String(scene.TableName), Item: map[string]ddbtypes.AttributeValue{
			"customer": &ddbtypes.AttributeValueMemberS{Value: fmt.Sprintf("%s-%d", prefix, i)},
			"order":    &ddbtypes.AttributeValueMemberN{Value: fmt.Sprint(i)},
		}}); err != nil {
			f.Fatal(err)
		}
	}
}

// await waits for the fleet to checkpoint everything.
func (f *fixture) await() {
	f.Helper()
	if err := f.Await(f.Context(), 5*time.Minute); err != nil {
		f.Fatal(err)
	}
}

// prove returns the check's report, and fails unless only what is expected is lost.
func (f *fixture) prove(lost int) lakecheck.Report {
	f.Helper()
	r, err := f.Prove(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	wrong := r.Doubled + r.OutOfOrder + r.Orphans + r.Unknown + r.WrongContent
	if lost == 0 {
		wrong += r.WrongItems
	}
	if r.Lost != lost || wrong != 0 {
		f.Errorf("want %d lost and nothing else wrong: %s\n%s", lost, r, strings.Join(r.Problems, "\n"))
	}
	return r
}

// rows is how many rows the lake holds.
func (f *fixture) rows() int {
	f.Helper()
	lake, err := lakecheck.Read(f.Context(), f.Store("observer"), f.Prefix())
	if err != nil {
		f.Fatal(err)
	}
	return lake.Rows()
}

// lease is one row of the lease table, which must be there.
func (f *fixture) lease(shard string) checkpoint.Row {
	f.Helper()
	row, ok := f.row(shard)
	if !ok {
		f.Fatalf("no lease for shard %s", shard)
	}
	return row
}

func (f *fixture) row(shard string) (checkpoint.Row, bool) {
	f.Helper()
	table, err := f.Leases(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	for _, r := range table.Leases {
		if r.Key == shard {
			return r, true
		}
	}
	return checkpoint.Row{}, false
}

// calls counts an operation on everything that has the prefix as its target, since
// forgetCalls.
func (f *fixture) calls(operation, target string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for k, c := range f.asked {
		if strings.HasPrefix(k, operation+" "+target) {
			n += c
		}
	}
	return n
}

func (f *fixture) forgetCalls() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.asked)
}

func (f *fixture) rollAll() {
	f.Helper()
	if err := f.Cloud.RollAll(scene.TableName); err != nil {
		f.Fatal(err)
	}
}

// metric is the sum of a counter or gauge.
func (m *member) metric(t *testing.T, name string) float64 {
	t.Helper()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			var sum float64
			for _, x := range f.GetMetric() {
				sum += x.GetCounter().GetValue() + x.GetGauge().GetValue()
			}
			return sum
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// setStream turns the table's stream on or off.
func (f *fixture) setStream(on bool) {
	f.Helper()
	spec := &ddbtypes.StreamSpecification{StreamEnabled: aws.Bool(on)}
	if on {
		spec.StreamViewType = ddbtypes.StreamViewTypeNewAndOldImages
	}
	db := dynamodb.NewFromConfig(f.Cloud.AWSConfig("author"))
	if _, err := db.UpdateTable(f.Context(), &dynamodb.UpdateTableInput{TableName: aws.String(scene.TableName), StreamSpecification: spec}); err != nil {
		f.Fatal(err)
	}
}
