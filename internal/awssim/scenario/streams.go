package scenario

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// Differences of DynamoDB Local, for Env.Lacks.
const (
	AtTimestamp = "AT_TIMESTAMP" // GetShardIterator by time fails
	PageBytes   = "1 MB pages"   // a page ends at 1,000 records only
	BadSequence = "bad sequence" // a sequence number that is no number ends in a 500
)

// Streams is what must hold of DynamoDB Streams.
var Streams = []Scenario{
	{"each write that changes an item has one record, and no other has", tryRecords},
	{"an iterator starts where it was told to", tryIterators},
	{"a page holds at most a thousand records", tryThousand},
	{"a page holds at most a megabyte", tryMegabyte},
	{"requests that cannot be right are refused", tryStreamRefusals},
	{"a stream that was switched off is closed and can still be read, and the next is another", tryDisabled},
	{"a stream can be read from a time", tryTimestamp},
}

// live is the newest stream of a table and its only shard.
func (env Env) live(t *testing.T, table string) (arn, shard string) {
	t.Helper()
	d, err := env.DynamoDB.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		t.Fatal(err)
	}
	arn = *d.Table.LatestStreamArn
	s, err := env.Streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: &arn})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.StreamDescription.Shards) != 1 {
		t.Fatalf("the stream has %d shards, want 1", len(s.StreamDescription.Shards))
	}
	return arn, *s.StreamDescription.Shards[0].ShardId
}

// read follows an iterator until the shard ends or several pages were empty.
func (env Env) read(t *testing.T, it *string) (recs []streamtypes.Record, pages int, closed bool) {
	t.Helper()
	for empty := 0; it != nil && empty < 5; {
		out, err := env.Streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: it})
		if err != nil {
			t.Fatal(err)
		}
		if empty++; len(out.Records) > 0 {
			empty = 0
			pages++
		}
		if len(out.Records) > 1000 {
			t.Errorf("a page of %d records", len(out.Records))
		}
		recs = append(recs, out.Records...)
		it = out.NextShardIterator
	}
	return recs, pages, it == nil
}

func (env Env) iterator(t *testing.T, arn, shard, how, seq string) *string {
	t.Helper()
	in := &dynamodbstreams.GetShardIteratorInput{StreamArn: &arn, ShardId: &shard, ShardIteratorType: streamtypes.ShardIteratorType(how)}
	if seq != "" {
		in.SequenceNumber = &seq
	}
	out, err := env.Streams.GetShardIterator(t.Context(), in)
	if err != nil {
		t.Fatalf("iterator %s %s: %v", how, seq, err)
	}
	return out.ShardIterator
}

