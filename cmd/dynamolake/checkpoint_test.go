package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"dynamolake/checkpoint"
	"dynamolake/consumer"
	"dynamolake/internal/lakecheck"
	"dynamolake/internal/scene"
	"dynamolake/writer"
)

// join starts a worker; the returned func tells it to stop and waits until it has.
func (s *stage) join(name string) (leave func()) { return s.joinAs(name, false) }

// joinMany starts one whose lease table serves several tables.
func (s *stage) joinMany(name string) (leave func()) { return s.joinAs(name, true) }

func (s *stage) joinAs(name string, many bool) (leave func()) {
	o := s.Worker(name, zap.NewNop())
	o.Many = many
	o.Limits.Age, o.Settle, o.OnGap, o.Registerer = time.Second, 5*time.Second, consumer.GapStop, prometheus.NewRegistry()
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

// drain waits until the fleet is through, tells it to stop, and proves the lake.
func (s *stage) drain(leave func()) lakecheck.Report {
	s.Helper()
	if err := s.Await(s.Context(), 10*time.Minute); err != nil {
		s.Fatal(err)
	}
	leave()
	report, err := s.Prove(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return report
}

func (s *stage) whole(report lakecheck.Report) {
	s.Helper()
	if !report.OK() || report.Changes == 0 {
		s.Errorf("%s\n%s", report, strings.Join(report.Problems, "\n"))
	}
}

// rows are the lease rows.
func (s *stage) rows() []checkpoint.Row {
	s.Helper()
	table, err := s.Leases(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return table.Leases
}

// files are the keys of a shard's chain.
func (s *stage) files(shard string) (keys []string) {
	s.Helper()
	for o, err := range s.Store("observer").List(s.Context(), writer.ChainPrefix(s.Prefix(), "all", shard)) {
		if err != nil {
			s.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

// lose takes the last files of a shard away.
func (s *stage) lose(shard string, files int) {
	s.Helper()
	keys := s.files(shard)
	for _, key := range keys[max(0, len(keys)-files):] {
		if err := s.Lake("thief").Delete(s.Context(), key); err != nil {
			s.Fatal(err)
		}
	}
}

// busy are the shards that are open and have at least so many files.
func (s *stage) busy(files int) (shards []string) {
	for _, r := range s.rows() {
		if r.Checkpoint.Seq != "" && len(s.files(r.Key)) >= files {
			shards = append(shards, r.Key)
		}
	}
	return shards
}

// traffic writes in bursts, so that shards have several files.
func (s *stage) traffic(bursts int) {
	s.Helper()
	for range bursts {
		s.write(60)
		time.Sleep(3 * time.Second)
	}
}

func (s *stage) rewinding(to string) rewinding {
	return rewinding{
		leasing: leasing{table: scene.TableName}, lake: "s3://" + scene.Bucket, to: to,
		backup: filepath.Join(s.TempDir(), "backup.json"),
	}
}

// rewind runs the command with --json.
func (s *stage) rewind(c rewinding) (rows []rewoundRow, err error) {
	s.Helper()
	c.json = true
	var out bytes.Buffer
	if err := c.rewind(s.Context(), s.Cloud.AWSConfig("operator"), &out); err != nil {
		return nil, err
	}
	var got struct{ Rows []rewoundRow }
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		s.Fatal(err)
	}
	return got.Rows, nil
}

func (s *stage) mustRewind(c rewinding) []rewoundRow {
	s.Helper()
	rows, err := s.rewind(c)
	if err != nil {
		s.Fatal(err)
	}
	return rows
}

func TestARewindOfAWholeLakeWritesNothingTwice(t *testing.T) {
	onStage(t, 3, func(s *stage) {
		leave := s.join("first")
		s.traffic(4)
		middle := time.Now()
		s.traffic(2)
		if err := s.Cloud.RollAll(scene.TableName); err != nil {
			t.Fatal(err)
		}
		s.traffic(4)
		s.whole(s.drain(leave))
		for i, to := range []string{checkpoint.TrimHorizon, middle.UTC().Format(time.RFC3339), "seq"} {
			c := s.rewinding(to)
			if to == "seq" {
				c.shard = s.busy(2)[0]
				keys := s.files(c.shard)
				c.to = strings.TrimLeft(strings.TrimSuffix(keys[len(keys)-1][strings.LastIndex(keys[len(keys)-1], "-")+1:], ".parquet"), "0")
			}
			before := s.files(s.busy(2)[0])
			moved := 0
			for _, r := range s.mustRewind(c) {
				if r.Rereads != "" {
					t.Errorf("%s: all is in the lake, and the stream is to be read again: %+v", to, r)
				}
				if r.Stays == "" {
					moved++
				}
			}
			if moved == 0 {
				t.Errorf("%s: nothing was moved", to)
			}
			leave := s.join([]string{"second", "third", "fourth"}[i])
			time.Sleep(time.Minute)
			if after := s.files(s.busy(2)[0]); !slices.Equal(before, after) {
				t.Errorf("%s: files were written again: %q, before %q", to, after, before)
			}
			s.traffic(2)
			s.whole(s.drain(leave))
		}
	})
}

// TestARewindBringsBackWhatIsMissing takes the last files of shards away, so that checkpoints lead.
func TestARewindBringsBackWhatIsMissing(t *testing.T) {
	for _, rewound := range []bool{true, false} {
		onStage(t, 3, func(s *stage) {
			leave := s.join("first")
			s.traffic(6)
			s.whole(s.drain(leave))
			for i, shard := range s.busy(3) {
				s.lose(shard, 1+i)
			}
			if rewound {
				again := 0
				for _, r := range s.mustRewind(s.rewinding(time.Now().UTC().Format(time.RFC3339))) {
					if r.Rereads != "" {
						again++
					}
				}
				if again == 0 {
					t.Error("no shard is read again")
				}
			}
			leave = s.join("second")
			s.traffic(2)
			report := s.drain(leave)
			switch {
			case rewound:
				s.whole(report)
			case report.OK():
				t.Error("without a rewind nothing is missing: the test shows nothing")
			}
		})
	}
}

// TestRewindsOfRandomFleets kills workers, loses files, and rewinds to anywhere; the lake must equal the
// table each time.
func TestRewindsOfRandomFleets(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	again := 0
	for seed := range uint64(12) {
		onStage(t, 2, func(s *stage) {
			rng := rand.New(rand.NewPCG(seed, 7))
			for round := range 3 {
				name := string(rune('a'+round)) + "-worker"
				kill, leave := s.start(name, consumer.GapStop), func() {}
				if rng.IntN(2) == 0 {
					leave = s.join(name + "-beside")
				}
				s.traffic(1 + rng.IntN(5))
				if rng.IntN(2) == 0 {
					if err := s.Cloud.RollAll(scene.TableName); err != nil {
						t.Fatal(err)
					}
					s.traffic(2)
				}
				kill()
				leave()
				time.Sleep(15 * time.Second)
				for _, shard := range s.busy(1) {
					if rng.IntN(2) == 0 {
						s.lose(shard, rng.IntN(3))
					}
				}
				to := checkpoint.TrimHorizon
				if rng.IntN(2) == 0 {
					to = time.Now().Add(-time.Duration(rng.IntN(60)) * time.Second).UTC().Format(time.RFC3339)
				}
				rows, err := s.rewind(s.rewinding(to))
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				for _, r := range rows {
					if r.Rereads != "" {
						again++
					}
				}
			}
			leave := s.join("last")
			s.traffic(1)
			report := s.drain(leave)
			s.whole(report)
			if t.Failed() {
				t.Logf("seed %d", seed)
			}
		})
	}
	if again == 0 {
		t.Error("nothing was read again: the test shows nothing")
	}
}

func TestARewindIsRefused(t *testing.T) {
	refusal := func(s *stage, c rewinding, want string) {
		s.Helper()
		before := s.rows()
		_, err := s.rewind(c)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			s.Errorf("got %v\nwant one line with %q", err, want)
		}
		if diff := cmp.Diff(before, s.rows()); diff != "" {
			s.Errorf("rows were changed: %s", diff)
		}
		if _, err := os.Stat(c.backup); err == nil && c.backup != "" && !strings.Contains(want, "exists already") {
			s.Errorf("a backup was written for nothing")
		}
	}
	onStage(t, 1, func(s *stage) {
		leave := s.join("first")
		s.traffic(4)
		time.Sleep(20 * time.Second)
		shard := s.busy(2)[0]
		c := s.rewinding(checkpoint.TrimHorizon)
		table, live, err := checkpoint.Live(s.Context(), dynamodb.NewFromConfig(s.Cloud.AWSConfig("operator")), scene.App, scene.TableName, ownerPatience)
		if err != nil || len(table.Leases) != 1 || !live[shard] {
			t.Errorf("%+v, %v, %v", table, live, err)
		}
		_, err = s.rewind(c)
		if err == nil || !strings.Contains(err.Error(), "worker first holds the lease and is alive; stop the fleet first") {
			t.Errorf("a live fleet: %v", err)
		}
		leave()

		other := c
		other.shard = "shardId-nonesuch"
		refusal(s, other, `there is no lease of shard "shardId-nonesuch"`)

		if err := os.WriteFile(c.backup, []byte("precious"), 0o644); err != nil {
			t.Fatal(err)
		}
		refusal(s, c, "exists already; give another --backup")
		if body, err := os.ReadFile(c.backup); err != nil || string(body) != "precious" {
			t.Errorf("the backup is %q, %v", body, err)
		}

		c = s.rewinding(checkpoint.TrimHorizon)
		s.lose(shard, 1)
		if err := s.Cloud.TrimBefore(scene.TableName, time.Now()); err != nil {
			t.Fatal(err)
		}
		refusal(s, c, "the stream no longer has what follows")
	})
}

func TestADryRunChangesNothing(t *testing.T) {
	onStage(t, 2, func(s *stage) {
		leave := s.join("first")
		s.traffic(3)
		s.whole(s.drain(leave))
		before := s.rows()
		c := s.rewinding(checkpoint.TrimHorizon)
		c.dryRun = true
		var out bytes.Buffer
		if err := c.rewind(s.Context(), s.Cloud.AWSConfig("operator"), &out); err != nil {
			t.Fatal(err)
		}
		linesUp(t, "\n\n"+strings.SplitN(out.String(), "\n\n", 2)[0])
		if !strings.HasSuffix(out.String(), "\n2 leases would be moved; nothing was changed\n") {
			t.Error(out.String())
		}
		if _, err := os.Stat(c.backup); err == nil {
			t.Error("a backup was written")
		}
		if diff := cmp.Diff(before, s.rows()); diff != "" {
			t.Errorf("rows were changed: %s", diff)
		}
	})
}

// TestAWorkerThatTakesTheLeaseBetweenReadingAndWriting wins: its counter is another.
func TestAWorkerThatTakesTheLeaseBetweenReadingAndWriting(t *testing.T) {
	onStage(t, 1, func(s *stage) {
		leave := s.join("first")
		s.traffic(3)
		s.whole(s.drain(leave))
		cfg := s.Cloud.AWSConfig("operator")
		c := s.rewinding(checkpoint.TrimHorizon)
		lake, err := openChains(s.Context(), cfg, c.lake, s.Table)
		if err != nil {
			t.Fatal(err)
		}
		row := s.rows()[0]
		re, err := planner{lake: lake, rows: map[string]checkpoint.Row{row.Key: row}}.plan(s.Context(), row)
		if err != nil || re.Stays != "" {
			t.Fatalf("%+v, %v", re, err)
		}

		leave = s.join("second")
		time.Sleep(30 * time.Second)
		taken := s.rows()[0]
		err = c.carryOut(s.Context(), dynamodb.NewFromConfig(cfg), scene.App, []checkpoint.Rewound{re}, new(bytes.Buffer))
		const want = "worker second has taken the lease meanwhile"
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v\nwant one line with %q", err, want)
		}
		if now := s.rows()[0]; now.Checkpoint != taken.Checkpoint || now.Owner != "second" {
			t.Errorf("the row became %+v, it was %+v", now, taken)
		}
		s.traffic(1)
		s.whole(s.drain(leave))
	})
}

func TestRestorePutsBackWhatNobodyChanged(t *testing.T) {
	onStage(t, 3, func(s *stage) {
		leave := s.join("first")
		s.traffic(4)
		s.whole(s.drain(leave))
		before := s.rows()
		c := s.rewinding(checkpoint.TrimHorizon)
		s.mustRewind(c)
		restore := func(dryRun bool) (states []string, err error) {
			var out bytes.Buffer
			err = restoring{backup: c.backup, dryRun: dryRun, json: true}.restore(s.Context(), s.Cloud.AWSConfig("operator"), &out)
			var rows []restoredRow
			if err := json.Unmarshal(out.Bytes(), &rows); err != nil {
				t.Fatalf("%v: %s", err, out.String())
			}
			for _, r := range rows {
				states = append(states, r.State)
			}
			return states, err
		}
		rewound := s.rows()
		if states, err := restore(true); err != nil || !slices.Equal(states, []string{restoredWould, restoredWould, restoredWould}) || cmp.Diff(rewound, s.rows()) != "" {
			t.Errorf("a dry run: %q, %v", states, err)
		}

		// One of them moves on.
		db := dynamodb.NewFromConfig(s.Cloud.AWSConfig("somebody"))
		moved := checkpoint.Rewound{Row: rewound[1], To: before[1].Checkpoint}
		if err := checkpoint.Apply(s.Context(), db, scene.App, moved); err != nil {
			t.Fatal(err)
		}
		states, err := restore(false)
		if err == nil || !strings.Contains(err.Error(), "1 of 3 leases were left alone: shard "+before[1].Key) || strings.Contains(err.Error(), "\n") {
			t.Errorf("the error is %v", err)
		}
		if !slices.Equal(states, []string{restoredBack, restoredLeft, restoredBack}) {
			t.Errorf("states %q", states)
		}
		for i, now := range s.rows() {
			want := before[i]
			want.Counter, want.Switches, want.Owner = now.Counter, 0, ""
			if i != 1 && cmp.Diff(want, now) != "" {
				t.Errorf("not put back: %s", cmp.Diff(want, now))
			}
		}
		s.whole(s.drain(s.join("second")))
	})
}

func TestLeaseRowsRoundTrip(t *testing.T) {
	at := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	for _, cp := range []checkpoint.Checkpoint{{Seq: "123"}, {Sentinel: checkpoint.ShardEnd}, {Sentinel: checkpoint.AtTimestamp, Start: at, Created: at}} {
		want := checkpoint.Row{
			Key: "s", Owner: "o", Holder: "h", Counter: 3, Checkpoint: cp, Switches: 2, Parents: []string{"p"}, Children: []string{"c"},
			ParentGone: true, CurrentTo: at, Gap: "{}", Epoch: 8, OlderTo: at, RowsIn: 4, Stream: "l",
		}
		text, err := json.Marshal(leaseRowOf(want))
		if err != nil {
			t.Fatal(err)
		}
		var back leaseRow
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, back.row()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestCheckpointsAreListedAndShown(t *testing.T) {
	onStage(t, 2, func(s *stage) {
		leave := s.join("first")
		s.traffic(3)
		if err := s.Cloud.RollAll(scene.TableName); err != nil {
			t.Fatal(err)
		}
		s.traffic(3)
		s.whole(s.drain(leave))
		cfg := s.Cloud.AWSConfig("operator")
		list := func(asJSON bool) string {
			var out bytes.Buffer
			if err := (leasing{table: scene.TableName, json: asJSON}).list(s.Context(), cfg, &out); err != nil {
				t.Fatal(err)
			}
			return out.String()
		}
		linesUp(t, "\n\n"+list(false))
		var listed struct {
			App    string
			Leases []leaseRow
		}
		if err := json.Unmarshal([]byte(list(true)), &listed); err != nil || listed.App != scene.App {
			t.Fatalf("%v: %s", err, list(true))
		}
		for i, r := range s.rows() {
			if diff := cmp.Diff(r, listed.Leases[i].row()); diff != "" {
				t.Errorf("%s: %s", r.Key, diff)
			}
			if !strings.Contains(list(false), r.Key) {
				t.Errorf("%s is not listed", r.Key)
			}
		}
		show := func(shard string) string {
			var out bytes.Buffer
			if err := (showing{leasing: leasing{table: scene.TableName}, lake: "s3://" + scene.Bucket, shard: shard}).show(s.Context(), cfg, &out); err != nil {
				t.Fatal(err)
			}
			return out.String()
		}
		ended := s.rows()[0]
		if got := lineOf(t, show(ended.Key), "files"); ended.Checkpoint.Sentinel != checkpoint.ShardEnd || got != "all of the shard is in the lake" {
			t.Errorf("an ended shard: %s", show(ended.Key))
		}
		open := s.busy(2)[0]
		text := show(open)
		linesUp(t, text)
		if got := lineOf(t, text, "files"); got != "the files end at the checkpoint" {
			t.Errorf("an open shard: %s", text)
		}
		s.lose(open, 1)
		if got := lineOf(t, show(open), "files"); !strings.HasPrefix(got, "the checkpoint LEADS") {
			t.Errorf("a shard whose last file is gone: %s", got)
		}
		err := showing{leasing: leasing{table: scene.TableName}, shard: "nonesuch"}.show(s.Context(), cfg, new(bytes.Buffer))
		if err == nil || !strings.Contains(err.Error(), `there is no lease of shard "nonesuch"`) {
			t.Errorf("a shard that is not there: %v", err)
		}
	})
}

func TestPositionsOfARewind(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string // a part of what is wrong
	}{
		{[]string{"--to=TRIM_HORIZON"}, ""},
		{[]string{"--to=2026-11-23T08:00:00Z"}, ""},
		{[]string{"--to=100000000000000000001", "--shard=s"}, ""},
		{[]string{"--to=100000000000000000001"}, "needs --shard"},
		{[]string{"--to=LATEST"}, "want TRIM_HORIZON, a sequence number, or a time"},
		{[]string{"--to=0", "--shard=s"}, "want TRIM_HORIZON, a sequence number, or a time"},
		{nil, "--to (DYNAMOLAKE_TO) is required"},
	} {
		s := newSettings("checkpoint rewind", "")
		checkpointRewindCommand(s)
		err := s.read(append([]string{"--table=orders", "--lake=s3://b"}, c.args...), nil)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.args, err, c.want)
		}
	}
}
