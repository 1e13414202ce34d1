package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"dynamolake/internal/scene"
)

// TestALogLineHasNoFieldTwice: a JSON object with a key twice is refused by stores of logs, and the line is lost.
func TestALogLineHasNoFieldTwice(t *testing.T) {
	onStage(t, 2, func(s *stage) {
		said := map[string]bool{}
		look := func(log *bytes.Buffer) {
			for line := range strings.Lines(log.String()) {
				if !strings.HasPrefix(line, "{") {
					continue // progress
				}
				message, twice := fieldsOf(t, line)
				said[message] = true
				if len(twice) > 0 {
					t.Errorf("%q has fields twice: %q", message, twice)
				}
			}
		}
		start := func(args ...string) (stop func()) {
			ctx, cancel := context.WithCancel(context.WithValue(context.Background(), awsKey{}, s.Cloud.AWSConfig("w")))
			var log bytes.Buffer
			done := make(chan int, 1)
			go func() {
				done <- run(ctx, append(args, "--lake=s3://lake", "--log-level=debug", "--log-format=json"), nil, streams{out: new(bytes.Buffer), err: &log})
			}()
			return func() {
				cancel()
				if code := <-done; code != 0 {
					t.Errorf("%v: exit code %d", args, code)
				}
				look(&log)
			}
		}
		one, other := start("consume", "--table=orders"), start("consume", "--table=orders")
		s.write(50)
		time.Sleep(time.Minute)
		one()
		other()
		for _, name := range []string{"users", "audit"} {
			if err := scene.CreateTable(s.Context(), dynamodb.NewFromConfig(s.Cloud.AWSConfig("author")), name); err != nil {
				t.Fatal(err)
			}
		}
		several := start("consume", "--table=users,audit")
		time.Sleep(time.Minute)
		several()
		whole := start("bootstrap", "--table=orders", "--enable")
		time.Sleep(2 * time.Hour)
		whole()
		for _, want := range []string{"reading", "draining", "worker is alive", "stopped", "turned on point-in-time recovery"} {
			if !said[want] {
				t.Errorf("nobody said %q", want)
			}
		}
	})
}

// fieldsOf are the message of a line, and those of its fields that are there more than once.
func fieldsOf(t *testing.T, line string) (message string, twice []string) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(line))
	if _, err := d.Token(); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	seen := map[string]bool{}
	for d.More() {
		name, err := d.Token()
		var value any
		if err == nil {
			err = d.Decode(&value)
		}
		if err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		key, _ := name.(string)
		if key == "msg" {
			message, _ = value.(string)
		}
		if seen[key] {
			twice = append(twice, key)
		}
		seen[key] = true
	}
	return message, twice
}

// TestTheSDKWritesNothingBesideTheLog as it does of an answer that has no checksum, which is each error of DynamoDB Local.
func TestTheSDKWritesNothingBesideTheLog(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"no such table"}`) //nolint:errcheck // the test's own
	}))
	defer server.Close()
	for key, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(key, value)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	was := os.Stderr
	os.Stderr = file
	defer func() { os.Stderr = was }()
	if code := run(t.Context(), []string{"status", "--table=orders"}, nil, streams{out: io.Discard, err: io.Discard}); code != 1 {
		t.Errorf("exit code %d", code)
	}
	if text, err := os.ReadFile(file.Name()); err != nil || len(text) > 0 {
		t.Errorf("%v: %s", err, text)
	}
}
