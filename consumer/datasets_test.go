package consumer_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/scene"
	"dynamolake/transform"
	"dynamolake/transform/schema"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// asking gives workers a schema; empty for one that learns.
func (f *fixture) asking(text string) func(*consumer.Options) {
	return func(o *consumer.Options) {
		f.Helper()
		var asked *schema.Schema
		if text != "" {
			var err error
			if asked, err = schema.Parse([]byte(text)); err != nil {
				f.Fatal(err)
			}
		}
		live, err := dataset.Open(f.Context(), dataset.NewCatalog(o.Store, f.Prefix()), asked,
			dataset.Options{Table: scene.TableName, Keys: f.Table.Keys, Source: writer.SourceStream}, schema.DefaultLimits)
		if err != nil {
			f.Fatal(err)
		}
		o.Datasets = live
	}
}

// write puts an item with attributes beside its key, given as DynamoDB would have them.
func (f *fixture) write(customer string, order int, attributes map[string]ddbtypes.AttributeValue) {
	f.Helper()
	item := f.keyOf(customer, order)
	for name, v := range attributes {
		item[name] = v
	}
	db := dynamodb.NewFromConfig(f.Cloud.AWSConfig("author"))
	if _, err := db.PutItem(f.Context(), &dynamodb.PutItemInput{TableName: aws.String(scene.TableName), Item: item}); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) remove(customer string, order int) {
	f.Helper()
	db := dynamodb.NewFromConfig(f.Cloud.AWSConfig("author"))
	if _, err := db.DeleteItem(f.Context(), &dynamodb.DeleteItemInput{TableName: aws.String(scene.TableName), Key: f.keyOf(customer, order)}); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) keyOf(customer string, order int) map[string]ddbtypes.AttributeValue {
	return map[string]ddbtypes.AttributeValue{
		"customer": &ddbtypes.AttributeValueMemberS{Value: customer},
		"order":    &ddbtypes.AttributeValueMemberN{Value: fmt.Sprint(order)},
	}
}

func str(s string) ddbtypes.AttributeValue { return &ddbtypes.AttributeValueMemberS{Value: s} }
func num(s string) ddbtypes.AttributeValue { return &ddbtypes.AttributeValueMemberN{Value: s} }

// rowsOf are those of a dataset's files, "<op> <key> <what the item has beside it>", sorted by _seq; and
// the columns and schema versions of the files.
func (f *fixture) rowsOf(name string) (rows, columns []string, versions []string) {
	f.Helper()
	store := f.Store("observer")
	type row struct {
		seq  transform.Seq
		text string
	}
	var all []row
	for o, err := range store.List(f.Context(), f.Prefix()+"changes/"+name+"/") {
		if err != nil {
			f.Fatal(err)
		}
		body, _, err := store.Get(f.Context(), o.Key)
		if err != nil {
			f.Fatal(err)
		}
		x, err := writer.OpenRows(bytes.NewReader(body), int64(len(body)))
		if err != nil {
			f.Fatal(err)
		}
		versions = append(versions, x.Meta["schema"])
		if x.Plan != nil {
			for _, c := range x.Plan.Columns {
				if !slices.Contains(columns, c.Name) {
					columns = append(columns, c.Name)
				}
			}
		}
		for r, err := range x.All(f.Context(), writer.AllFields) {
			if err != nil {
				f.Fatal(err)
			}
			rest, err := x.Rebuild(r)
			if err != nil {
				f.Fatal(err)
			}
			all = append(all, row{r.Seq, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Op, r.Hash.Bytes, rest))})
		}
	}
	slices.SortFunc(all, func(a, b row) int { return a.seq.Compare(b.seq) })
	for _, r := range all {
		rows = append(rows, r.text)
	}
	slices.Sort(columns)
	return rows, columns, slices.Compact(versions)
}

// rejected are the names and reasons in rejects/.
func (f *fixture) rejected() (all []string) {
	f.Helper()
	store := f.Store("observer")
	for o, err := range store.List(f.Context(), f.Prefix()+"rejects/") {
		if err != nil {
			f.Fatal(err)
		}
		body, _, err := store.Get(f.Context(), o.Key)
		if err != nil {
			f.Fatal(err)
		}
		_, at, _ := strings.Cut(o.Key[strings.LastIndexByte(o.Key, '/')+1:], "@")
		all = append(all, at+" "+string(body))
	}
	return all
}

