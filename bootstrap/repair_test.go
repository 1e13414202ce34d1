package bootstrap_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dynamolake/bootstrap"
	"dynamolake/checkpoint/ledger"
	"dynamolake/internal/awssim"
	"dynamolake/transform"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

func TestWindowsCatchUpSeveralAtOnceAndInOrder(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 8, ClockSkew: 30 * time.Second, ExportTakes: time.Hour}, func(w *world) {
		w.live(time.Minute, 50)
		w.pitr(35)
		w.full()
		w.live(6*time.Hour, 300)
		most, running := 0, map[string]bool{}
		w.Intercept(func(c *awssim.Call) awssim.Fault {
			if c.Operation == "ExportTableToPointInTime" || c.Operation == "DescribeExport" {
				n := 0
				for _, e := range w.Exports("orders") {
					if e.Status == "IN_PROGRESS" {
						running[e.ARN] = true
						n++
					}
				}
				most = max(most, n)
			}
			return awssim.Fault{}
		})
		w.catchUp(func(o *bootstrap.Options) { o.InFlight = 5 })
		if most < 4 || most > 5 {
			w.Errorf("%d exports at once, want 5", most)
		}
		w.wantItemsAt(w.reach())
		w.wantOnce()
		if l := w.read(); l.Epochs[1].Windows < 20 {
			w.Errorf("%d windows", l.Epochs[1].Windows)
		}
	})
}

func TestTwoWorkersConvertTogether(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 9, ExportFiles: 12}, func(w *world) {
		w.live(time.Second, 80)
		w.pitr(35)
		w.Intercept(func(c *awssim.Call) awssim.Fault {
			if data(c) { // so slow that they meet
				return awssim.Fault{Delay: 15 * time.Second}
			}
			return awssim.Fault{}
		})
		errs := make(chan error)
		for _, name := range []string{"one", "two"} {
			go func() {
				_, err := bootstrap.Bootstrap(w.Context(), w.options(name), bootstrap.Seed{NoStream: true})
				errs <- err
			}()
		}
		for range 2 {
			if err := <-errs; err != nil {
				w.Error(err)
			}
		}
		w.wantState(w.Items("orders"))
		w.live(time.Hour, 50)
		for _, name := range []string{"one", "two"} {
			go func() {
				r, err := bootstrap.NewRepairer(w.options(name, func(o *bootstrap.Options) { o.Follow = true }))
				if err == nil {
					_, err = r.CatchUp(w.Context())
				}
				errs <- err
			}()
		}
		for range 2 {
			if err := <-errs; err != nil {
				w.Error(err)
			}
		}
		w.wantItemsAt(w.reach())
		w.wantOnce()
		l := w.read()
		if n := len(w.Exports("orders")); n != 1+l.Epochs[1].Windows || l.Epochs[1].Windows < 3 {
			w.Errorf("%d exports, the ledger counts 1 and %d", n, l.Epochs[1].Windows)
		}
		both := map[string]bool{}
		for _, key := range w.objects(".parquet") {
			o, err := w.store.Head(w.Context(), key)
			if err != nil {
				w.Fatal(err)
			}
			both[o.Meta["writer"]] = true
		}
		if len(both) != 2 {
			w.Errorf("files of %v, want both workers'", both)
		}
	})
}

func TestRecoveryThatWasOffIsALossAndAFullExportAnAnswer(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 10}, func(w *world) {
		w.live(time.Minute, 50)
		w.pitr(35)
		w.full()
		w.live(time.Hour, 30)
		w.catchUp()
		w.pitr(0)
		w.live(time.Hour, 30)
		w.wantAdvice(w.tryCatchUp(), "point-in-time recovery is off for table orders", "aws dynamodb update-continuous-backups")
		w.pitr(35)
		w.live(time.Hour, 30)
		for range 2 { // it is told as often as somebody asks
			w.wantAdvice(w.tryCatchUp(), "are lost", "dynamolake bootstrap --table orders")
		}
		if r := w.full(); r.Already {
			w.Error("no new full export")
		}
		w.live(time.Hour, 30)
		w.catchUp()
		if reach := w.reach(); time.Since(reach) > 25*time.Minute {
			w.Errorf("the lake ends at %v", reach)
		}
		w.wantItemsAt(w.reach())
	})
}

