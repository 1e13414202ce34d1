package main

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"dynamolake/consumer"
	"dynamolake/internal/scene"
)

func TestWhoRepairs(t *testing.T) {
	const folder = "file:///lake" // which is not written to
	for _, c := range []struct {
		name         string
		pitr         bool
		repair, lake string
		repairs      bool
		say          string // in the log, or as the error where it is wanted on
	}{
		{"recovery is on", true, repairAuto, "s3://lake/p", true, ""},
		{"recovery is on, and repair is off", true, repairOff, "s3://lake/p", false, ""},
		{"recovery is off", false, repairAuto, "s3://lake/p", false, "point-in-time recovery is off"},
		{"recovery is off, and repair is insisted on", false, repairOn, "s3://lake/p", false, "aws dynamodb update-continuous-backups"},
		{"there is no bucket to export to", true, repairAuto, folder, false, "--export-bucket"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := exportScene(t)
			if c.pitr {
				if err := s.Cloud.SetPITR(scene.TableName, 35); err != nil {
					t.Fatal(err)
				}
			}
			seen, log := observer.New(zap.WarnLevel)
			var w consuming
			w.table, w.lake, w.state, w.repair, w.memory = scene.TableName, c.lake, stateLake, c.repair, 256<<20
			if c.lake == folder {
				w.lake = "file://" + t.TempDir()
			}
			cfg, err := loadAWS(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			store, err := openLake(w.lake, cfg)
			if err != nil {
				t.Fatal(err)
			}
			o := consumer.Defaults()
			o.DynamoDB, o.Ledger, o.Worker = dynamodb.NewFromConfig(cfg), s.Ledger("worker"), "worker"
			o.Log, o.Registerer = zap.New(seen), prometheus.NewRegistry()
			r, err := w.repairer(t.Context(), cfg, store, o)
			if (r != nil) != c.repairs || (err != nil) != (c.repair == repairOn && !c.repairs) {
				t.Fatalf("it repairs: %v, error %v", r != nil, err)
			}
			said := ""
			if err != nil {
				said = err.Error()
			}
			for _, entry := range log.All() {
				said += entry.Message + " " + entry.ContextMap()["error"].(string)
			}
			if !strings.Contains(said, c.say) || c.say == "" && said != "" {
				t.Errorf("said %q, want %q", said, c.say)
			}
		})
	}
}

func TestWhatAGapDoes(t *testing.T) {
	for _, c := range []struct {
		onGap   string
		repairs bool
		want    consumer.GapPolicy
	}{
		{onGapAuto, true, consumer.GapContinue},
		{onGapAuto, false, consumer.GapStop},
		{"stop", true, consumer.GapStop},
		{"continue", false, consumer.GapContinue},
	} {
		if got := gapPolicy(c.onGap, c.repairs); got != c.want {
			t.Errorf("--on-gap=%s, repairs %v: %s, want %s", c.onGap, c.repairs, got, c.want)
		}
	}
}