const shop = `
datasets:
  - name: paid
    filter: item.state == "paid"
    columns:
      - {name: cents, expr: "int(item.amount) * 100", type: int64, required: true}
    redact: [card]
  - name: open
    filter: item.state == "open"
`

// TestAnItemGoesWhereItsStateSays: it leaves one dataset with a REMOVE and comes to the other with an
// INSERT; what nobody takes, and what fails on the way, is a reject.
func TestAnItemGoesWhereItsStateSays(t *testing.T) {
	inBubble(t, awssim.Config{Seed: 1}, 1, func(f *fixture) {
		first := f.start("first", f.asking(shop))
		f.write("a", 1, map[string]ddbtypes.AttributeValue{"state": str("open"), "card": str("1234")})
		f.await()
		f.terminate(first) // a restart between is none of the datasets' business
		f.write("a", 1, map[string]ddbtypes.AttributeValue{"state": str("paid"), "amount": num("7"), "card": str("1234")})
		f.write("b", 1, map[string]ddbtypes.AttributeValue{"state": str("paid"), "amount": str("much")})
		f.write("c", 1, map[string]ddbtypes.AttributeValue{"state": str("lost")})
		f.start("second", f.asking(shop))
		f.remove("a", 1)
		f.await()
		open, _, _ := f.rowsOf("open")
		if want := []string{
			`INSERT a {"card":{"S":"1234"},"state":{"S":"open"}}`,
			`REMOVE a`,
		}; !slices.Equal(open, want) {
			f.Errorf("open has %q, want %q", open, want)
		}
		paid, _, _ := f.rowsOf("paid")
		if want := []string{
			`INSERT a {"amount":{"N":"7"},"card":{"S":"REDACTED"},"state":{"S":"paid"}}`,
			`REMOVE a`,
		}; !slices.Equal(paid, want) {
			f.Errorf("paid has %q, want %q", paid, want)
		}
		rejected := f.rejected()
		if len(rejected) != 2 {
			f.Fatalf("%d rejects: %q", len(rejected), rejected)
		}
		slices.Sort(rejected)
		if r := rejected[0]; !strings.HasPrefix(r, " ") || !strings.Contains(r, "no dataset takes the item") || !strings.Contains(r, `"S":"lost"`) {
			f.Errorf("what nobody takes: %s", r)
		}
		if r := rejected[1]; !strings.HasPrefix(r, "paid.json ") || !strings.Contains(r, `"dataset":"paid"`) || !strings.Contains(r, "column cents of dataset paid") || !strings.Contains(r, `"S":"much"`) {
			f.Errorf("what failed: %s", r)
		}
	})
}

// TestColumnsComeWithTheFirstFileThatHasThem: two workers meet two attributes at once, and both get their
// column, in the very files in which they are met.
func TestColumnsComeWithTheFirstFileThatHasThem(t *testing.T) {
	inBubble(t, awssim.Config{Seed: 1}, 4, func(f *fixture) {
		one, two := f.start("one", f.asking("")), f.start("two", f.asking(""))
		f.put("plain", 40)
		f.await()
		for i := range 40 {
			f.write(fmt.Sprint("new-", i), i, map[string]ddbtypes.AttributeValue{fmt.Sprint("attr", i%4): num(fmt.Sprint(i))})
		}
		f.await()
		latest, err := dataset.NewCatalog(f.Store("observer"), f.Prefix()).Latest(f.Context())
		if err != nil {
			f.Fatal(err)
		}
		told := max(one.metric(f.T, "dynamolake_consumer_schema_version"), two.metric(f.T, "dynamolake_consumer_schema_version"))
		if told != float64(latest.Version) {
			f.Errorf("the metric tells of version %v at most, the newest is %d", told, latest.Version)
		}
		rows, columns, versions := f.rowsOf(dataset.All)
		if want := []string{"attr0", "attr1", "attr2", "attr3"}; !slices.Equal(columns, want) || len(latest.Datasets[0].Columns) != 4 {
			f.Errorf("columns %q in files, %d in version %d", columns, len(latest.Datasets[0].Columns), latest.Version)
		}
		if len(rows) != 80 || len(versions) < 2 {
			f.Errorf("%d rows, of versions %q", len(rows), versions)
		}
		for _, r := range rows {
			if name, rest, _ := strings.Cut(strings.TrimPrefix(r, "INSERT "), " "); strings.HasPrefix(name, "new-") && !strings.Contains(rest, `"attr`) {
				f.Errorf("row %s", r)
			}
		}
		f.prove(0)
	})
}