func tryRecords(t *testing.T, env Env) {
	var lines []string
	for _, view := range []string{"NEW_AND_OLD_IMAGES", "NEW_IMAGE", "OLD_IMAGE", "KEYS_ONLY"} {
		table := env.table(t, "rec-"+strings.ToLower(view[:5]), textRange, view)
		key := item(`{"pk":{"S":"a"},"sk":{"S":"1"}}`)
		update := func(expr, vals string) {
			t.Helper()
			in := &dynamodb.UpdateItemInput{TableName: &table, Key: key, UpdateExpression: &expr}
			if vals != "" {
				in.ExpressionAttributeValues = item(vals)
			}
			if _, err := env.DynamoDB.UpdateItem(t.Context(), in); err != nil {
				t.Fatal(err)
			}
		}
		env.put(t, table, `{"pk":{"S":"a"},"sk":{"S":"1"},"n":{"N":"1"},"ss":{"SS":["b","a"]}}`)
		env.put(t, table, `{"pk":{"S":"a"},"sk":{"S":"1"},"n":{"N":"1"},"ss":{"SS":["a","b"]}}`) // changes nothing
		update("SET n = :n", `{":n":{"N":"1"}}`)                                                 // nor this
		update("REMOVE nothing", "")                                                             // nor this
		update("ADD n :n", `{":n":{"N":"-0.5"}}`)
		env.put(t, table, `{"pk":{"S":"a"},"sk":{"S":"1"},"b":{"B":"AAEC"},"l":{"L":[{"NULL":true},{"BOOL":false}]},"m":{"M":{"x":{"S":"é"}}}}`)
		_, err := env.DynamoDB.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: key, ConditionExpression: aws.String("attribute_exists(nope)")})
		if codeOf(err) != "ConditionalCheckFailedException" {
			t.Errorf("delete on a condition: %v", err)
		}
		for range 2 { // the second deletes nothing
			if _, err := env.DynamoDB.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: key}); err != nil {
				t.Fatal(err)
			}
		}
		update("SET q = :n", `{":n":{"N":"7"}}`)
		lines = append(lines, view)
		arn, shard := env.live(t, table)
		recs, _, closed := env.read(t, env.iterator(t, arn, shard, "TRIM_HORIZON", ""))
		if closed {
			t.Error("an open shard ended")
		}
		seen := map[string]bool{}
		last := ""
		for _, r := range recs {
			seq := fmt.Sprintf("%040s", *r.Dynamodb.SequenceNumber)
			if seq <= last || len(*r.Dynamodb.SequenceNumber) < 21 || seen[*r.EventID] {
				t.Errorf("record %s follows %s; event %s", seq, last, *r.EventID)
			}
			last, seen[*r.EventID] = seq, true
			if age := time.Since(*r.Dynamodb.ApproximateCreationDateTime); age < -time.Second || age > 5*time.Minute || r.Dynamodb.ApproximateCreationDateTime.Nanosecond() != 0 {
				t.Errorf("created at %s", r.Dynamodb.ApproximateCreationDateTime)
			}
			if *r.EventSource != "aws:dynamodb" || *r.AwsRegion == "" || r.UserIdentity != nil || r.Dynamodb.StreamViewType != streamtypes.StreamViewType(view) {
				t.Errorf("record %+v", r)
			}
			lines = append(lines, fmt.Sprintf("    %s %s\n        keys %s\n        old  %s\n        new  %s\n        %d bytes", r.EventName, *r.EventVersion,
				streamText(r.Dynamodb.Keys), streamText(r.Dynamodb.OldImage), streamText(r.Dynamodb.NewImage), *r.Dynamodb.SizeBytes))
		}
	}
	golden(t, "records", lines)
}

// streamText writes an item of the streams client, whose types are its own.
func streamText(it map[string]streamtypes.AttributeValue) string {
	if it == nil {
		return "none"
	}
	return text(convert(it))
}

func convert(it map[string]streamtypes.AttributeValue) map[string]types.AttributeValue {
	out := map[string]types.AttributeValue{}
	for name, v := range it {
		out[name] = convertValue(v)
	}
	return out
}

func convertValue(v streamtypes.AttributeValue) types.AttributeValue {
	switch v := v.(type) {
	case *streamtypes.AttributeValueMemberS:
		return &types.AttributeValueMemberS{Value: v.Value}
	case *streamtypes.AttributeValueMemberN:
		return &types.AttributeValueMemberN{Value: v.Value}
	case *streamtypes.AttributeValueMemberB:
		return &types.AttributeValueMemberB{Value: v.Value}
	case *streamtypes.AttributeValueMemberBOOL:
		return &types.AttributeValueMemberBOOL{Value: v.Value}
	case *streamtypes.AttributeValueMemberNULL:
		return &types.AttributeValueMemberNULL{Value: v.Value}
	case *streamtypes.AttributeValueMemberSS:
		return &types.AttributeValueMemberSS{Value: v.Value}
	case *streamtypes.AttributeValueMemberNS:
		return &types.AttributeValueMemberNS{Value: v.Value}
	case *streamtypes.AttributeValueMemberBS:
		return &types.AttributeValueMemberBS{Value: v.Value}
	case *streamtypes.AttributeValueMemberM:
		return &types.AttributeValueMemberM{Value: convert(v.Value)}
	case *streamtypes.AttributeValueMemberL:
		l := &types.AttributeValueMemberL{}
		for _, e := range v.Value {
			l.Value = append(l.Value, convertValue(e))
		}
		return l
	}
	return nil
}

