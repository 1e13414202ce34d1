package awssim_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// list pages through DescribeStream as a careful client does.
func (w *world) list() (shards []streamtypes.Shard, pages int) {
	w.t.Helper()
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &w.arn}
	for {
		out, err := w.streams.DescribeStream(w.t.Context(), in)
		if err != nil {
			w.t.Fatal(err)
		}
		pages++
		shards = append(shards, out.StreamDescription.Shards...)
		if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			return shards, pages
		}
	}
}

func (w *world) children(parent string) []streamtypes.Shard {
	w.t.Helper()
	out, err := w.streams.DescribeStream(w.t.Context(), &dynamodbstreams.DescribeStreamInput{
		StreamArn:   &w.arn,
		ShardFilter: &streamtypes.ShardFilter{Type: streamtypes.ShardFilterTypeChildShards, ShardId: &parent},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out.StreamDescription.Shards
}

func TestShardsRollByThemselvesAndGoAfterADay(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newWorld(t, awssim.Config{Seed: 3, RollEvery: 4 * time.Hour})
		w.put("a", "0")
		first := w.Shards("orders")[0].ID
		for range 72 {
			time.Sleep(time.Hour)
			w.put("a", fmt.Sprint(time.Now().Unix()))
		}
		all, _ := w.list()
		if n := len(all); n < 6 || n > 10 {
			t.Errorf("%d shards listed after three days of rolls every 4 h, want about 7", n)
		}
		for i, sh := range all {
			if open := sh.SequenceNumberRange.EndingSequenceNumber == nil; open != (i == len(all)-1) {
				t.Errorf("shard %d of %d open: %t", i, len(all), open)
			}
			if *sh.ParentShardId == "" || i > 0 && *sh.ParentShardId != *all[i-1].ShardId {
				t.Errorf("shard %d has parent %s", i, *sh.ParentShardId)
			}
		}
		if _, err := w.iterator(first, streamtypes.ShardIteratorTypeTrimHorizon, ""); code(err) != "ResourceNotFoundException" {
			t.Errorf("the first shard, three days later: %v", err)
		}
		if n := len(w.Journal("orders")); n != 73 {
			t.Errorf("the journal has %d records, want 73", n)
		}
	})
}

func TestAPositionThatWasTrimmedIsRefused(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newWorld(t, awssim.Config{})
		shard := w.Shards("orders")[0].ID
		for i := range 3 {
			w.put("a", fmt.Sprint(i))
			time.Sleep(time.Minute)
		}
		early, err := w.iterator(shard, streamtypes.ShardIteratorTypeTrimHorizon, "")
		if err != nil {
			t.Fatal(err)
		}
		j := w.Journal("orders")
		if err := w.TrimBefore("orders", j[2].Created); err != nil {
			t.Fatal(err)
		}
		var trimmed *streamtypes.TrimmedDataAccessException
		if _, err := w.iterator(shard, streamtypes.ShardIteratorTypeAfterSequenceNumber, j[0].Seq); !errors.As(err, &trimmed) {
			t.Errorf("after the first of two lost records: %v", err)
		}
		if _, err := w.iterator(shard, streamtypes.ShardIteratorTypeAfterSequenceNumber, j[1].Seq); err != nil {
			t.Errorf("after the last lost record nothing is lost: %v", err)
		}
		if _, err := w.streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: early}); !errors.As(err, &trimmed) {
			t.Errorf("with an iterator from before: %v", err)
		}
		if recs, _ := w.read(shard); len(recs) != 1 {
			t.Errorf("from the trim horizon: %d records, want 1", len(recs))
		}
	})
}

func TestAListingMayMissAShardOrShowItOpen(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newWorld(t, awssim.Config{})
		parent := w.Shards("orders")[0].ID
		time.Sleep(time.Second)
		if err := w.Split("orders", parent); err != nil {
			t.Fatal(err)
		}
		child := w.Shards("orders")[1].ID
		if err := errors.Join(w.HideShardOnce("orders", child, 2), w.ShowOpenParent("orders", parent, 1)); err != nil {
			t.Fatal(err)
		}
		for _, want := range []struct {
			shards int
			open   bool
		}{{2, true}, {2, false}, {3, false}} {
			all, _ := w.list()
			if len(all) != want.shards || (all[0].SequenceNumberRange.EndingSequenceNumber == nil) != want.open {
				t.Errorf("%d shards, parent open %t; want %+v", len(all), all[0].SequenceNumberRange.EndingSequenceNumber == nil, want)
			}
		}
		if kids := w.children(parent); len(kids) != 2 || *kids[0].ParentShardId != parent {
			t.Errorf("%d children of the split shard, want 2", len(kids))
		}
		if kids := w.children(child); len(kids) != 0 {
			t.Errorf("%d children of an open shard", len(kids))
		}
	})
}