// TestTooManyRejectsStopTheWorker, and what it read is where it belongs: rejects are durable, and counted once.
func TestTooManyRejectsStopTheWorker(t *testing.T) {
	inBubble(t, awssim.Config{Seed: 1}, 1, func(f *fixture) {
		strict := func(o *consumer.Options) {
			f.asking(shop)(o)
			o.MaxRejects = 3
		}
		m := f.start("one", strict)
		for i := range 4 {
			f.write("x", i, map[string]ddbtypes.AttributeValue{"state": str("lost")})
		}
		var many *consumer.TooManyRejects
		if err := <-m.done; !errors.As(err, &many) || many.Most != 3 {
			f.Errorf("the worker ended with %v", err)
		}
		if n := len(f.rejected()); n != 4 {
			f.Errorf("%d rejects", n)
		}
	})
}

// TestDatasetsThatAreNotEquallyFar: the store takes one dataset's objects for a while and not another's.
// Whoever goes on from there writes each row once in both.
func TestDatasetsThatAreNotEquallyFar(t *testing.T) {
	inBubble(t, awssim.Config{Seed: 1}, 2, func(f *fixture) {
		use := func(o *consumer.Options) {
			live, err := f.Datasets(f.Context(), "observer", true)
			if err != nil {
				f.Fatal(err)
			}
			o.Datasets, o.OldImage = live, true
		}
		one := f.start("one", use)
		f.put("before", 20)
		f.await()
		f.refusePuts("/changes/again/")
		f.put("during", 20)
		time.Sleep(20 * time.Second)
		if behind, _, err := f.Behind(f.Context()); err != nil || behind != 20 {
			f.Errorf("%d records behind (%v): the checkpoint passed what a dataset does not have", behind, err)
		}
		f.kill(one)
		f.refusePuts("")
		f.put("after", 20)
		f.start("two", use)
		f.await()
		f.proveParts()
	})
}

// TestACheckpointIsABoundaryOfEachChain: in one dataset's chain another writer was faster, with an object that
// ends earlier than this worker's in the other. Whoever goes on from the checkpoint must find its way in both.
func TestACheckpointIsABoundaryOfEachChain(t *testing.T) {
	inBubble(t, awssim.Config{Seed: 1}, 1, func(f *fixture) {
		use := func(o *consumer.Options) {
			live, err := f.Datasets(f.Context(), "observer", false)
			if err != nil {
				f.Fatal(err)
			}
			o.Datasets = live
		}
		// The rival's objects come from a fleet with a lake of its own, and smaller files.
		elsewhere := writer.NewS3(scene.S3(f.Cloud.AWSConfig("observer")), scene.Bucket, "elsewhere")
		f.put("item", 40)
		rival := f.start("rival", func(o *consumer.Options) {
			use(o)
			o.App, o.Store, o.Limits.Rows = "rivals", elsewhere, 7
			o.Ledger = ledger.NewStore(ledger.Document(elsewhere, f.Prefix()+ledger.Key, writer.ErrNotFound, writer.ErrChanged), f.Table.ARN)
		})
		time.Sleep(20 * time.Second)
		f.terminate(rival)
		var faster atomic.Int32
		f.setOnPut(func(target string) {
			key := strings.TrimPrefix(target, scene.Bucket+"/")
			if !strings.Contains(key, "/changes/again/") || strings.HasPrefix(key, "elsewhere/") || faster.Load() == 2 {
				return
			}
			if body, o, err := elsewhere.Get(f.Context(), key); err == nil {
				if err := f.Store("observer").PutNew(f.Context(), key, body, o.Meta); err != nil {
					f.Error(err)
				}
				if faster.Add(1) == 2 {
					f.kill(&member{name: "one"}) // it may write down what it has, and then no more
				}
			}
		})
		f.start("one", func(o *consumer.Options) {
			use(o)
			o.Limits.Rows = 20
		})
		time.Sleep(20 * time.Second)
		if n := faster.Load(); n != 2 {
			f.Fatalf("the rival was faster %d times", n)
		}
		f.start("two", use)
		f.await()
		f.proveParts()
	})
}

