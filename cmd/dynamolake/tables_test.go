package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"dynamolake/consumer"
)

func TestTheTablesOfAFleet(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tables.yaml")
	if err := os.WriteFile(file, []byte("tables:\n- {name: orders, schema: orders.yaml, old_image: true}\n- {name: users, schema: none}\n- name: audit\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	split := func(args ...string) ([]consuming, error) {
		var c consuming
		s := newSettings("consume", "")
		c.several.flags(s)
		c.lakeFlags(s, "")
		c.schema.flags(s)
		c.memory = 256 << 20
		if err := s.read(append(args, "--lake=s3://lake"), nil); err != nil {
			return nil, err
		}
		return c.split(t.Context(), aws.Config{})
	}
	list, err := split("--tables-file=" + file)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 3 || list[0].schema.schema != filepath.Join(filepath.Dir(file), "orders.yaml") || !list[0].oldImage || list[1].schema.schema != schemaNone || list[2].schema.schema != schemaInfer || list[2].oldImage {
		t.Errorf("of the file: %+v", list)
	}
	for _, c := range []struct {
		args  []string
		names string
		app   string // of the first
	}{
		{[]string{"--table=orders"}, "orders", "dynamolake-orders"},
		{[]string{"--table=orders,users"}, "orders users", "dynamolake"},
		{[]string{"--table=orders", "--table=users"}, "orders users", "dynamolake"},
		{[]string{"--table=orders,users", "--app=mine"}, "orders users", "mine"},
	} {
		list, err := split(c.args...)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, one := range list {
			names = append(names, one.table)
		}
		if last := list[len(list)-1]; cap(list[0].turns) != 1 || last.turns != list[0].turns {
			t.Errorf("%v: conversions of all tables at once would take as many times the memory", c.args)
		}
		if strings.Join(names, " ") != c.names || leaseTable(list[0].app, list[0].table) != c.app {
			t.Errorf("%v: %v in %s", c.args, names, leaseTable(list[0].app, list[0].table))
		}
	}
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("tables:\n- nmae: orders\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "--table (DYNAMOLAKE_TABLE) is required, or --tables-file"},
		{[]string{"--table=a", "--tables-file=" + file}, "are both given: want one"},
		{[]string{"--table=a,,b"}, "there is an empty name"},
		{[]string{"--table=aaa,bbb,aaa"}, "table aaa is there twice\nsee"},
		{[]string{"--tables-file=" + bad}, bad + `:2: a table has no key "nmae"`},
		{[]string{"--tables-file=" + bad + "x"}, "there is no file"},
		{[]string{"--table=a1,a2,a3,a4,a5,a6,a7,a8,a9,b1,b2,b3,b4,b5,b6,b7,b8"}, "= 256MiB is too little for 17 tables: want at least 272MiB"},
	} {
		if _, err := split(c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %s", c.args, err, c.want)
		}
	}
}

// TestABadListOfTablesIsASettingThatCannotBeUsed before anything is asked of AWS.
func TestABadListOfTablesIsASettingThatCannotBeUsed(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("tables:\n- nmae: orders\n- {name: users, size: 3}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"--tables-file=" + bad}, []string{"\n  " + bad + ":2: ", "\n  " + bad + ":3: "}},
		{[]string{"--tables-file=" + bad + "x"}, []string{"\n  --tables-file (DYNAMOLAKE_TABLES_FILE): there is no file " + bad + "x"}},
		{[]string{"--table=aaa,bbb", "--memory=16MiB"}, []string{"\n  --memory (DYNAMOLAKE_MEMORY) = "}},
	} {
		var out, errs bytes.Buffer
		ctx := context.WithValue(t.Context(), awsKey{}, aws.Config{})
		code := run(ctx, append([]string{"consume", "--lake=file://" + t.TempDir()}, c.args...), nil, streams{out: &out, err: &errs})
		text := errs.String()
		if code != 2 || !strings.HasPrefix(text, "dynamolake consume: the settings cannot be used:\n") || !strings.HasSuffix(text, "\nsee dynamolake consume --help\n") {
			t.Errorf("%v: exit code %d\n%s", c.args, code, text)
		}
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%v: no %q in\n%s", c.args, want, text)
			}
		}
	}
}

