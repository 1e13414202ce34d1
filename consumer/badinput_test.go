package consumer_test

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/lakecheck"
	"dynamolake/internal/scene"
	"dynamolake/writer"
)

type item = map[string]ddbtypes.AttributeValue

func text(s string) ddbtypes.AttributeValue   { return &ddbtypes.AttributeValueMemberS{Value: s} }
func number(s string) ddbtypes.AttributeValue { return &ddbtypes.AttributeValueMemberN{Value: s} }

func (f *fixture) db() *dynamodb.Client { return dynamodb.NewFromConfig(f.Cloud.AWSConfig("author")) }

func (f *fixture) putItem(table string, it item) {
	f.Helper()
	if _, err := f.db().PutItem(f.Context(), &dynamodb.PutItemInput{TableName: &table, Item: it}); err != nil {
		f.Fatal(err)
	}
}

// rewritePages changes the GetRecords answers of the simulated service.
func (f *fixture) rewritePages(change func([]byte) []byte) (remove func()) {
	return f.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
		if call.Operation != "GetRecords" {
			return awssim.Fault{}
		}
		return awssim.Fault{RewriteReply: change}
	})
}

func TestARecordThatDoesNotDecodeIsSetAsideAndTheShardGoesOn(t *testing.T) {
	for _, c := range []struct {
		name string
		old  string // first match is spoilt
		new  string
	}{
		{"an event that nobody knows", `"eventName":"INSERT"`, `"eventName":"UPSERT"`},
		{"a sequence number that is none", `"SequenceNumber":"[0-9]+"`, `"SequenceNumber":"12x"`},
		{"an image that is no object", `"NewImage":\{`, `"NewImage":7,"Other":{`},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, awssim.Config{}, 1, func(f *fixture) {
				spoil := regexp.MustCompile(c.old)
				f.rewritePages(func(page []byte) []byte {
					// One record: the one of customer bad-0, wherever it comes.
					at := bytes.Index(page, []byte("bad-0"))
					if at < 0 {
						return page
					}
					begin := bytes.LastIndex(page[:at], []byte(`{"awsRegion"`))
					if begin < 0 {
						begin = bytes.LastIndex(page[:at], []byte(`{"eventID"`))
					}
					loc := spoil.FindIndex(page[max(begin, 0):])
					if loc == nil {
						t.Errorf("nothing to spoil in %s", page)
						return page
					}
					from, to := max(begin, 0)+loc[0], max(begin, 0)+loc[1]
					return append(append(bytes.Clone(page[:from]), c.new...), page[to:]...)
				})
				m := f.start("w", nil)
				f.put("a", 20)
				f.put("bad", 1)
				f.put("b", 20)
				f.await()
				f.put("c", 20)
				f.await()
				time.Sleep(5 * time.Second)
				if r := f.prove(1); r.Changes != 60 {
					t.Errorf("%d changes in the lake, want 60", r.Changes)
				}
				if n := m.metric(t, "dynamolake_consumer_rejects_total"); n != 1 {
					t.Errorf("rejects counted: %v, want 1", n)
				}
				if bodies := f.objects("rejects/"); len(bodies) != 1 || !strings.Contains(bodies[0], "bad-0") || !strings.Contains(bodies[0], `"reason":"`) {
					t.Errorf("rejects: %q, want the record of bad-0 with its reason", bodies)
				}
			})
		})
	}
}

// objects reads what lies under a part of the table's lake.
func (f *fixture) objects(under string) (bodies []string) {
	f.Helper()
	store := f.Store("observer")
	for obj, err := range store.List(f.Context(), f.Prefix()+under) {
		if err != nil {
			f.Fatal(err)
		}
		body, _, err := store.Get(f.Context(), obj.Key)
		if err != nil {
			f.Fatal(err)
		}
		bodies = append(bodies, string(body))
	}
	return bodies
}