func TestAnExportThatFailsIsTriedAgain(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 11}, func(w *world) {
		w.live(time.Minute, 30)
		w.pitr(35)
		fails := 0
		w.Intercept(func(c *awssim.Call) awssim.Fault {
			if c.Operation == "DescribeExport" && fails < 2 {
				all := w.Exports("orders")
				if err := w.FailExport(all[len(all)-1].ARN, "InternalServerError", "something went wrong"); err == nil {
					fails++
				}
			}
			return awssim.Fault{}
		})
		began := time.Now()
		w.full()
		w.wantState(w.Items("orders"))
		if n := len(w.Exports("orders")); n != 3 || time.Since(began) < 20*time.Minute {
			w.Errorf("%d exports in %v", n, time.Since(began))
		}
		w.live(time.Hour, 30)
		fails = -100
		err := w.tryCatchUp(func(o *bootstrap.Options) { o.Window = time.Hour })
		w.wantAdvice(err, "AWS gave it up 4 times", "something went wrong")
		fails = 2
		w.catchUp() // somebody looked, and starts it again
		w.wantItemsAt(w.reach())
	})
}

func TestAWSTakesNoMoreExportsForAWhile(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 12, ExportLimit: 2, ExportTakes: 30 * time.Minute}, func(w *world) {
		w.live(time.Minute, 30)
		w.pitr(35)
		w.full()
		w.live(3*time.Hour, 60)
		w.catchUp(func(o *bootstrap.Options) { o.InFlight = 6 })
		w.wantItemsAt(w.reach())
		w.wantOnce()
	})
}

func TestATokenThatHasDiedDoesNotStartASecondExport(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 13}, func(w *world) {
		w.live(time.Minute, 30)
		w.pitr(35)
		asked := false
		lived := w.killed("first", 1000, false, func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			w.Intercept(func(c *awssim.Call) awssim.Fault {
				if c.Operation == "ExportTableToPointInTime" && !asked {
					asked = true
					return awssim.Fault{After: cancel, DropReply: true}
				}
				return awssim.Fault{}
			})
			_, err := bootstrap.Bootstrap(ctx, w.options("first"), bootstrap.Seed{NoStream: true})
			if !errors.Is(err, context.Canceled) {
				w.Errorf("%v", err)
			}
			return nil
		})
		if !lived || !asked || w.read().Epochs[0].Exports[0].Status != ledger.Planned {
			w.Fatalf("the scene failed: %v %v", lived, asked)
		}
		time.Sleep(12 * time.Hour)
		w.full()
		if n := len(w.Exports("orders")); n != 1 {
			w.Errorf("%d exports", n)
		}
	})
}

func TestAMissingWindowIsNoticed(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 14}, func(w *world) {
		w.live(time.Minute, 80)
		w.pitr(35)
		w.full()
		w.live(20*time.Minute, 60)
		// The ledger is made to forget the time in between.
		_, err := w.ledger.Update(w.Context(), func(l *ledger.Ledger) error {
			l.Epochs[0].To = l.Epochs[0].To.Add(16 * time.Minute)
			return nil
		})
		if err != nil {
			w.Fatal(err)
		}
		rewriteRecord(w, 16*time.Minute)
		w.live(20*time.Minute, 60)
		err = w.tryCatchUp()
		var bad *bootstrap.Mismatch
		if !errors.As(err, &bad) || len(bad.Key) != 16 || w.read().Epochs[1].Windows != 0 {
			w.Fatalf("%v, want a mismatch", err)
		}
		if n := len(w.objects("changes/")); n > 4 {
			w.Errorf("%d files of changes", n)
		}
		w.catchUp(func(o *bootstrap.Options) { o.Trust = true })
		if w.read().Epochs[1].Windows == 0 {
			w.Error("not even on somebody's word")
		}
	})
}

// rewriteRecord makes the only record of an export say that it ended later.
func rewriteRecord(w *world, by time.Duration) {
	w.Helper()
	key := w.objects("_ledger/exports/")[0]
	body, _, err := w.store.Get(w.Context(), key)
	if err != nil {
		w.Fatal(err)
	}
	to := w.Exports("orders")[0].To.UTC()
	w.overwrite(key, []byte(strings.ReplaceAll(string(body), to.Format(time.RFC3339), to.Add(by).Format(time.RFC3339))))
}