// TestAWorkerOfAnOlderSplitBeginsNothing: while a fleet is given a schema with a dataset more, a shard may go from a worker
// that has it back to one that has not. That one must not move on what the dataset would miss.
func TestAWorkerOfAnOlderSplitBeginsNothing(t *testing.T) {
	const one, both = "datasets: [{name: one}]", "datasets: [{name: one}, {name: both}]"
	inBubble(t, awssim.Config{Seed: 1}, 1, func(f *fixture) {
		old := f.start("old", f.asking(one))
		f.put("first", 3)
		f.await()
		// A worker that is older still holds no shard yet, and takes over from the new one.
		waiting := f.start("waiting", f.asking(one))
		fresh := f.start("new", f.asking(both))
		f.terminate(old)
		time.Sleep(10 * time.Second)
		f.put("second", 3)
		time.Sleep(10 * time.Second)
		f.terminate(fresh)
		f.put("third", 3)
		time.Sleep(30 * time.Second)
		f.terminate(waiting)
		f.start("newer", f.asking(both))
		f.await()
		ones, _, _ := f.rowsOf("one")
		if len(ones) != 9 {
			f.Errorf("dataset one has %d rows: %q", len(ones), ones)
		}
		boths, _, _ := f.rowsOf("both")
		if len(boths) < 3 {
			f.Errorf("dataset both has %d rows: %q", len(boths), boths)
		}
		// Wherever it began, from there on it has everything.
		if want := ones[len(ones)-len(boths):]; !slices.Equal(boths, want) {
			f.Errorf("dataset both has %q, want %q", boths, want)
		}
	})
}

// TestAVersionThatMovesItemsLosesNone: a worker takes over another's version because it meets a new attribute in one
// dataset, when it has written the changes into another by the version before.
func TestAVersionThatMovesItemsLosesNone(t *testing.T) {
	const before = `
datasets:
  - {name: one, filter: item.state == "open"}
  - {name: two, filter: 'item.state in ["paid", "sent"]', new_attributes: column}
`
	const after = `
datasets:
  - {name: one, filter: 'item.state in ["open", "paid"]'}
  - {name: two, filter: item.state == "sent", new_attributes: column}
`
	inBubble(t, awssim.Config{Seed: 1}, 1, func(f *fixture) {
		f.start("old", f.asking(before))
		f.write("a", 1, map[string]ddbtypes.AttributeValue{"state": str("paid")})
		f.await()
		f.asking(after)(&consumer.Options{Store: f.Store("observer")})
		f.write("b", 1, map[string]ddbtypes.AttributeValue{"state": str("paid")})
		f.write("c", 1, map[string]ddbtypes.AttributeValue{"state": str("sent"), "fresh": num("1")})
		f.await()
		f.write("d", 1, map[string]ddbtypes.AttributeValue{"state": str("paid")})
		f.await()
		one, _, _ := f.rowsOf("one")
		two, _, versions := f.rowsOf("two")
		all := slices.Sorted(slices.Values(slices.Concat(one, two)))
		for i := range all {
			all[i] = all[i][:len("INSERT a")]
		}
		if want := []string{"INSERT a", "INSERT b", "INSERT c", "INSERT d"}; !slices.Equal(all, want) || len(one) == 0 {
			f.Errorf("one has %q, two has %q of versions %s; rejects %q", one, two, versions, f.rejected())
		}
	})
}

// oneAhead has a worker that has written item b to dataset one, which does not take it, and cannot write it to two, which does.
func (f *fixture) oneAhead() *member {
	f.Helper()
	m := f.start("old", f.asking(`
datasets:
  - {name: one, filter: item.state == "open"}
  - {name: two, filter: 'item.state in ["paid", "sent"]'}
`))
	f.write("a", 1, map[string]ddbtypes.AttributeValue{"state": str("paid")})
	f.await()
	f.refusePuts("/changes/two/")
	f.write("b", 1, map[string]ddbtypes.AttributeValue{"state": str("paid")})
	time.Sleep(20 * time.Second)
	return m
}