func TestAFullListingOfThirtyThousandShardsIsCheap(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newWorld(t, awssim.Config{Shards: 5000})
		for range 5 {
			time.Sleep(time.Second)
			if err := w.RollAll("orders"); err != nil {
				t.Fatal(err)
			}
		}
		all, pages := w.list()
		if len(all) != 30_000 || pages != 301 { // the last page of 100 says that there may be more
			t.Errorf("%d shards on %d pages", len(all), pages)
		}
		open := 0
		for _, sh := range all {
			if sh.SequenceNumberRange.EndingSequenceNumber == nil {
				open++
			}
		}
		if open != 5000 {
			t.Errorf("%d open shards", open)
		}
	})
}

func TestItemsSpreadOverShardsAndStayInTheirLineage(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newWorld(t, awssim.Config{Shards: 4})
		for i := range 400 {
			w.put(fmt.Sprint("k", i), "1")
		}
		for _, sh := range w.Shards("orders") {
			if sh.Records < 50 || sh.Records > 150 {
				t.Errorf("shard %s has %d of 400 records", sh.ID, sh.Records)
			}
		}
		home := map[string]string{}
		for _, r := range w.Journal("orders") {
			home[r.Key] = r.Shard
		}
		time.Sleep(time.Second)
		if err := w.RollAll("orders"); err != nil {
			t.Fatal(err)
		}
		parent := map[string]string{}
		for _, sh := range w.Shards("orders") {
			parent[sh.ID] = sh.Parent
		}
		for i := range 400 {
			w.put(fmt.Sprint("k", i), "2")
		}
		for _, r := range w.Journal("orders")[400:] {
			if parent[r.Shard] != home[r.Key] {
				t.Errorf("%s went from %s to %s, a child of %s", r.Key, home[r.Key], r.Shard, parent[r.Shard])
			}
		}
	})
}

func TestTheServiceDeletesWhatIsPastItsTime(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newWorld(t, awssim.Config{})
		_, err := w.db.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
			TableName:               aws.String("orders"),
			TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("v"), Enabled: aws.Bool(true)},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.put("soon", fmt.Sprint(time.Now().Add(time.Minute).Unix()))
		w.put("late", fmt.Sprint(time.Now().Add(time.Hour).Unix()))
		time.Sleep(2 * time.Minute)
		if n := w.ExpireTTL("orders"); n != 1 {
			t.Errorf("%d items went, want 1", n)
		}
		recs, _ := w.read(w.Shards("orders")[0].ID)
		last := recs[len(recs)-1]
		if last.EventName != streamtypes.OperationTypeRemove || last.UserIdentity == nil || *last.UserIdentity.PrincipalId != "dynamodb.amazonaws.com" || *last.UserIdentity.Type != "Service" {
			t.Errorf("the last record is %s by %+v", last.EventName, last.UserIdentity)
		}
	})
}

func TestADisabledStreamIsGoneAfterADay(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newWorld(t, awssim.Config{})
		w.put("a", "1")
		if _, err := w.db.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("orders")}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(23 * time.Hour)
		if all, _ := w.list(); len(all) != 1 || all[0].SequenceNumberRange.EndingSequenceNumber == nil {
			t.Errorf("after 23 h: %d shards", len(all))
		}
		time.Sleep(2 * time.Hour)
		_, err := w.streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: &w.arn})
		if code(err) != "ResourceNotFoundException" {
			t.Errorf("after 25 h: %v", err)
		}
	})
}

func TestTheSameSeedAndCallsGiveTheSameAnswers(t *testing.T) {
	run := func(seed uint64) (trace []any) {
		bubble.Run(t, func(t *testing.T) {
			w := newWorld(t, awssim.Config{Seed: seed, Shards: 3, EmptyPages: 2, RollEvery: time.Hour})
			for i := range 300 {
				w.put(fmt.Sprint("k", i%50), fmt.Sprint(i))
				time.Sleep(time.Minute)
			}
			for _, sh := range w.Shards("orders") {
				recs, closed := w.read(sh.ID)
				trace = append(trace, sh, len(recs), closed)
			}
			trace = append(trace, w.Journal("orders"), w.arn)
		})
		return trace
	}
	if !reflect.DeepEqual(run(1), run(1)) {
		t.Error("seed 1 differs from itself")
	}
	if reflect.DeepEqual(run(1), run(2)) {
		t.Error("seeds 1 and 2 are the same")
	}
}

func TestSequenceNumbersGrowByADigit(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newWorld(t, awssim.Config{Seed: 5})
		for i := range 200 {
			w.put("a", fmt.Sprint(i))
		}
		j := w.Journal("orders")
		if short, long := len(j[0].Seq), len(j[199].Seq); short != 21 || long != 22 {
			t.Errorf("%d digits at first and %d at last, want 21 and 22", short, long)
		}
		if !slices.IsSortedFunc(j, func(a, b awssim.Record) int { return len(a.Seq)*1000 - len(b.Seq)*1000 + cmpText(a.Seq, b.Seq) }) {
			t.Error("sequence numbers do not grow")
		}
	})
}

func cmpText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
