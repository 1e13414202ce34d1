package main

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "write the golden files anew")

// example is a command with one setting of each kind.
type example struct {
	table, lake, level string
	old                bool
	rows               int
	bytes              int64
	flush              time.Duration
}

func (e *example) settings() *settings {
	s := newSettings("example", "an example")
	s.text(&e.table, "table", "", "name")
	s.required("table")
	s.parsed(&e.lake, "lake", "address", "", "address", checkLake)
	s.choice(&e.level, "log-level", "info", "level", "debug", "info")
	s.boolean(&e.old, "old-image", "old")
	s.count(&e.rows, "flush-rows", 100, 1, 1000, "rows")
	s.size(&e.bytes, "flush-bytes", 32<<20, 64<<10, 1<<30, "bytes")
	s.duration(&e.flush, "flush-interval", 15*time.Second, 100*time.Millisecond, time.Hour, "age")
	return s
}

func TestSettingsAreRead(t *testing.T) {
	defaults := example{table: "t", level: "info", rows: 100, bytes: 32 << 20, flush: 15 * time.Second}
	with := func(change func(*example)) example {
		e := defaults
		change(&e)
		return e
	}
	for _, c := range []struct {
		name      string
		args, env []string
		want      example
	}{
		{"what is not given has its default", []string{"--table", "t"}, nil, defaults},
		{
			"a variable is as good as a flag", nil,
			[]string{"DYNAMOLAKE_TABLE=t", "DYNAMOLAKE_FLUSH_INTERVAL=1m", "DYNAMOLAKE_OLD_IMAGE=true", "DYNAMOLAKE_FLUSH_BYTES=1MiB"},
			with(func(e *example) { e.flush, e.old, e.bytes = time.Minute, true, 1<<20 }),
		},
		{
			"a flag beats its variable",
			[]string{"--table=t", "--flush-rows=7", "--old-image=false"},
			[]string{"DYNAMOLAKE_FLUSH_ROWS=8", "DYNAMOLAKE_TABLE=u", "DYNAMOLAKE_OLD_IMAGE=true"},
			with(func(e *example) { e.rows = 7 }),
		},
		{"a flag that says the default beats its variable too", []string{"--table=t", "--flush-rows=100"}, []string{"DYNAMOLAKE_FLUSH_ROWS=8"}, defaults},
		{"a flag beats a variable that could not be used", []string{"--table=t", "--flush-rows=7"}, []string{"DYNAMOLAKE_FLUSH_ROWS=many"}, with(func(e *example) { e.rows = 7 })},
		{"a switch needs no value", []string{"--old-image", "--table", "t"}, nil, with(func(e *example) { e.old = true })},
		{"an empty variable is as good as none", []string{"--table=t"}, []string{"DYNAMOLAKE_FLUSH_ROWS=", "DYNAMOLAKE_LOG_LEVEL="}, defaults},
		{"variables of other commands and of others are left alone", []string{"--table=t"}, []string{"DYNAMOLAKE_SEED=x", "DYNAMOLAKE=1", "PATH=/bin", "dynamolake_table=u"}, defaults},
		{"a value may hold an equals sign", nil, []string{"DYNAMOLAKE_TABLE=a=b"}, with(func(e *example) { e.table = "a=b" })},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got example
			if err := got.settings().read(c.args, c.env); err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(c.want, got, gocmp.AllowUnexported(example{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAllProblemsAreReportedAtOnce(t *testing.T) {
	err := new(example).settings().read(
		[]string{"--flush-rows", "0", "--bogus", "x", "--flush-bytes=1TB", "--other=1", "--lake", "ftp://x"},
		[]string{"DYNAMOLAKE_FLUSH_INTERVAL=10", "DYNAMOLAKE_FLUSH_INTERVALL=10s", "DYNAMOLAKE_LOG_LEVEL=loud", "DYNAMOLAKE_OLD_IMAGE=perhaps"})
	if err == nil {
		t.Fatal("no error")
	}
	want := []string{
		`dynamolake example: the settings cannot be used:`,
		`  unknown flag: --bogus`,
		`  unknown flag: --other`,
		`  environment variable DYNAMOLAKE_FLUSH_INTERVALL is not a setting of any command`,
		`  --lake (DYNAMOLAKE_LAKE) = "ftp://x": lake "ftp://x": unknown scheme ftp; give s3://bucket/prefix or file:///absolute/folder`,
		`  --log-level (DYNAMOLAKE_LOG_LEVEL) = "loud": want one of debug, info`,
		`  --old-image (DYNAMOLAKE_OLD_IMAGE) = "perhaps": want true or false`,
		`  --flush-rows (DYNAMOLAKE_FLUSH_ROWS) = "0": want a whole number from 1 to 1000`,
		`  --flush-bytes (DYNAMOLAKE_FLUSH_BYTES) = "1TB": want a size from 64KiB to 1GiB, like 64MiB`,
		`  --flush-interval (DYNAMOLAKE_FLUSH_INTERVAL) = "10": want a duration from 100ms to 1h0m0s, like 500ms, 30s or 5m`,
		`  --table (DYNAMOLAKE_TABLE) is required`,
		`see dynamolake example --help`,
	}
	if diff := gocmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Error(diff)
	}
}

func TestSettingsThatAreNotUnderstood(t *testing.T) {
	for _, c := range []struct {
		name      string
		args, env []string
		want      string
	}{
		{"an argument that is no flag", []string{"--table=t", "extra"}, nil, `unexpected argument "extra"`},
		{"a flag without its value", []string{"--table=t", "--lake"}, nil, "flag needs an argument: --lake"},
		{"a short flag", []string{"--table=t", "-x"}, nil, "unknown shorthand flag: 'x' in -x"},
		{"a variable in the wrong case", []string{"--table=t"}, []string{"DYNAMOLAKE_Flush_Rows=1"}, "DYNAMOLAKE_Flush_Rows is not a setting"},
		{"a required flag that is empty", []string{"--table="}, []string{"DYNAMOLAKE_TABLE=t"}, "--table (DYNAMOLAKE_TABLE) is required"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := new(example).settings().read(c.args, c.env)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Count(err.Error(), "\n") != 2 {
				t.Errorf("got %v\nwant one problem with %q", err, c.want)
			}
		})
	}
}

// TestEachFlagIsAVariable sets every flag of every command to its default through
// its variable, or to some text where it has none.
func TestEachFlagIsAVariable(t *testing.T) {
	texts := map[string]string{
		"table": "orders", "lake": "file:///lake", "break": "fork", "export-sse": "AES256", "listen": ":9090",
		"from-export": "file:///copy/manifest-summary.json", "against-export": "file:///copy/manifest-summary.json",
		"to": "TRIM_HORIZON", "key": "pk:S", "from": "lake", "sample": "lake", "export": "file:///copy/manifest-summary.json", "with-version": "1",
		"replay from": "TRIM_HORIZON", "replay window": "2026-11-23T08:00:00Z_2026-11-23T09:00:00Z", "replay export": "01", "replay rejects": "true", "replay into": "again",
		"key-condition": "pk = :p AND #s = :p", "filter": "#s = :p", "names": `{"#s":"s"}`, "values": `{":p":{"S":"p"}}`,
	}
	others := map[string][]string{ // that a command wants besides
		"snapshot": {"DYNAMOLAKE_FILTER=#s = :p", "DYNAMOLAKE_NAMES=" + texts["names"], "DYNAMOLAKE_VALUES=" + texts["values"]},
	}
	for _, c := range commands() {
		s := newSettings(c.name, c.summary)
		c.setup(s)
		text := func(f *pflag.Flag) string { return cmp.Or(texts[c.name+" "+f.Name], f.DefValue, texts[f.Name], "x") }
		needed := []string{"DYNAMOLAKE_TABLE=orders", "DYNAMOLAKE_LAKE=s3://b/p"} // advise needs them for some
		s.flags.VisitAll(func(f *pflag.Flag) {
			if s.value(f.Name).needed && f.Name != "table" && f.Name != "lake" {
				needed = append(needed, envName(f.Name)+"="+text(f))
			}
		})
		s.flags.VisitAll(func(f *pflag.Flag) {
			env, text := slices.Concat(needed, others[c.name]), text(f)
			if f.Name == "export-kms-key" {
				env = append(env, "DYNAMOLAKE_EXPORT_SSE=KMS")
			}
			if what := []string{"from", "from-checkpoint", "window", "export", "rejects"}; c.name == "replay" && !slices.Contains(what, f.Name) {
				env = append(env, "DYNAMOLAKE_FROM=TRIM_HORIZON") // it wants to be told what to replay
			}
			if f.Name == "tables-file" {
				env = slices.DeleteFunc(env, func(e string) bool { return strings.HasPrefix(e, "DYNAMOLAKE_TABLE=") })
			}
			env = append(slices.DeleteFunc(env, func(e string) bool { return strings.HasPrefix(e, envName(f.Name)+"=") }), envName(f.Name)+"="+text)
			fresh := newSettings(c.name, c.summary)
			c.setup(fresh)
			if err := fresh.read(nil, env); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			if got := fresh.flags.Lookup(f.Name).Value.String(); got != text {
				t.Errorf("%s --%s is %q after %s=%s", c.name, f.Name, got, envName(f.Name), text)
			}
		})
	}
}

func TestInitialPositions(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct{ text, position, problem string }{
		{"TRIM_HORIZON", "TRIM_HORIZON", ""},
		{"LATEST", "LATEST", ""},
		{"2026-11-23T08:00:00Z", "AT_TIMESTAMP", ""},
		{"2026-11-23T13:30:00+02:00", "AT_TIMESTAMP", ""},
		{"2026-11-23T12:00:01Z", "", "is in the future; want a time in the last 24 h"},
		{"latest", "", "want TRIM_HORIZON, LATEST or a time like"},
		{"2026-11-23", "", "want TRIM_HORIZON, LATEST or a time like"},
	} {
		got, err := parseInitial(c.text, now)
		if (err == nil) != (c.problem == "") || err != nil && !strings.Contains(err.Error(), c.problem) || got.Position != c.position {
			t.Errorf("parseInitial(%q) = %+v, %v; want %q, error %q", c.text, got, err, c.position, c.problem)
		}
		if c.position == "AT_TIMESTAMP" && (got.At.IsZero() || got.At.After(now)) {
			t.Errorf("parseInitial(%q) is at %v", c.text, got.At)
		}
	}
}

// TestHelp keeps what each command's --help says in testdata.
func TestHelp(t *testing.T) {
	pages := [][]string{{"--help"}}
	for _, c := range commands() {
		pages = append(pages, append(strings.Fields(c.name), "--help"))
	}
	for _, args := range pages {
		name := strings.TrimSuffix(strings.Join(args, "-"), "---help")
		t.Run(name, func(t *testing.T) {
			var out, err bytes.Buffer
			if code := run(context.Background(), args, nil, streams{out: &out, err: &err}); code != 0 || err.Len() != 0 {
				t.Errorf("exit code %d, stderr %q", code, err.String())
			}
			golden := filepath.Join("testdata", "help", strings.TrimPrefix(name, "--")+".txt")
			if *update {
				if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, rerr := os.ReadFile(golden)
			if rerr != nil {
				t.Fatal(rerr)
			}
			if diff := gocmp.Diff(string(want), out.String()); diff != "" {
				t.Errorf("%s (-update writes it anew):\n%s", golden, diff)
			}
		})
	}
}

func TestExitCodesOfMain(t *testing.T) {
	for _, c := range []struct {
		name     string
		args     []string
		env      []string
		code     int
		out, err string // beginnings
	}{
		{"nothing is usage", nil, nil, 0, "dynamolake moves a DynamoDB table", ""},
		{"help of a command", []string{"help", "status"}, nil, 0, "dynamolake status: ", ""},
		{"-h of a command", []string{"consume", "-h"}, nil, 0, "dynamolake consume: ", ""},
		{"a command that is not there", []string{"consum"}, nil, 2, "", `dynamolake: there is no command "consum"; see dynamolake --help`},
		{"settings that cannot be used", []string{"consume"}, nil, 2, "", "dynamolake consume: the settings cannot be used:\n  --table (DYNAMOLAKE_TABLE) is required, or --tables-file (DYNAMOLAKE_TABLES_FILE)\n  --lake (DYNAMOLAKE_LAKE) is required\n"},
		{"a sabotage that is not there", []string{"demo", "--break=x"}, nil, 2, "", "dynamolake demo: the settings cannot be used:\n  --break (DYNAMOLAKE_BREAK) = \"x\": want one of checkpoint-early, overwrite, fork, window-too-short\n"},
		{
			"a time in the future",
			[]string{"consume", "--table=tab", "--lake=s3://b", "--initial=2126-01-01T00:00:00Z"},
			nil, 2, "",
			"dynamolake consume: the settings cannot be used:\n  --initial (DYNAMOLAKE_INITIAL) = \"2126-01-01T00:00:00Z\": is in the future; want a time in the last 24 h, or LATEST\n",
		},
		{
			"a lake that is no address",
			[]string{"status", "--table=tab"},
			[]string{"DYNAMOLAKE_LAKE=/data"},
			2, "",
			"dynamolake status: the settings cannot be used:\n  --lake (DYNAMOLAKE_LAKE) = \"/data\": lake \"/data\": not an address; give s3://bucket/prefix or file:///absolute/folder\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, err bytes.Buffer
			code := run(context.Background(), c.args, c.env, streams{out: &out, err: &err})
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for _, s := range []struct{ name, got, want string }{{"stdout", out.String(), c.out}, {"stderr", err.String(), c.err}} {
				if !strings.HasPrefix(s.got, s.want) || s.want == "" && s.got != "" {
					t.Errorf("%s:\n%s\nwant it to begin with:\n%s", s.name, s.got, s.want)
				}
			}
		})
	}
}

// TestACommandOfOneTableTakesNoMore because the last of two would be taken for both: a verify of them would prove one.
func TestACommandOfOneTableTakesNoMore(t *testing.T) {
	for _, c := range commands() {
		s := newSettings(c.name, c.summary)
		c.setup(s)
		if s.flags.Lookup("table") == nil || c.name == "consume" || c.name == "config" {
			continue
		}
		for _, given := range []struct {
			args, env []string
			want      string
		}{
			{[]string{"--table=orders", "--table=users"}, nil, `--table (DYNAMOLAKE_TABLE) = "orders,users": this command takes one table at a time`},
			{nil, []string{"DYNAMOLAKE_TABLE=orders,users"}, `--table (DYNAMOLAKE_TABLE) = "orders,users": this command takes one table at a time`},
			{[]string{"--table=o/s"}, nil, `"o/s" is no name of a table`},
		} {
			s := newSettings(c.name, c.summary)
			c.setup(s)
			if err := s.read(given.args, given.env); err == nil || !strings.Contains(err.Error(), given.want) {
				t.Errorf("%s %v %v: %v", c.name, given.args, given.env, err)
			}
		}
	}
}