// TestAVersionThatMovesItemsAfterACrashLosesNone: a worker was killed when it had written the changes into one dataset and
// not into the other, and whoever goes on has a version that would have sent them elsewhere.
func TestAVersionThatMovesItemsAfterACrashLosesNone(t *testing.T) {
	const after = `
datasets:
  - {name: one, filter: 'item.state in ["open", "paid"]'}
  - {name: two, filter: item.state == "sent"}
  - {name: three, filter: item.state == "paid"}
`
	inBubble(t, awssim.Config{Seed: 1}, 1, func(f *fixture) {
		f.kill(f.oneAhead())
		f.refusePuts("")
		f.write("c", 1, map[string]ddbtypes.AttributeValue{"state": str("paid")})
		f.start("new", f.asking(after))
		f.await()
		f.write("d", 1, map[string]ddbtypes.AttributeValue{"state": str("paid")})
		f.await()
		one, _, _ := f.rowsOf("one")
		two, _, _ := f.rowsOf("two")
		three, _, _ := f.rowsOf("three")
		for _, rows := range [][]string{one, two, three} {
			for i := range rows {
				rows[i] = rows[i][:len("INSERT a")]
			}
		}
		// What the killed worker began is finished by its version; three is younger, and begins where the other goes on.
		if !slices.Equal(one, []string{"INSERT d"}) || !slices.Equal(two, []string{"INSERT a", "INSERT b", "INSERT c"}) || !slices.Equal(three, []string{"INSERT b", "INSERT c", "INSERT d"}) {
			f.Errorf("one has %q, two has %q, three has %q; rejects %q", one, two, three, f.rejected())
		}
	})
}

// TestAVersionThatLosesToAnotherLosesNone: the last file of a worker that was given up comes to the first dataset while the next
// worker writes, which has another version.
func TestAVersionThatLosesToAnotherLosesNone(t *testing.T) {
	const after = `
datasets:
  - {name: one, filter: 'item.state in ["open", "paid"]'}
  - {name: two, filter: item.state == "sent"}
`
	inBubble(t, awssim.Config{Seed: 1}, 1, func(f *fixture) {
		old := f.oneAhead()
		var late atomic.Pointer[string] // where the file of the given up comes to
		body, meta := []byte(nil), map[string]string(nil)
		links, err := writer.NewChain(f.Store("observer"), writer.ChainPrefix(f.Prefix(), "one", f.Cloud.Shards(scene.TableName)[0].ID)).Links(f.Context())
		if err != nil || len(links) != 2 {
			f.Fatal(links, err)
		}
		f.kill(old)
		key := links[1].Key
		var o writer.Object
		if body, o, err = f.Store("observer").Get(f.Context(), key); err != nil {
			f.Fatal(err)
		}
		if meta, err = o.Meta, f.Lake("observer").Delete(f.Context(), key); err != nil {
			f.Fatal(err)
		}
		f.setOnPut(func(target string) {
			if target == scene.Bucket+"/"+key && late.CompareAndSwap(nil, &target) {
				if err := f.Store("observer").PutNew(f.Context(), key, body, meta); err != nil {
					f.Error(err)
				}
			}
		})
		f.refusePuts("")
		f.start("new", f.asking(after))
		f.await()
		f.write("c", 1, map[string]ddbtypes.AttributeValue{"state": str("paid")})
		f.await()
		if late.Load() == nil {
			f.Fatal("the late file did not come: the test shows nothing")
		}
		one, _, _ := f.rowsOf("one")
		two, _, _ := f.rowsOf("two")
		if len(one) != 1 || one[0][:len("INSERT c")] != "INSERT c" || len(two) != 2 || two[0][:len("INSERT a")] != "INSERT a" || two[1][:len("INSERT b")] != "INSERT b" {
			f.Errorf("one has %q, two has %q; rejects %q", one, two, f.rejected())
		}
	})
}

// proveParts proves each dataset of scene.Split as a lake of its own.
func (f *fixture) proveParts() {
	f.Helper()
	for _, p := range scene.Parts {
		report, err := f.Of(p).Prove(f.Context())
		if err != nil {
			f.Fatal(err)
		}
		if !report.OK() || report.Changes == 0 && p.Dataset != "paid" { // nobody pays here
			f.Errorf("dataset %s: %s\n%s", p.Dataset, report, strings.Join(report.Problems, "\n"))
		}
	}
}
