package main

import (
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
)

// TestALogLineHasEachKeyOnce because readers of JSON take one of two, or none.
func TestALogLineHasEachKeyOnce(t *testing.T) {
	onStage(t, 2, func(s *stage) {
		var logs strings.Builder
		done := func(code int, _, errs string) {
			if logs.WriteString(errs); code != 0 {
				t.Errorf("exit code %d\n%s", code, errs)
			}
		}
		s.write(50)
		done(s.command(s.Context(), "bootstrap", "bootstrap", "--enable", "--log-format=json"))
		ctx, stop := context.WithTimeout(s.Context(), time.Minute)
		defer stop()
		done(s.command(ctx, "worker", "consume", "--flush-interval=1s", "--log-format=json"))
		done(s.command(s.Context(), "replay", "replay", "--into=again", "--from=TRIM_HORIZON", "--log-format=json"))
		lines := 0
		for line := range strings.Lines(logs.String()) {
			if !strings.HasPrefix(line, "{") {
				continue // progress
			}
			lines++
			if key := repeated(t, line); key != "" {
				t.Errorf("%q is there twice: %s", key, line)
			}
		}
		if lines < 10 {
			t.Errorf("%d lines: the test shows nothing\n%s", lines, logs.String())
		}
	})
}

// repeated is a key that an object has more than once; empty where there is none.
func repeated(t *testing.T, object string) string {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(object))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		var value json.RawMessage
		if err == nil {
			err = d.Decode(&value)
		}
		if err != nil {
			t.Fatalf("%v: %s", err, object)
		}
		key := token.(string)
		if seen[key] {
			return key
		}
		seen[key] = true
	}
	return ""
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