// TestConsumeReadsSeveralTables runs the command itself: one table is there, one is not.
func TestConsumeReadsSeveralTables(t *testing.T) {
	onStage(t, 2, func(s *stage) {
		ctx, cancel := context.WithCancel(context.WithValue(context.Background(), awsKey{}, s.Cloud.AWSConfig("w")))
		done := make(chan int, 1)
		var out, log bytes.Buffer
		go func() {
			done <- run(ctx, []string{"consume", "--table=orders,missing", "--lake=s3://lake", "--repair=off", "--worker-id=w", "--log-level=error"}, nil, streams{out: &out, err: &log})
		}()
		s.write(50)
		time.Sleep(2 * time.Minute)
		read := func(args ...string) string {
			var out, failed bytes.Buffer
			ctx := context.WithValue(context.Background(), awsKey{}, s.Cloud.AWSConfig("operator"))
			if code := run(ctx, args, nil, streams{out: &out, err: &failed}); code != 0 {
				t.Errorf("%v: %s", args, failed.String())
			}
			return out.String()
		}
		leases := read("checkpoint", "list", "--table=orders", "--app=dynamolake")
		if strings.Count(leases, "\nshardId-") != 2 || strings.Contains(leases, "$") {
			t.Errorf("the leases are not shown by their shards:\n%s", leases)
		}
		if text := read("status", "--table=orders", "--app=dynamolake"); !strings.Contains(text, "alive") || !strings.Contains(text, "w") {
			t.Errorf("status:\n%s", text)
		}
		cancel()
		if code := <-done; code != 1 || !strings.Contains(log.String(), `table missing: table "missing" does not exist`) {
			t.Errorf("exit code %d:\n%s", code, log.String())
		}
	})
}

func TestTheSiteOfSeveralTables(t *testing.T) {
	onStage(t, 2, func(s *stage) {
		registry := prometheus.NewRegistry()
		all := consumer.NewTables([]string{"missing", "orders"}, func(table string) prometheus.Registerer { return labelled(registry, table) }, zap.NewNop())
		c := watching{headroom: 2 * time.Hour, stall: 5 * time.Minute}
		held := newSites("w", all)
		mux := c.siteOfMany(registry, held)
		if code, body := answer(mux, "/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, "starting: orders: ") {
			t.Errorf("before: %d %s", code, body)
		}
		if code, body := answer(mux, "/startz"); code != http.StatusServiceUnavailable || !strings.Contains(body, "starting: orders: ") {
			t.Errorf("it has not begun: %d %s", code, body)
		}
		o := s.Worker("w", zap.NewNop())
		o.State, o.Limits.Age, o.Settle, o.Many = &consumer.State{}, time.Second, time.Second, true
		ctx, cancel := context.WithCancel(s.Context())
		done := make(chan error, 1)
		go func() {
			done <- all.Run(ctx, func(ctx context.Context, a consumer.Attempt) error {
				if a.Table == "missing" {
					_, err := consumer.Describe(ctx, o.DynamoDB, a.Table)
					return err
				}
				one := oneTable{Options: o, limits: c.limits(o, true)}
				one.Registerer, one.Begun = a.Registerer, a.Begun
				defer held.add(ctx, one, registry)()
				return one.read(ctx)
			})
		}()
		s.stop = append(s.stop, func() { cancel(); <-done })
		s.write(50)
		time.Sleep(3 * time.Minute)
		if code, body := answer(mux, "/readyz"); code != http.StatusServiceUnavailable || !strings.HasPrefix(body, `table: missing: table "missing" does not exist`) || strings.Count(body, "\n") != 1 {
			t.Errorf("one of two: %d %s", code, body)
		}
		for _, path := range []string{"/healthz", "/startz"} {
			if code, body := answer(mux, path); code != http.StatusOK {
				t.Errorf("%s: %d %s", path, code, body)
			}
		}
		if code, body := answer(mux, "/"); code != http.StatusOK || !strings.Contains(body, `<a href="tables/orders/">`) || strings.Contains(body, "tables/missing/") || !strings.Contains(body, "does not exist") {
			t.Errorf("the list: %d\n%s", code, body)
		}
		for path, want := range map[string]string{
			"/tables/orders/": "lag over time", "/tables/orders/readyz": "ok\n", "/tables/orders/style.css": "{", "/style.css": "{",
			"/metrics": "\ndynamolake_table_up{table=\"missing\"} 0\n", "/tables/orders/metrics": "dynamolake_consumer_lag_seconds{table=\"orders\"}",
		} {
			if code, body := answer(mux, path); code != http.StatusOK || !strings.Contains(body, want) {
				t.Errorf("%s: %d without %q", path, code, want)
			}
		}
		if code, _ := answer(mux, "/tables/missing/"); code != http.StatusNotFound {
			t.Errorf("a table that is not read has a page: %d", code)
		}
	})
}