func tryIterators(t *testing.T, env Env) {
	table := env.table(t, "iter", hashOnly, "KEYS_ONLY")
	arn, shard := env.live(t, table)
	for i := range 5 {
		env.put(t, table, fmt.Sprintf(`{"pk":{"S":"%d"}}`, i))
	}
	all, _, _ := env.read(t, env.iterator(t, arn, shard, "TRIM_HORIZON", ""))
	if len(all) != 5 {
		t.Fatalf("%d records, want 5", len(all))
	}
	latest := env.iterator(t, arn, shard, "LATEST", "")
	env.put(t, table, `{"pk":{"S":"new"}}`)
	third := *all[2].Dynamodb.SequenceNumber
	for _, c := range []struct {
		how  string
		it   *string
		want int
	}{
		{"LATEST", latest, 1},
		{"at the third", env.iterator(t, arn, shard, "AT_SEQUENCE_NUMBER", third), 4},
		{"after the third", env.iterator(t, arn, shard, "AFTER_SEQUENCE_NUMBER", third), 3},
		{"TRIM_HORIZON", env.iterator(t, arn, shard, "TRIM_HORIZON", ""), 6},
	} {
		if recs, _, _ := env.read(t, c.it); len(recs) != c.want {
			t.Errorf("%s: %d records, want %d", c.how, len(recs), c.want)
		}
	}
	it := env.iterator(t, arn, shard, "TRIM_HORIZON", "")
	for range 2 { // an iterator can be used again
		out, err := env.Streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: it, Limit: aws.Int32(2)})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Records) != 2 {
			t.Errorf("limit 2: %d records", len(out.Records))
		}
	}
}

func tryThousand(t *testing.T, env Env) {
	table := env.table(t, "thou", hashOnly, "NEW_IMAGE")
	for i := range 50 {
		var reqs []types.WriteRequest
		for j := range 25 {
			reqs = append(reqs, types.WriteRequest{PutRequest: &types.PutRequest{Item: item(fmt.Sprintf(`{"pk":{"S":"%d-%d"}}`, i, j))}})
		}
		if _, err := env.DynamoDB.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: reqs}}); err != nil {
			t.Fatal(err)
		}
	}
	arn, shard := env.live(t, table)
	recs, pages, _ := env.read(t, env.iterator(t, arn, shard, "TRIM_HORIZON", ""))
	if len(recs) != 1250 || pages < 2 {
		t.Errorf("%d records on %d pages, want 1250 on 2", len(recs), pages)
	}
}

func tryMegabyte(t *testing.T, env Env) {
	if env.Lacks[PageBytes] {
		t.Skip("pages are not cut by size here")
	}
	table := env.table(t, "mega", hashOnly, "NEW_AND_OLD_IMAGES")
	for i := range 5 {
		env.put(t, table, fmt.Sprintf(`{"pk":{"S":"a"},"n":{"N":"%d"},"x":{"S":"%s"}}`, i, strings.Repeat("x", 390<<10)))
	}
	arn, shard := env.live(t, table)
	recs, pages, _ := env.read(t, env.iterator(t, arn, shard, "TRIM_HORIZON", ""))
	if len(recs) != 5 || pages < 4 {
		t.Errorf("%d records of two 390 KB images on %d pages, want 5 on at least 4", len(recs), pages)
	}
}

func tryStreamRefusals(t *testing.T, env Env) {
	table := env.table(t, "refuse", hashOnly, "KEYS_ONLY")
	arn, shard := env.live(t, table)
	iterator := func(arn, shard, how string, seq *string) error {
		_, err := env.Streams.GetShardIterator(t.Context(), &dynamodbstreams.GetShardIteratorInput{StreamArn: &arn, ShardId: &shard, ShardIteratorType: streamtypes.ShardIteratorType(how), SequenceNumber: seq})
		return err
	}
	records := func(it string, limit int32) error {
		_, err := env.Streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: &it, Limit: &limit})
		return err
	}
	_, describe := env.Streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String(arn[:len(arn)-1] + "x")})
	unknown := "shardId-00000001111111111111-0badcafe"
	_, onTwice := env.DynamoDB.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &table, StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: "KEYS_ONLY"}})
	for _, c := range []struct {
		what string
		err  error
		want string
	}{
		{"an unknown stream", describe, "ResourceNotFoundException"},
		{"an iterator of an unknown stream", iterator(arn[:len(arn)-1]+"x", shard, "LATEST", nil), "ResourceNotFoundException"},
		{"an iterator of an unknown shard", iterator(arn, unknown, "LATEST", nil), "ResourceNotFoundException"},
		{"a sequence number that is none", iterator(arn, shard, "AFTER_SEQUENCE_NUMBER", aws.String("abcdefghijklmnopqrstu")), "ValidationException"},
		{"a missing sequence number", iterator(arn, shard, "AFTER_SEQUENCE_NUMBER", nil), "ValidationException"},
		{"an iterator that is none", records("nonsense", 10), "ValidationException"},
		{"a limit of 1001", records(*env.iterator(t, arn, shard, "LATEST", ""), 1001), "ValidationException"},
		{"a stream switched on twice", onTwice, "ValidationException"},
	} {
		if got := codeOf(c.err); got != c.want && !(got == "InternalFailure" && env.Lacks[BadSequence]) {
			t.Errorf("%s: %v, want %s", c.what, c.err, c.want)
		}
	}
}