func TestAPageThatCannotBeReadIsAskedForAgain(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault awssim.Fault
	}{
		{"cut on the way", awssim.Fault{CutReply: 700}},
		{"cut, and nobody noticed", awssim.Fault{RewriteReply: func(b []byte) []byte { return b[:len(b)/2] }}},
		{"not JSON", awssim.Fault{RewriteReply: func([]byte) []byte { return []byte("<html>proxy error</html>") }}},
		{"empty", awssim.Fault{RewriteReply: func([]byte) []byte { return nil }}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, awssim.Config{}, 1, func(f *fixture) {
				var bad atomic.Int64
				remove := f.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
					if call.Operation != "GetRecords" {
						return awssim.Fault{}
					}
					bad.Add(1)
					return c.fault
				})
				f.put("a", 30)
				m := f.start("w", nil)
				time.Sleep(5 * time.Minute)
				// 30 rounds at 10 s, each of at most three attempts.
				if n := bad.Load(); n < 5 || n > 130 {
					t.Errorf("%d bad pages in five minutes", n)
				}
				if rows := f.rows(); rows != 0 {
					t.Errorf("%d rows came out of unreadable pages", rows)
				}
				if n := m.metric(t, "dynamolake_consumer_read_failures_total"); n == 0 {
					t.Error("no failed read was counted")
				}
				remove()
				f.put("b", 30)
				f.await()
				f.prove(0)
			})
		})
	}
}

func TestADeniedStreamIsToldOnceAndAskedSlowly(t *testing.T) {
	inBubble(t, awssim.Config{}, 4, func(f *fixture) {
		core, logs := observer.New(zap.WarnLevel)
		var remove func()
		f.start("w", func(o *consumer.Options) { o.Log = zap.New(core) })
		f.put("a", 40)
		f.await()
		for round := 1; round <= 2; round++ {
			remove = f.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
				if call.Operation == "GetRecords" {
					return awssim.Fault{Code: "AccessDeniedException", Message: "not authorized"}
				}
				return awssim.Fault{}
			})
			time.Sleep(time.Minute)
			f.forgetCalls()
			time.Sleep(10 * time.Minute)
			if n := f.calls("GetRecords", scene.TableName); n > 4*70 {
				t.Errorf("%d GetRecords on 4 shards in ten denied minutes, want one in 10 s and shard", n)
			}
			told := logs.FilterMessage("the stream may not be read; trying on").FilterLevelExact(zap.ErrorLevel).All()
			if len(told) != round || !strings.Contains(fmt.Sprint(told[0].ContextMap()["error"]), "permission dynamodb:GetRecords is missing on arn:aws:") {
				t.Fatalf("round %d: told %d times: %v", round, len(told), told)
			}
			remove()
			f.put("b", 40)
			f.await()
		}
		f.prove(0)
	})
}

func TestTheLargestItemWithBothImages(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		f.start("w", func(o *consumer.Options) { o.OldImage = true })
		for round := range 5 {
			it := item{"customer": text("big"), "order": number("1"), "fill": text(strings.Repeat(string(rune('a'+round)), 399_000))}
			f.putItem(scene.TableName, it)
			// As many bytes of base64 and escapes as fit.
			f.putItem(scene.TableName, item{
				"customer": text("raw"), "order": number("1"), "round": number(fmt.Sprint(round)),
				"raw": &ddbtypes.AttributeValueMemberB{Value: bytes.Repeat([]byte{0, 255, byte(round)}, 133_000)},
			})
			f.putItem(scene.TableName, item{"customer": text("esc"), "order": number("1"), "round": number(fmt.Sprint(round)), "esc": text(strings.Repeat("\x01\"", 199_000))})
		}
		f.await()
		if r := f.prove(0); r.Changes != 15 {
			t.Errorf("%d changes, want 15", r.Changes)
		}
	})
}

// hostile are strings that break naive code: separators, quotes, escapes,
// placeholders, type names, our own columns, every kind of Unicode.
func hostile() []string {
	list := []string{
		".", "..", "a.b", `"`, `'`, "`", `\`, `\\"`, `a\u0000b`, "\x00", "\x01\x1f\x7f", "\n", "\r\n", "\t", " ", "#n", ":v", "$", "{}", "[0]", "null",
		"_op", "_seq", "_rest", "_old", "S", "N", "M", "NULL", "Keys", "NewImage", "SequenceNumber", "NextShardIterator",
		"Ünï", "e\u0301", "\u2028\u2029", "💧", "\U0010ffff", "\ufeff", "\u202e", "日本語", strings.Repeat("é\\\"", 15_000),
	}
	return list
}

