package main

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"dynamolake/checkpoint"
	"dynamolake/consumer"
	"dynamolake/internal/scene"
	"dynamolake/transform/schema"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// twice puts every change into two datasets, so that each can be counted.
const twice = `
datasets:
  - name: one
  - name: other
`

// joinWith starts a worker with a schema.
func (s *stage) joinWith(name, text string) (leave func()) {
	s.Helper()
	asked, err := schema.Parse([]byte(text))
	if err != nil {
		s.Fatal(err)
	}
	o := s.Worker(name, zap.NewNop())
	o.Datasets, err = dataset.Open(s.Context(), dataset.NewCatalog(o.Store, s.Prefix()), asked,
		dataset.Options{Table: scene.TableName, Keys: s.Table.Keys, Source: writer.SourceStream}, schema.DefaultLimits)
	if err != nil {
		s.Fatal(err)
	}
	o.Limits.Age, o.Settle, o.Registerer = time.Second, 5*time.Second, prometheus.NewRegistry()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := consumer.Run(ctx, o); err != nil {
			s.Logf("%s: %v", name, err)
		}
	}()
	leave = func() { cancel(); <-done }
	s.stop = append(s.stop, leave)
	return leave
}

// counted are the rows of a shard in each dataset, by chains that must be whole.
func (s *stage) counted(shard string) (rows []int64) {
	s.Helper()
	for _, name := range []string{"one", "other"} {
		links, err := writer.NewChain(s.Store("observer"), writer.ChainPrefix(s.Prefix(), name, shard)).Links(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		n := int64(0)
		for i, l := range links {
			if i == 0 && !l.After.IsZero() || i > 0 && links[i-1].End != l.After {
				s.Errorf("shard %s, dataset %s: %s does not follow what is before it", shard, name, l.Key)
			}
			n += l.Rows
		}
		rows = append(rows, n)
	}
	return rows
}

// TestARewindIsToAPositionOfAllDatasets takes files away from one dataset only, and then all of
// another's, as if it were new.
func TestARewindIsToAPositionOfAllDatasets(t *testing.T) {
	onStage(t, 1, func(s *stage) {
		leave := s.joinWith("first", twice)
		s.traffic(6)
		if err := s.Await(s.Context(), time.Minute); err != nil {
			s.Fatal(err)
		}
		leave()
		shard := s.rows()[0].Key
		want := s.counted(shard)
		if want[0] == 0 || want[0] != want[1] {
			s.Fatalf("rows %v", want)
		}
		for i, files := range []int{2, 1000} {
			name := []string{"one", "other"}[i]
			var keys []string
			for o, err := range s.Store("observer").List(s.Context(), writer.ChainPrefix(s.Prefix(), name, shard)) {
				if err != nil {
					s.Fatal(err)
				}
				keys = append(keys, o.Key)
			}
			for _, key := range keys[max(0, len(keys)-files):] {
				if err := s.Lake("thief").Delete(s.Context(), key); err != nil {
					s.Fatal(err)
				}
			}
			row := s.mustRewind(s.rewinding(checkpoint.TrimHorizon))[0]
			if row.Rereads == "" || row.To != checkpoint.TrimHorizon {
				s.Errorf("%s: %+v", name, row)
			}
			leave := s.joinWith([]string{"second", "third"}[i], twice)
			time.Sleep(10 * time.Second)
			if err := s.Await(s.Context(), time.Minute); err != nil {
				s.Fatal(err)
			}
			leave()
			if got := s.counted(shard); !slices.Equal(got, want) {
				s.Errorf("%s: rows %v, want %v", name, got, want)
			}
		}
	})
}