func TestLinesThatMakeNoSenseAreKept(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 15, ExportFiles: 1}, func(w *world) {
		w.live(time.Second, 60)
		w.pitr(35)
		o := w.options("full")
		o.Table.Keys.Range.Type = 'S' // the table says N: no line makes sense
		r, err := bootstrap.Bootstrap(w.Context(), o, bootstrap.Seed{NoStream: true})
		if err != nil {
			w.Fatal(err)
		}
		items := len(w.Items("orders"))
		rejects := w.objects("rejects/exports/" + r.Export + "/")
		if int(r.Rejects) != items || int(r.Items) != items || len(rejects) != items || items == 0 {
			w.Errorf("%+v of %d items, %d objects", r, items, len(rejects))
		}
		if !strings.HasSuffix(rejects[0], ".json.gz-1.json") {
			w.Errorf("called %s", rejects[0])
		}
		body, _, err := w.store.Get(w.Context(), rejects[0])
		if err != nil || !strings.Contains(string(body), `"line":1,"record":{"Item":{`) || !strings.Contains(string(body), "another type") {
			w.Errorf("%s %v", body, err)
		}
	})
}

func TestProgressEndsWithAll(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 16}, func(w *world) {
		w.live(time.Second, 60)
		w.pitr(35)
		var last bootstrap.Progress
		n := 0
		w.full(func(o *bootstrap.Options) {
			o.Progress = func(p bootstrap.Progress) {
				if p.Items < last.Items || p.Files < last.Files {
					w.Errorf("from %+v back to %+v", last, p)
				}
				last = p
				n++
			}
		})
		items := int64(len(w.Items("orders")))
		if last.Items != items || last.Total != items || last.Files != last.Of || last.Of != 4 || last.Bytes == 0 || n < 5 {
			w.Errorf("%d times, at last %+v", n, last)
		}
	})
}

func TestTheOverlapOfARepair(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 17}, func(w *world) {
		_, err := w.db.UpdateTable(w.Context(), &dynamodb.UpdateTableInput{
			TableName: aws.String("orders"), StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
		})
		if err != nil {
			w.Fatal(err)
		}
		w.describe()
		w.live(time.Minute, 40)
		if _, err := bootstrap.Bootstrap(w.Context(), w.options("full"), bootstrap.Seed{Enable: true}); err != nil {
			w.Fatal(err)
		}
		l := w.read()
		first := l.Streaming()
		if first == nil || first.StreamARN != w.table.StreamARN || l.Base().To.Before(first.From.Add(5*time.Minute)) {
			w.Fatalf("the stream's position: %s", l.JSON())
		}
		w.live(time.Hour, 60)
		// The stream was read up to here; these came at the very end, and went in the gap.
		for i := range 3 {
			w.put("overlap", i, "x")
		}
		w.put("overlap", 3, "stays")
		time.Sleep(2 * time.Second)
		w.stream(first.Number, time.Time{}, time.Now())
		lost := time.Now()
		for i := range 3 {
			w.remove("overlap", i)
		}
		w.live(30*time.Hour, 200)
		resumed := time.Now()
		if _, err = w.ledger.Update(w.Context(), func(l *ledger.Ledger) error {
			_, _, err := l.OpenGap(ledger.Loss{Since: lost, Seen: time.Now(), Resumed: resumed, Reason: "trimmed", Adopted: first.Number}, ledger.RealTiming())
			return err
		}); err != nil {
			w.Fatal(err)
		}
		next := w.read()
		w.live(20*time.Minute, 30)
		w.stream(next.Streaming().Number, resumed, time.Now())
		adopted := 0
		w.catchUp(func(o *bootstrap.Options) {
			o.Adopted = func(_ context.Context, epoch int64) (bool, time.Time, error) {
				if epoch != next.Streaming().Number {
					w.Errorf("asked for epoch %d", epoch)
				}
				adopted++
				return adopted > 3, lost, nil
			}
			o.Window = 6 * time.Hour
		})
		l = w.read()
		if g := l.Gaps[0]; g.State != ledger.GapClosed || adopted != 4 {
			w.Fatalf("asked %d times: %s", adopted, l.JSON())
		}
		if n := l.Epoch(l.Gaps[0].Epoch).Windows; n < 4 {
			w.Errorf("%d windows", n)
		}
		w.wantState(w.Items("orders"))
		files := w.objects("/overlap-")
		if len(files) != 1 {
			w.Fatalf("files of the overlap: %q", files)
		}
		for _, r := range readFile(w.T, w.store, files[0], w.table.Keys) {
			if r.op != "REMOVE" || !strings.Contains(r.key, "overlap") || r.epoch != l.Gaps[0].Epoch {
				w.Errorf("row %+v", r)
			}
		}
	})
}