func TestHostileAttributeNamesAndValues(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		f.start("w", func(o *consumer.Options) { o.OldImage = true })
		n := 0
		for i, h := range hostile() {
			key := item{"customer": text("c"), "order": number(fmt.Sprint(i))}
			for _, v := range []ddbtypes.AttributeValue{
				text(h),
				&ddbtypes.AttributeValueMemberM{Value: item{h: text(h), "in": &ddbtypes.AttributeValueMemberL{Value: []ddbtypes.AttributeValue{text(h), &ddbtypes.AttributeValueMemberM{Value: item{h: number("-0.1e-120")}}}}}},
				&ddbtypes.AttributeValueMemberSS{Value: []string{h, h + "x"}},
			} {
				it := item{h: v}
				for k, v := range key {
					it[k] = v
				}
				f.putItem(scene.TableName, it)
				n++
			}
		}
		// Hostile values of the keys too; the range key is a number at its limits.
		for _, h := range hostile() {
			if len(h) > 2048 {
				h = h[:1024]
			}
			for _, order := range []string{"0", "-1E-130", "9.9999999999999999999999999999999999999E+125"} {
				f.putItem(scene.TableName, item{"customer": text(strings.ToValidUTF8(h, "")), "order": number(order)})
				n++
			}
		}
		f.await()
		if r := f.prove(0); r.Changes != n {
			t.Errorf("%d changes, want %d", r.Changes, n)
		}
	})
}

