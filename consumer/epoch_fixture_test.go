package consumer_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

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

// fix waits for all shards to adopt the epochs of open gaps, and fixes their ends.
func (f *fixture) fix(t ledger.Timing) {
	f.Helper()
	for range 60 {
		open, err := f.FixGaps(f.Context(), t)
		if err != nil {
			f.Fatal(err)
		}
		if open == 0 {
			return
		}
		time.Sleep(5 * time.Second)
	}
	table, err := f.Leases(f.Context())
	f.Fatalf("after five minutes shards have not adopted the epoch: %+v, error %v", table.Leases, err)
}

// repaired checks that the lake is the table, once the gaps are exported.
func (f *fixture) repaired(t ledger.Timing) {
	f.Helper()
	f.fix(t)
	problems, err := f.Repaired(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	if len(problems) > 0 {
		f.Errorf("%d items are wrong after the repair: %s\n%s", len(problems)-1, problems[0], problems[len(problems)-1])
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
	for _, o := range lake.Objects {
		for _, r := range o.Rows {
			if strings.Contains(r.Key, `"`+prefix) {
				n[r.Epoch]++
			}
		}
	}
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