func tryDisabled(t *testing.T, env Env) {
	table := env.table(t, "off", hashOnly, "NEW_IMAGE")
	arn, shard := env.live(t, table)
	env.put(t, table, `{"pk":{"S":"a"}}`)
	set := func(spec *types.StreamSpecification) {
		t.Helper()
		if _, err := env.DynamoDB.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &table, StreamSpecification: spec}); err != nil {
			t.Fatal(err)
		}
		if err := dynamodb.NewTableExistsWaiter(env.DynamoDB).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &table}, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	set(&types.StreamSpecification{StreamEnabled: aws.Bool(false)})
	env.put(t, table, `{"pk":{"S":"unseen"}}`)
	time.Sleep(5 * time.Millisecond) // labels are milliseconds
	set(&types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: "KEYS_ONLY"})
	env.put(t, table, `{"pk":{"S":"b"}}`)
	old, err := env.Streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: &arn})
	if err != nil {
		t.Fatal(err)
	}
	d := old.StreamDescription
	if d.StreamStatus != streamtypes.StreamStatusDisabled || d.Shards[0].SequenceNumberRange.EndingSequenceNumber == nil {
		t.Errorf("the old stream is %s, its shard %+v", d.StreamStatus, d.Shards[0].SequenceNumberRange)
	}
	recs, _, closed := env.read(t, env.iterator(t, arn, shard, "TRIM_HORIZON", ""))
	if len(recs) != 1 || !closed {
		t.Errorf("the old stream has %d records, ended %t", len(recs), closed)
	}
	next, shard := env.live(t, table)
	if recs, _, closed := env.read(t, env.iterator(t, next, shard, "TRIM_HORIZON", "")); next == arn || len(recs) != 1 || closed {
		t.Errorf("the new stream %s after %s has %d records, ended %t", next, arn, len(recs), closed)
	}
	list, err := env.Streams.ListStreams(t.Context(), &dynamodbstreams.ListStreamsInput{TableName: &table})
	if err != nil || len(list.Streams) != 2 {
		t.Errorf("streams of the table: %v, error %v", list, err)
	}
}

func tryTimestamp(t *testing.T, env Env) {
	if env.Lacks[AtTimestamp] {
		t.Skip("iterators by time are not known here")
	}
	table := env.table(t, "time", hashOnly, "KEYS_ONLY")
	arn, shard := env.live(t, table)
	env.put(t, table, `{"pk":{"S":"a"}}`)
	time.Sleep(2100 * time.Millisecond)
	mid := time.Now().Truncate(time.Second)
	env.put(t, table, `{"pk":{"S":"b"}}`)
	for _, c := range []struct {
		at   time.Time
		want int
	}{{mid, 1}, {mid.Add(-time.Hour), 2}} {
		out, err := env.Streams.GetShardIterator(t.Context(), &dynamodbstreams.GetShardIteratorInput{StreamArn: &arn, ShardId: &shard, ShardIteratorType: streamtypes.ShardIteratorTypeAtTimestamp, Timestamp: &c.at})
		if err != nil {
			t.Fatal(err)
		}
		if recs, _, _ := env.read(t, out.ShardIterator); len(recs) != c.want {
			t.Errorf("from %s: %d records, want %d", c.at, len(recs), c.want)
		}
	}
	future := time.Now().Add(time.Hour)
	_, err := env.Streams.GetShardIterator(t.Context(), &dynamodbstreams.GetShardIteratorInput{StreamArn: &arn, ShardId: &shard, ShardIteratorType: streamtypes.ShardIteratorTypeAtTimestamp, Timestamp: &future})
	if codeOf(err) != "ValidationException" {
		t.Errorf("from the future: %v", err)
	}
}