// Two gaps may have a window with the same times, one after the other. Each needs rows of its own epoch:
// between the two lie rows of the stream.
func TestTheSameWindowInTwoEpochs(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 18}, func(w *world) {
		spec := &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages}
		if _, err := w.db.UpdateTable(w.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("orders"), StreamSpecification: spec}); err != nil {
			w.Fatal(err)
		}
		w.describe()
		w.live(time.Minute, 40)
		if _, err := bootstrap.Bootstrap(w.Context(), w.options("full"), bootstrap.Seed{Enable: true}); err != nil {
			w.Fatal(err)
		}
		l := w.read()
		epoch := l.Streaming().Number
		w.live(time.Hour, 40)
		w.put("overlap", 1, "x")
		time.Sleep(2 * time.Second)
		w.stream(epoch, time.Time{}, time.Now())
		lost := time.Now()
		w.remove("overlap", 1)
		w.live(2*time.Hour, 100)
		half := time.Now()
		w.live(2*time.Hour, 100)
		resumed := time.Now()
		for i, shardLost := range []func(){
			func() {},
			func() { w.stream(epoch, lost, half) }, // and of another shard that is all
		} {
			shardLost()
			if _, err := w.ledger.Update(w.Context(), func(l *ledger.Ledger) (err error) {
				_, epoch, err = l.OpenGap(ledger.Loss{Since: lost, Seen: time.Now(), Resumed: resumed, Reason: "trimmed", Adopted: epoch}, ledger.RealTiming())
				return err
			}); err != nil {
				w.Fatal(err)
			}
			time.Sleep(20 * time.Minute)
			w.catchUp(func(o *bootstrap.Options) {
				o.Adopted = func(context.Context, int64) (bool, time.Time, error) { return true, time.Time{}, nil }
				o.Window = 24 * time.Hour
			})
			l := w.read()
			if len(l.Gaps) != i+1 || l.Gaps[i].State != ledger.GapClosed || i > 0 && (!l.Gaps[0].From.Equal(l.Gaps[1].From) || !l.Gaps[0].To.Equal(l.Gaps[1].To)) {
				w.Fatalf("ledger: %s", l.JSON())
			}
			w.wantState(w.Items("orders"))
		}
	})
}

// stream writes what the stream had in a time, as the consumer would: a file for each dataset of a set, or of a table that is
// not split.
func (w *world) stream(epoch int64, from, to time.Time, sets ...*dataset.Set) {
	w.Helper()
	for _, set := range append(sets, dataset.Whole(dataset.Options{Table: "orders", Keys: w.table.Keys, OldImage: true}))[:1] {
		for _, p := range set.Parts {
			w.streamInto(p, epoch, from, to)
		}
	}
}

func (w *world) streamInto(p dataset.Part, epoch int64, from, to time.Time) {
	w.Helper()
	var page transform.Page
	var body strings.Builder
	body.WriteString(`{"NextShardIterator":"x","Records":[`)
	n := 0
	for _, r := range w.Journal("orders") {
		if r.Created.Before(from) || !r.Created.Before(to) {
			continue
		}
		if n++; n > 1 {
			body.WriteString(",")
		}
		fmt.Fprintf(&body, `{"eventID":"e%s","eventName":%q,"dynamodb":{"ApproximateCreationDateTime":%d,"SequenceNumber":%q,"Keys":%s`, r.Seq, r.Event, r.Created.Unix(), r.Seq, r.Key)
		if r.New != "" {
			body.WriteString(`,"NewImage":` + r.New)
		}
		if r.Old != "" {
			body.WriteString(`,"OldImage":` + r.Old)
		}
		body.WriteString("}}")
	}
	body.WriteString("]}")
	if err := transform.NewDecoder(w.table.Keys).Decode([]byte(body.String()), &page); err != nil {
		w.Fatal(err)
	}
	if len(page.Rejects) > 0 || n == 0 {
		w.Fatalf("%d records, rejects %v", n, page.Rejects)
	}
	shard := fmt.Sprintf("shardId-%020d-%08x", to.UnixMilli(), epoch)
	batch := writer.NewBatch(transform.Seq{})
	batch.Add([]byte(body.String()), &page, time.Now())
	for {
		slice, due := batch.Cut(time.Now(), writer.Limits{}, true)
		if !due || slice.Rows == 0 {
			return
		}
		f, err := p.Encoder.Encode(slice, writer.Info{Stream: w.table.StreamARN, Shard: shard, Epoch: epoch, Writer: "stream"})
		if err == nil {
			err = w.store.PutNew(w.Context(), writer.ChainPrefix(prefix, p.Name, shard)+"after-"+slice.After.String()+".parquet", f.Body, f.Meta)
		}
		if err != nil {
			w.Fatal(err)
		}
		batch.Advance(slice.End)
	}
}
