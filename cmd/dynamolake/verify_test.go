package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"dynamolake/bootstrap"
	"dynamolake/consumer"
	"dynamolake/internal/scene"
	"dynamolake/internal/verify"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// seed makes a full export, as `dynamolake bootstrap` does.
func (s *stage) seed() bootstrap.Result {
	s.Helper()
	c := exporting{place: place{table: scene.TableName, lake: "s3://" + scene.Bucket, state: stateLake}, schema: schemaFlags{schema: schemaInfer, maxColumns: 500, maxRejects: -1}, keepRaw: true}
	o, err := c.open(s.Context(), s.Cloud.AWSConfig("bootstrap"), zap.NewNop(), prometheus.NewRegistry())
	if err != nil {
		s.Fatal(err)
	}
	r, err := bootstrap.Bootstrap(s.Context(), o, bootstrap.Seed{Enable: true})
	if err != nil {
		s.Fatal(err)
	}
	return r
}

func (s *stage) verify(change func(*verifying)) (string, error) {
	c := verifying{
		place: place{table: scene.TableName, lake: "s3://" + scene.Bucket, state: stateLake}, output: "text", depth: string(verify.DepthRows),
		rcu: 500, settle: time.Minute, memory: 64 << 20, maxRejects: 0,
	}
	if change != nil {
		change(&c)
	}
	var out, progress bytes.Buffer
	err := c.run(s.Context(), s.Cloud.AWSConfig("observer"), streams{out: &out, err: &progress})
	if !strings.Contains(progress.String(), "files: ") {
		s.Errorf("no progress: %q", progress.String())
	}
	return out.String(), err
}

func TestVerifyProvesWhatTheFleetAndAnExportMade(t *testing.T) {
	onStage(t, 2, func(s *stage) {
		s.start("worker-1", consumer.GapStop)
		s.write(60)
		time.Sleep(time.Minute)
		text, err := s.verify(nil)
		if !errors.Is(err, errNotProven) || !strings.Contains(text, "NOT proven: 1 doubt\n  no full export  ledger: ") {
			t.Errorf("without a full export: %v\n%s", err, text)
		}
		if text, err := s.verify(func(c *verifying) { c.changesOnly = true }); err != nil || !strings.Contains(text, "\nproven: nothing is missing between ") {
			t.Errorf("changes only: %v\n%s", err, text)
		}

		seeded := s.seed()
		s.write(60)
		if err := s.Cloud.RollAll(scene.TableName); err != nil {
			t.Fatal(err)
		}
		s.write(60)
		time.Sleep(time.Minute)
		text, err = s.verify(func(c *verifying) { c.against = true })
		if err != nil {
			t.Errorf("%v\n%s", err, text)
		}
		for name, want := range map[string]string{
			"depth": "rows", "exports": "1 full, 0 windows", "shards": "4, 2 of them read to their end", "orphans": "0", "differing": "0", "compared": "with table orders, in 1 passes",
		} {
			if got := lineOf(t, text, name); got != want {
				t.Errorf("%s: %q, want %q\n%s", name, got, want, text)
			}
		}

		// The export that the lake begins with, as AWS wrote it.
		key := s.only("/manifest-summary.json")
		text, err = s.verify(func(c *verifying) { c.export = "s3://" + scene.Bucket + "/" + key })
		if err != nil || lineOf(t, text, "items") == "0, 0 in the lake" || seeded.Items == 0 {
			t.Errorf("against the export: %v\n%s", err, text)
		}

		// Somebody writes around the stream's back: into the table's past, so to say.
		files := s.keys("/shard_day=")
		s.drop(files[len(files)-1])
		text, err = s.verify(func(c *verifying) { c.against, c.output = true, "json" })
		var r verify.Report
		if jerr := json.Unmarshal([]byte(text), &r); jerr != nil || !errors.Is(err, errNotProven) {
			t.Fatalf("%v %v\n%s", err, jerr, text)
		}
		if r.Proven || r.Counts[verify.Tail] != 1 || r.Counts[verify.Item] == 0 || r.Compared.Differing != r.Counts[verify.Item] {
			t.Errorf("%+v", r)
		}
	})
}