func TestHostileKeyNames(t *testing.T) {
	for _, k := range []struct{ hash, sort string }{
		{"_op", "_seq"}, {`a.b"c`, "Ünï"}, {"_rest", "_old"}, {`\`, "💧"}, {"a b", "A B"}, {"_key", "_ts"},
	} {
		t.Run(k.hash+" and "+k.sort, func(t *testing.T) {
			inBubble(t, awssim.Config{}, 1, func(f *fixture) {
				const name = "hostile"
				if _, err := f.db().CreateTable(f.Context(), &dynamodb.CreateTableInput{
					TableName: aws.String(name), BillingMode: ddbtypes.BillingModePayPerRequest,
					AttributeDefinitions: []ddbtypes.AttributeDefinition{{AttributeName: &k.hash, AttributeType: "S"}, {AttributeName: &k.sort, AttributeType: "B"}},
					KeySchema:            []ddbtypes.KeySchemaElement{{AttributeName: &k.hash, KeyType: "HASH"}, {AttributeName: &k.sort, KeyType: "RANGE"}},
					StreamSpecification:  &ddbtypes.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: ddbtypes.StreamViewTypeNewAndOldImages},
				}); err != nil {
					t.Fatal(err)
				}
				table, err := consumer.Describe(f.Context(), f.db(), name)
				if err != nil {
					t.Fatal(err)
				}
				f.start("w", func(o *consumer.Options) { o.Table, o.App, o.OldImage = table, "hostile-leases", true })
				for i := range 20 {
					f.putItem(name, item{k.hash: text(fmt.Sprint("k", i%5)), k.sort: &ddbtypes.AttributeValueMemberB{Value: []byte{0, 255}}, "n": number(fmt.Sprint(i))})
				}
				time.Sleep(time.Minute)
				f.proveTable(table, 20)
			})
		})
	}
}

// proveTable is prove for a table beside the scene's.
func (f *fixture) proveTable(table consumer.Table, changes int) {
	f.Helper()
	lake, err := lakecheck.Read(f.Context(), f.Store("observer"), writer.TablePrefix(table.Account, table.Region, table.Name))
	if err != nil {
		f.Fatal(err)
	}
	var journal []lakecheck.Record
	withOld := table.View == "NEW_AND_OLD_IMAGES"
	for _, r := range f.Cloud.Journal(table.Name) {
		rec := lakecheck.Record{Shard: r.Shard, Seq: r.Seq, EventID: r.EventID, Op: r.Event, KeyJSON: r.Key, NewJSON: r.New}
		if withOld {
			rec.OldJSON = r.Old
		}
		journal = append(journal, rec)
	}
	r := lakecheck.Check(lake, journal, f.Cloud.Items(table.Name))
	if !r.OK() || r.Changes != changes {
		f.Errorf("want %d changes and nothing wrong: %s\n%s", changes, r, strings.Join(r.Problems, "\n"))
	}
}

func TestAStreamOfNewImagesAloneIsEnough(t *testing.T) {
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		const name = "newonly"
		if _, err := f.db().CreateTable(f.Context(), &dynamodb.CreateTableInput{
			TableName: aws.String(name), BillingMode: ddbtypes.BillingModePayPerRequest,
			AttributeDefinitions: []ddbtypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: "S"}},
			KeySchema:            []ddbtypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: "HASH"}},
			StreamSpecification:  &ddbtypes.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: ddbtypes.StreamViewTypeNewImage},
		}); err != nil {
			t.Fatal(err)
		}
		table, err := consumer.Describe(f.Context(), f.db(), name)
		if err != nil {
			t.Fatal(err)
		}
		if err := table.CheckStream(false); err != nil {
			t.Fatal(err)
		}
		f.start("w", func(o *consumer.Options) { o.Table, o.App = table, "newonly-leases" })
		for i := range 20 {
			f.putItem(name, item{"id": text(fmt.Sprint(i % 4)), "n": number(fmt.Sprint(i))})
		}
		if _, err := f.db().DeleteItem(f.Context(), &dynamodb.DeleteItemInput{TableName: aws.String(name), Key: item{"id": text("1")}}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		f.proveTable(table, 21)
	})
}

func TestADeleteByTTLIsTold(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		if _, err := f.db().UpdateTimeToLive(f.Context(), &dynamodb.UpdateTimeToLiveInput{
			TableName:               aws.String(scene.TableName),
			TimeToLiveSpecification: &ddbtypes.TimeToLiveSpecification{AttributeName: aws.String("expires"), Enabled: aws.Bool(true)},
		}); err != nil {
			t.Fatal(err)
		}
		f.start("w", nil)
		for i := range 4 {
			f.putItem(scene.TableName, item{"customer": text("c"), "order": number(fmt.Sprint(i)), "expires": number(fmt.Sprint(time.Now().Add(time.Hour).Unix()))})
		}
		if _, err := f.db().DeleteItem(f.Context(), &dynamodb.DeleteItemInput{TableName: aws.String(scene.TableName), Key: item{"customer": text("c"), "order": number("0")}}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		if n := f.Cloud.ExpireTTL(scene.TableName); n != 3 {
			t.Fatalf("%d items expired, want 3", n)
		}
		f.await()
		f.prove(0)
		lake, err := lakecheck.Read(f.Context(), f.Store("observer"), f.Prefix())
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, o := range lake.Objects {
			for _, row := range o.Rows {
				got[fmt.Sprint(row.Op, " ", row.TTL)]++
			}
		}
		if got["INSERT false"] != 4 || got["REMOVE false"] != 1 || got["REMOVE true"] != 3 || len(got) != 3 {
			t.Errorf("operations and whether the service did them: %v", got)
		}
	})
}

// panicking panics at the first files of one shard.
type panicking struct {
	writer.Store
	shard string
	left  *atomic.Int64
}

func (p panicking) PutNew(ctx context.Context, key string, body []byte, meta map[string]string) error {
	if strings.Contains(key, "/changes/") && strings.Contains(key, p.shard) && p.left.Add(-1) >= 0 {
		panic("a bug")
	}
	return p.Store.PutNew(ctx, key, body, meta)
}

func TestAPanicStaysInItsShard(t *testing.T) {
	inBubble(t, awssim.Config{}, 4, func(f *fixture) {
		var left atomic.Int64
		left.Store(2)
		shards := f.Cloud.Shards(scene.TableName)
		m := f.start("w", func(o *consumer.Options) { o.Store = panicking{o.Store, shards[0].ID, &left} })
		f.put("a", 100)
		time.Sleep(20 * time.Second)
		for _, s := range shards[1:] {
			if row := f.lease(s.ID); row.Owner != "w" || row.Checkpoint.Seq == "" {
				t.Errorf("shard %s, which has no part in it, stands at %+v", s.ID, row)
			}
		}
		f.put("b", 100)
		f.await()
		f.prove(0)
		if n := m.metric(t, "dynamolake_consumer_panics_total"); n != 2 {
			t.Errorf("%v panics were counted, want 2", n)
		}
	})
}
