package house

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"dynamolake/bootstrap"
	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"
	"dynamolake/internal/scene"
	"dynamolake/writer"
)

// left is what a worker leaves behind that documents describe.
type left struct {
	keys            []string
	leases, workers []map[string]types.AttributeValue
	metrics         []string
}

// runWorker lets a worker read a shard to its end, another find a gap, and a third go on behind it,
// and brings the whole table into the lake.
func runWorker(t *testing.T) (l left) {
	bubble.Run(t, func(t *testing.T) {
		s, err := scene.Open(t.Context(), awssim.New(awssim.Config{}), 2)
		if err != nil {
			t.Fatal(err)
		}
		author := s.Author(1, 20)
		write := func() {
			for range 40 {
				if err := author.Step(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		start := func(name string, registry *prometheus.Registry, onGap consumer.GapPolicy) (stop func()) {
			o := s.Worker(name, zap.NewNop())
			o.Registerer, o.OnGap, o.State = registry, onGap, &consumer.State{}
			o.State.Register(registry, consumer.Limits{}, 0)
			if err := writer.Probe(t.Context(), o.Store, name); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- consumer.Run(ctx, o) }()
			return func() {
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
		}
		db := dynamodb.NewFromConfig(s.Cloud.AWSConfig("observer"))
		scan := func(table string) []map[string]types.AttributeValue {
			out, err := db.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
			if err != nil {
				t.Fatal(err)
			}
			return out.Items
		}

		if err := s.Cloud.SetPITR(scene.TableName, 35); err != nil {
			t.Fatal(err)
		}
		stop := start("first", prometheus.NewRegistry(), consumer.GapStop)
		write()
		time.Sleep(time.Minute)
		if err := s.Cloud.RollAll(scene.TableName); err != nil {
			t.Fatal(err)
		}
		write()
		time.Sleep(time.Minute)
		stop()

		write()
		time.Sleep(time.Minute)
		if err := s.Cloud.TrimBefore(scene.TableName, time.Now()); err != nil {
			t.Fatal(err)
		}
		registry := prometheus.NewRegistry()
		consumer.NewTables([]string{scene.TableName}, func(string) prometheus.Registerer { return registry }, zap.NewNop())
		stop = start("second", registry, consumer.GapStop)
		time.Sleep(time.Minute)
		l.leases, l.workers = scan(scene.App), scan(scene.App+"-WorkerMetricStats")
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			l.metrics = append(l.metrics, f.GetName())
		}
		stop()
		stop = start("third", prometheus.NewRegistry(), consumer.GapContinue)
		defer stop()
		time.Sleep(time.Minute)
		l.leases = append(l.leases, scan(scene.App)...)
		exporter := s.Exporter("exporter", zap.NewNop())
		exporter.Registerer = registry
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Hour)
		defer cancel()
		if _, err := bootstrap.Bootstrap(ctx, exporter, bootstrap.Seed{}); err != nil {
			t.Fatal(err)
		}
		if families, err = registry.Gather(); err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if !slices.Contains(l.metrics, f.GetName()) {
				l.metrics = append(l.metrics, f.GetName())
			}
		}
		for o, err := range s.Store("observer").List(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(o.Key, "/AWSDynamoDB/") { // AWS's own
				l.keys = append(l.keys, o.Key)
			}
		}
	})
	return l
}

var metric = regexp.MustCompile(`\bdynamolake_[a-z_]+[a-z]\b`)

// TestDocumentsDescribeWhatAWorkerLeaves looks at what is there, not at the code.
func TestDocumentsDescribeWhatAWorkerLeaves(t *testing.T) {
	l := runWorker(t)
	t.Run("metrics", func(t *testing.T) {
		for _, document := range documents(t) {
			for _, name := range metric.FindAllString(read(t, document), -1) {
				if !slices.Contains(l.metrics, name) {
					t.Errorf("%s names the metric %s, which there is not", document, name)
				}
			}
		}
		for _, name := range l.metrics {
			if !strings.Contains(read(t, "docs/operations.md"), "`"+name+"`") {
				t.Errorf("docs/operations.md does not name the metric %s", name)
			}
		}
	})
	t.Run("objects", func(t *testing.T) {
		seen := map[string]bool{}
		patterns := tableOf(t, formatPage, "Objects", "key").names(nil)
		snapshot := tableOf(t, formatPage, "Snapshot and window files", "key").names(nil)[0]
		patterns = append(patterns, snapshot)
		for _, key := range l.keys {
			i := slices.IndexFunc(patterns, func(p string) bool { return pattern(p).MatchString(key) })
			if i < 0 {
				t.Errorf("%s describes no object like %s", formatPage, key)
				continue
			}
			seen[patterns[i]] = true
		}
		for _, p := range patterns {
			// The worker meets nothing that makes no sense, and has no schema.
			if !seen[p] && !strings.Contains(p, "rejects/") && !strings.Contains(p, "_ledger/schemas/") {
				t.Errorf("%s describes %s, and there is none", formatPage, p)
			}
		}
	})
	t.Run("lease rows", func(t *testing.T) {
		attributesAre(t, "Lease rows", l.leases, "leaseOwner", "currentTo", "parentShardId", "childShardIds", "gap", "epoch", "olderTo", "stream")
	})
	t.Run("worker rows", func(t *testing.T) { attributesAre(t, "Worker rows", l.workers, "beat", "run") })
}

// attributesAre checks that rows have only what the table says, of those types,
// and that these attributes occur.
func attributesAre(t *testing.T, heading string, rows []map[string]types.AttributeValue, occur ...string) {
	kinds := map[string]string{}
	for _, cells := range tableOf(t, formatPage, heading, "attribute") {
		for _, name := range (table{cells}).names(nil) {
			kinds[name] = cells[1]
		}
	}
	found := map[string]string{}
	for _, row := range rows {
		for name, v := range row {
			found[name] = kindOf(v)
		}
	}
	for name, kind := range found {
		if kinds[name] != kind {
			t.Errorf("%s: %s is of type %s, documented is %q", heading, name, kind, kinds[name])
		}
	}
	for _, name := range occur {
		if found[name] == "" {
			t.Errorf("%s: no row has %s; they have %q", heading, name, slices.Sorted(maps.Keys(found)))
		}
	}
}

func kindOf(v types.AttributeValue) string {
	switch v.(type) {
	case *types.AttributeValueMemberS:
		return "S"
	case *types.AttributeValueMemberN:
		return "N"
	case *types.AttributeValueMemberSS:
		return "SS"
	case *types.AttributeValueMemberBOOL:
		return "BOOL"
	}
	return "of another type"
}

// pattern is a documented key: each <...> stands for one part of it.
func pattern(key string) *regexp.Regexp {
	text := regexp.QuoteMeta(key)
	text = strings.ReplaceAll(text, "<cursor>", "[0-9]{40}")
	text = strings.ReplaceAll(text, "<day>", "[0-9]{4}-[0-9]{2}-[0-9]{2}")
	return regexp.MustCompile("^" + regexp.MustCompile(`<[a-z ]+>`).ReplaceAllString(text, "[^/]+") + "$")
}