// keys are the objects whose names hold a text.
func (s *stage) keys(holds string) (keys []string) {
	s.Helper()
	for o, err := range s.Store("observer").List(s.Context(), "") {
		if err != nil {
			s.Fatal(err)
		}
		if strings.Contains(o.Key, holds) {
			keys = append(keys, o.Key)
		}
	}
	return keys
}

func (s *stage) only(holds string) string {
	s.Helper()
	keys := s.keys(holds)
	if len(keys) != 1 {
		s.Fatalf("%d objects like %s: %q", len(keys), holds, keys)
	}
	return keys[0]
}

func (s *stage) drop(key string) {
	s.Helper()
	if _, err := scene.S3(s.Cloud.AWSConfig("somebody")).DeleteObject(s.Context(), &s3.DeleteObjectInput{Bucket: aws.String(scene.Bucket), Key: &key}); err != nil {
		s.Fatal(err)
	}
}

func TestVerifyOfALakeOfWindows(t *testing.T) {
	onStage(t, 2, func(s *stage) {
		s.write(60)
		time.Sleep(time.Minute)
		c := exporting{place: place{table: scene.TableName, lake: "s3://" + scene.Bucket, state: stateLake}, schema: schemaFlags{schema: schemaInfer, maxColumns: 500, maxRejects: -1}, keepRaw: true}
		o, err := c.open(s.Context(), s.Cloud.AWSConfig("bootstrap"), zap.NewNop(), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bootstrap.Bootstrap(s.Context(), o, bootstrap.Seed{Enable: true, NoStream: true}); err != nil {
			t.Fatal(err)
		}
		o.Follow, o.Window = true, 15*time.Minute
		s.write(40)
		time.Sleep(40 * time.Minute)
		s.write(40)
		time.Sleep(40 * time.Minute)
		r, err := bootstrap.NewRepairer(o)
		if err == nil {
			_, err = r.CatchUp(s.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := s.verify(func(c *verifying) { c.against = true })
		if err != nil || !strings.HasPrefix(lineOf(t, text, "exports"), "1 full, ") || !strings.Contains(text, "\nproven: nothing is missing, and all ") {
			t.Errorf("%v\n%s", err, text)
		}
		db := dynamodb.NewFromConfig(s.Cloud.AWSConfig("author"))
		if _, err := db.PutItem(s.Context(), &dynamodb.PutItemInput{TableName: aws.String(scene.TableName), Item: map[string]types.AttributeValue{
			"customer": &types.AttributeValueMemberS{Value: "new"}, "order": &types.AttributeValueMemberN{Value: "1"},
		}}); err != nil {
			t.Fatal(err)
		}
		text, err = s.verify(func(c *verifying) { c.against = true })
		if !errors.Is(err, errNotProven) || !strings.Contains(text, "NOT proven: 1 doubt\n  item  ") {
			t.Errorf("an item that no window has yet: %v\n%s", err, text)
		}
	})
}

// TestVerifyProvesARepair: the stream loses an hour, windows bring it back.
func TestVerifyProvesARepair(t *testing.T) {
	onStage(t, 2, func(s *stage) {
		kill := s.start("worker-1", consumer.GapContinue)
		s.write(60)
		time.Sleep(time.Minute)
		s.seed()
		s.write(60)
		time.Sleep(time.Minute)
		kill()
		s.write(90)
		time.Sleep(26 * time.Hour)
		s.write(30)
		s.start("worker-2", consumer.GapContinue)
		time.Sleep(2 * time.Minute)
		text, err := s.verify(nil)
		if !errors.Is(err, errNotProven) || !strings.Contains(text, "  gap  gap 1: changes from ") {
			t.Errorf("before the repair: %v\n%s", err, text)
		}
		time.Sleep(10 * time.Minute)
		c := exporting{place: place{table: scene.TableName, lake: "s3://" + scene.Bucket, state: stateLake}, schema: schemaFlags{schema: schemaInfer, maxColumns: 500, maxRejects: -1}, keepRaw: true}
		o, err := c.open(s.Context(), s.Cloud.AWSConfig("repairer"), zap.NewNop(), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		r, err := bootstrap.NewRepairer(o)
		if err == nil {
			_, err = r.CatchUp(s.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		s.write(10)
		time.Sleep(time.Minute)
		text, err = s.verify(func(c *verifying) { c.against = true })
		if err != nil || !strings.Contains(lineOf(t, text, "epochs"), ", 1 gaps closed") || lineOf(t, text, "exports") == "1 full, 0 windows" {
			t.Errorf("%v\n%s", err, text)
		}
	})
}

// TestVerifyProvesEachDataset: a fleet and an export split the table, by the key, by what items are at the moment,
// and with hashes.
func TestVerifyProvesEachDataset(t *testing.T) {
	onStage(t, 2, func(s *stage) {
		file := filepath.Join(t.TempDir(), "split.yaml")
		if err := os.WriteFile(file, []byte(`
datasets:
  - {name: even, filter: keys.order % 2 == 0, new_attributes: column}
  - {name: wide, filter: size(item) > 3, hash: [status, note]}
  - {name: whole, redact: [status]}
`), 0o600); err != nil {
			t.Fatal(err)
		}
		flags := schemaFlags{schema: file, salt: "salt", maxColumns: 500, maxRejects: -1}
		o := s.Worker("worker-1", zap.NewNop())
		o.Limits.Age, o.Settle, o.OnGap, o.Registerer = time.Second, time.Second, consumer.GapStop, prometheus.NewRegistry()
		cfg := s.Cloud.AWSConfig("worker-1")
		lake, err := openLake("s3://"+scene.Bucket, cfg)
		if err != nil {
			t.Fatal(err)
		}
		live, err := flags.open(s.Context(), cfg, lake, writer.TablePrefix(o.Table.Account, o.Table.Region, o.Table.Name), dataset.Options{Table: scene.TableName, Keys: o.Table.Keys, Source: writer.SourceStream})
		if err != nil {
			t.Fatal(err)
		}
		o.Datasets = live
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- consumer.Run(ctx, o) }()
		defer func() { cancel(); <-done }()
		s.write(60)
		time.Sleep(time.Minute)
		c := exporting{place: place{table: scene.TableName, lake: "s3://" + scene.Bucket, state: stateLake}, schema: flags, keepRaw: true}
		x, err := c.open(s.Context(), s.Cloud.AWSConfig("bootstrap"), zap.NewNop(), prometheus.NewRegistry())
		if err == nil {
			_, err = bootstrap.Bootstrap(s.Context(), x, bootstrap.Seed{Enable: true})
		}
		if err != nil {
			t.Fatal(err)
		}
		s.write(60)
		if err := s.Cloud.RollAll(scene.TableName); err != nil {
			t.Fatal(err)
		}
		s.write(60)
		time.Sleep(time.Minute)
		text, err := s.verify(func(c *verifying) { c.against, c.salt = true, "salt" })
		if err != nil || !strings.Contains(text, "\nproven: nothing is missing, and each dataset has what it should of the ") || strings.Count(text, "\ndataset ") != 3 {
			t.Errorf("%v\n%s", err, text)
		}
		s.drop(s.keys("changes/even/shard_day=")[0])
		text, err = s.verify(func(c *verifying) { c.output = "text" })
		if !errors.Is(err, errNotProven) || !strings.Contains(text, "  chain start  ") {
			t.Errorf("%v\n%s", err, text)
		}
		text, err = s.verify(func(c *verifying) { c.dataset, c.against = "whole", true })
		if err != nil || strings.Count(text, "\ndataset ") != 1 {
			t.Errorf("%v\n%s", err, text)
		}
	})
}
