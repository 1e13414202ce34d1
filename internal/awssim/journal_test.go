package awssim_test

import (
	"testing"
	"time"

	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestWritesAreKnownWithoutAStream(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newWorld(t, awssim.Config{})
		stream := func(on bool) {
			spec := &types.StreamSpecification{StreamEnabled: &on}
			if on {
				spec.StreamViewType = types.StreamViewTypeNewAndOldImages
			}
			if _, err := w.db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("orders"), StreamSpecification: spec}); err != nil {
				t.Fatal(err)
			}
		}
		w.put("a", "1")
		stream(false)
		w.put("b", "1")
		if err := w.SetPITR("orders", 35); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		stream(true)
		w.put("c", "1")
		journal, writes := w.Journal("orders"), w.Writes("orders")
		if len(journal) != 2 || len(writes) != 3 {
			t.Fatalf("%d stream records and %d writes, want 2 and 3", len(journal), len(writes))
		}
		b, c := writes[1], writes[2]
		if b.Shard != "" || b.Seq != "" || b.EventID != "" || b.Micros == 0 || b.New == "" || b.Kept {
			t.Errorf("a write without a stream: %+v", b)
		}
		if c != journal[1] || !c.Kept {
			t.Errorf("a write with a stream: %+v, as a stream record %+v", c, journal[1])
		}
	})
}

func TestTrimsComeInSteps(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newWorld(t, awssim.Config{Retention: time.Minute, TrimEvery: 10 * time.Second})
		shard := w.Shards("orders")[0].ID
		time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(time.Minute + 5*time.Second)))
		w.put("a", "1")
		for _, c := range []struct {
			wait time.Duration
			want int
		}{{64 * time.Second, 1}, {2 * time.Second, 0}} {
			time.Sleep(c.wait)
			if got, _ := w.read(shard); len(got) != c.want {
				t.Errorf("%v later there are %d records, want %d", c.wait, len(got), c.want)
			}
		}
	})
}
