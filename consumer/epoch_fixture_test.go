package consumer_test

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/lakecheck"
	"dynamolake/internal/scene"
)

// hourly is a small scale of time: the stream keeps an hour, and clocks differ by seconds.
func hourly() ledger.Timing {
	t := ledger.RealTiming()
	t.Retention, t.Skew, t.MinWindow = time.Hour, 5*time.Second, 10*time.Second
	return t
}

func goOn(o *consumer.Options) { o.OnGap = consumer.GapContinue }

func goOnHourly(o *consumer.Options) { o.OnGap, o.Timing = consumer.GapContinue, hourly() }

func (f *fixture) ledger() ledger.Ledger {
	f.Helper()
	l, err := f.Ledger("observer").Read(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	return l
}

// fix does what a repairer does with open gaps: it waits for all shards to adopt the
// epoch, and fixes the end.
func (f *fixture) fix(t ledger.Timing) {
	f.Helper()
	for range 60 {
		l, open := f.ledger(), false
		table, err := f.Leases(f.Context())
		if err != nil {
			f.Fatal(err)
		}
		for _, g := range l.Gaps {
			if g.State != ledger.GapOpen {
				continue
			}
			done, through := checkpoint.Adopted(table.Leases, g.After)
			if !done {
				open = true
				continue
			}
			if _, err := f.Ledger("repairer").Update(f.Context(), func(l *ledger.Ledger) error { return l.FixGap(g.Number, through, t) }); err != nil {
				f.Fatal(err)
			}
		}
		if !open {
			return
		}
		time.Sleep(5 * time.Second)
	}
	table, _ := f.Leases(f.Context())
	f.Fatalf("after five minutes shards have not adopted the epoch: %+v", table.Leases)
}

// version is one state of an item, and its place in the order that a reader goes by.
type version struct {
	epoch int64
	order string // _seq in an epoch of the stream, time in one of windows
	image string // "" removed
}

// repaired plays the exports of all gaps' windows and folds the lake as a reader does.
// The result must be the table: a window that is too short, or rows under the wrong
// epoch, show as items of yesterday.
func (f *fixture) repaired(t ledger.Timing) {
	f.Helper()
	f.fix(t)
	lake, err := lakecheck.Read(f.Context(), f.Store("observer"), f.Prefix())
	if err != nil {
		f.Fatal(err)
	}
	newest := map[string]version{}
	take := func(key string, v version) {
		old, ok := newest[key]
		if !ok || cmp.Or(cmp.Compare(old.epoch, v.epoch), cmp.Compare(old.order, v.order)) <= 0 {
			newest[key] = v
		}
	}
	f.eachRow(lake, func(r lakecheck.Row) { take(r.Key, version{r.Epoch, r.Seq.String(), r.Image}) })
	l := f.ledger()
	for _, g := range l.Gaps {
		for i, r := range f.Cloud.Journal(scene.TableName) {
			if at := time.UnixMicro(r.Micros); !at.Before(g.From) && at.Before(g.To) {
				take(r.Key, version{g.Epoch, fmt.Sprintf("%09d", i), r.New})
			}
		}
	}
	wrong := 0
	for key, item := range f.Cloud.Items(scene.TableName) {
		if newest[key].image != item {
			if wrong++; wrong == 1 {
				f.Errorf("item %s is %+v, want %s", key, newest[key], item)
			}
		}
		delete(newest, key)
	}
	for key, v := range newest {
		if v.image != "" {
			if wrong++; wrong == 1 {
				f.Errorf("item %s is %+v, and is not in the table", key, v)
			}
		}
	}
	if wrong > 0 {
		f.Errorf("%d items are wrong after the repair; the ledger:\n%s", wrong, l.JSON())
	}
}

func (f *fixture) eachRow(lake *lakecheck.Lake, do func(lakecheck.Row)) {
	for _, o := range lake.Objects {
		if o.Err != nil {
			f.Errorf("%s: %v", o.Key, o.Err)
		}
		for _, r := range o.Rows {
			do(r)
		}
	}
}

// epochs is how many rows there are in each epoch, of items whose key has the prefix.
func (f *fixture) epochs(prefix string) map[int64]int {
	f.Helper()
	lake, err := lakecheck.Read(f.Context(), f.Store("observer"), f.Prefix())
	if err != nil {
		f.Fatal(err)
	}
	n := map[int64]int{}
	f.eachRow(lake, func(r lakecheck.Row) {
		if strings.Contains(r.Key, `"`+prefix) {
			n[r.Epoch]++
		}
	})
	return n
}

// change writes to the same few items again and again.
func (f *fixture) change(times int) {
	f.Helper()
	db := dynamodb.NewFromConfig(f.Cloud.AWSConfig("author"))
	for i := range times {
		f.versions++
		if _, err := db.PutItem(f.Context(), &dynamodb.PutItemInput{TableName: aws.String(scene.TableName), Item: map[string]ddbtypes.AttributeValue{
			"customer": &ddbtypes.AttributeValueMemberS{Value: fmt.Sprintf("same-%d", i%20)},
			"order":    &ddbtypes.AttributeValueMemberN{Value: "1"},
			"version":  &ddbtypes.AttributeValueMemberN{Value: fmt.Sprint(f.versions)},
		}}); err != nil {
			f.Fatal(err)
		}
	}
}

// block stops GetRecords of a shard until the returned func is called.
func (f *fixture) block(shard string) (unblock func()) {
	return f.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
		if call.Operation == "GetRecords" && strings.Contains(call.Target, shard) {
			return awssim.Fault{Status: 400, Code: "LimitExceededException"}
		}
		return awssim.Fault{}
	})
}
