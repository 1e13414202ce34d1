package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer"
	"dynamolake/internal/scene"
)

// TestALakeWithoutAStreamGetsOne from bootstrap --enable: with windows behind the full export, and without; and the fleet that starts
// later finds nothing missing.
func TestALakeWithoutAStreamGetsOne(t *testing.T) {
	for _, windows := range []bool{true, false} {
		onStage(t, 2, func(s *stage) {
			db := dynamodb.NewFromConfig(s.Cloud.AWSConfig("operator"))
			if err := s.Cloud.SetPITR(scene.TableName, 35); err != nil {
				t.Fatal(err)
			}
			if _, err := db.UpdateTable(s.Context(), &dynamodb.UpdateTableInput{TableName: aws.String(scene.TableName), StreamSpecification: &ddbtypes.StreamSpecification{StreamEnabled: aws.Bool(false)}}); err != nil {
				t.Fatal(err)
			}
			s.write(80)
			time.Sleep(30 * time.Minute)
			s.must("author", "bootstrap", "--no-stream", "--enable")
			s.write(40)
			time.Sleep(40 * time.Minute)
			if windows {
				s.must("author", "incremental", "--window=15m")
			}
			s.write(40)
			time.Sleep(7 * time.Minute)
			for _, args := range [][]string{{"--no-stream", "--enable"}, {}} {
				s.must("author", append([]string{"bootstrap"}, args...)...)
				if at, err := consumer.Describe(s.Context(), db, scene.TableName); err != nil || at.View != "" {
					t.Errorf("%v turned the stream on: %+v, %v", args, at, err)
				}
			}

			var r seeded
			out := s.must("author", "bootstrap", "--enable", "--output=json")
			at, err := consumer.Describe(s.Context(), db, scene.TableName)
			if err != nil || at.View != "NEW_AND_OLD_IMAGES" {
				t.Fatalf("the stream is off: %+v, %v", at, err)
			}
			s.Table = at
			if err := json.Unmarshal([]byte(out), &r); err != nil || !r.Already || time.Since(r.Streamed).Abs() > 2*time.Minute {
				t.Errorf("%v: %s", err, out)
			}
			// Once more it changes nothing.
			if out := s.must("author", "bootstrap", "--enable"); !strings.Contains(out, "was in the lake already") || strings.Contains(out, "the stream is on") {
				t.Error(out)
			}
			s.write(40)
			time.Sleep(3 * time.Hour) // nobody reads yet
			s.write(40)
			stop := s.background("live", "consume", "--worker-id=live", "--flush-interval=1s")
			time.Sleep(time.Hour)
			s.write(40)
			if err := s.Await(s.Context(), time.Minute); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			code, out, errs := s.command(s.Context(), "operator", "verify", "--against-table", "--depth=rows")
			if code != 0 || !strings.Contains(out, "proven") {
				t.Errorf("windows %v: exit code %d\n%s%s", windows, code, out, errs)
			}
			stop()
			l, err := s.Ledger("observer").Read(s.Context())
			if err != nil {
				t.Fatal(err)
			}
			exported := 0
			for _, e := range l.Epochs {
				if e.Source == ledger.Incremental {
					exported += e.Windows
				}
			}
			for _, g := range l.Gaps {
				if g.State != ledger.GapClosed {
					t.Errorf("gap %+v", g)
				}
			}
			if exported == 0 || windows != (len(l.Gaps) == 0) {
				t.Errorf("windows %v: the ledger is\n%s", windows, l.JSON())
			}
		})
	}
}
