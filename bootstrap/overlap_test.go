package bootstrap_test

import (
	"context"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dynamolake/bootstrap"
	"dynamolake/checkpoint/ledger"
	"dynamolake/internal/awssim"
	"dynamolake/writer"
)

// Items that the stream saw come and not go: some are deleted in what it lost, some only stop to match. The
// windows mention neither in the datasets that have them.
func TestTheOverlapOfEachDataset(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 51}, func(w *world) {
		_, err := w.db.UpdateTable(w.Context(), &dynamodb.UpdateTableInput{
			TableName: aws.String("orders"), StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
		})
		if err != nil {
			w.Fatal(err)
		}
		w.describe()
		w.live(time.Minute, 40)
		o := w.options("full", w.with(threeDatasets))
		if _, err := bootstrap.Bootstrap(w.Context(), o, bootstrap.Seed{Enable: true}); err != nil {
			w.Fatal(err)
		}
		l := w.read()
		first := l.Streaming()
		w.live(time.Hour, 60)
		w.put("gone", 1, "5")    // in all three, and deleted
		w.put("gone", 2, "4")    // in two
		w.put("leaves", 1, "5")  // stops to match
		w.put("returns", 1, "5") // does so for a while
		w.put("stays", 1, "5")
		time.Sleep(2 * time.Second)
		set, err := o.Datasets.At(w.Context(), o.Datasets.Set().Version, writer.SourceStream)
		if err != nil {
			w.Fatal(err)
		}
		w.stream(first.Number, time.Time{}, time.Now(), set)
		lost := time.Now()
		w.remove("gone", 1)
		w.remove("gone", 2)
		w.put("leaves", 1, "4")
		w.put("returns", 1, "4")
		w.live(10*time.Hour, 150)
		resumed := time.Now()
		if _, err = w.ledger.Update(w.Context(), func(l *ledger.Ledger) error {
			_, _, err := l.OpenGap(ledger.Loss{Since: lost, Seen: time.Now(), Resumed: resumed, Reason: "trimmed", Adopted: first.Number}, ledger.RealTiming())
			return err
		}); err != nil {
			w.Fatal(err)
		}
		next := w.read()
		w.put("returns", 1, "55")
		w.live(20*time.Minute, 30)
		w.stream(next.Streaming().Number, resumed, time.Now(), set)
		w.catchUp(w.with(threeDatasets), func(o *bootstrap.Options) {
			o.Adopted = func(context.Context, int64) (bool, time.Time, error) { return true, lost, nil }
			o.Window = 6 * time.Hour
		})
		if l = w.read(); l.Gaps[0].State != ledger.GapClosed {
			w.Fatalf("%s", l.JSON())
		}
		w.wantDatasets(w.Items("orders"), has)
		removed := map[string]string{}
		for _, key := range w.objects("/overlap-") {
			name := strings.Split(strings.TrimPrefix(key, prefix), "/")[1]
			for _, r := range readFile(w.T, w.store, key, w.table.Keys) {
				if r.op != "REMOVE" {
					w.Errorf("row %+v", r)
				}
				removed[name] += parsed(r.key)["pk"].(map[string]any)["S"].(string) + parsed(r.key)["sk"].(map[string]any)["N"].(string) + " "
			}
		}
		want := map[string]string{"everything": "gone1 gone2 ", "masked": "gone1 gone2 ", "fives": "gone1 leaves1 "}
		for name := range want {
			if removed[name] != want[name] {
				w.Errorf("removed from %s: %q, want %q", name, removed[name], want[name])
			}
		}
		for _, key := range w.objects("_ledger/exports/") {
			r := w.record(strings.TrimSuffix(path.Base(key), ".json"))
			if n := len(r.Overlaps); n != 0 && n != 3 {
				w.Errorf("%s has %d files of the overlap", key, n)
			}
		}
	})
}
