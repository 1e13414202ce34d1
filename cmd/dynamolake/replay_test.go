package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/lakecheck"
	"dynamolake/internal/scene"
	"dynamolake/transform"
	"dynamolake/writer"
)

// placeOf is where a replay of the scene's table writes.
func (s *stage) placeOf(into string) string {
	return writer.PlacePrefix(s.Table.Account, s.Table.Region, s.Table.Name, into)
}

// command runs a command as a client of the simulator.
func (s *stage) command(ctx context.Context, client string, args ...string) (code int, out, errs string) {
	var stdout, stderr bytes.Buffer
	env := []string{"DYNAMOLAKE_TABLE=" + scene.TableName, "DYNAMOLAKE_LAKE=s3://" + scene.Bucket}
	code = run(context.WithValue(ctx, awsKey{}, s.Cloud.AWSConfig(client)), args, env, streams{out: &stdout, err: &stderr})
	return code, stdout.String(), stderr.String()
}

// replay runs one to its end, which must be a proof.
func (s *stage) replay(args ...string) (r replayed) {
	s.Helper()
	code, out, errs := s.command(s.Context(), "replay", append([]string{"replay", "--output=json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &r); code != 0 || err != nil {
		s.Fatalf("replay %q: exit code %d, %v\n%s%s", args, code, err, out, errs)
	}
	if !r.Verify.Proven {
		s.Errorf("replay %q: %+v", args, r.Verify.Doubts)
	}
	return r
}

// strangers watches what clients that are named so change outside of the places of replays. It is called
// before the load begins.
func (s *stage) strangers(client string) (touched func() []string) {
	var mu sync.Mutex
	var found []string
	s.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
		if !strings.HasPrefix(call.Client, client) {
			return awssim.Fault{}
		}
		ours := true
		switch call.Operation {
		case "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "CreateTable", "DeleteTable", "UpdateTable":
			ours = strings.HasPrefix(call.Target, scene.App+"-replay-")
		case "PutObject", "DeleteObject", "DeleteObjects", "CreateMultipartUpload", "CompleteMultipartUpload", "UploadPart":
			ours = strings.Contains(call.Target, "/"+scene.TableName+"~") || strings.Contains(call.Target, scene.Bucket+"/_ledger/probe/")
		case "UpdateContinuousBackups", "ExportTableToPointInTime":
			ours = false
		}
		if !ours {
			mu.Lock()
			defer mu.Unlock()
			found = append(found, call.Operation+" "+call.Target)
		}
		return awssim.Fault{}
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return found
	}
}

// since are the records that a replay must have: of those that it wants, all that were made before it was begun, and those
// after that which it has come to in the shard.
func (s *stage) since(lake *lakecheck.Lake, begun time.Time, wants func(awssim.Record) bool) (journal []lakecheck.Record) {
	s.Helper()
	tips := map[string]transform.Seq{}
	for _, o := range lake.Objects {
		for i := range o.Rows {
			if seq := o.Rows[i].Seq; seq.Compare(tips[o.Rows[i].Shard]) > 0 {
				tips[o.Rows[i].Shard] = seq
			}
		}
	}
	for _, r := range s.Cloud.Journal(scene.TableName) {
		seq, err := transform.ParseSeq(r.Seq)
		if err != nil {
			s.Fatal(err)
		}
		if wants(r) && (r.Created.Before(begun) || seq.Compare(tips[r.Shard]) <= 0) {
			journal = append(journal, lakecheck.Record{
				Shard: r.Shard, Seq: r.Seq, EventID: r.EventID, Op: r.Event, KeyJSON: r.Key, NewJSON: r.New, OldJSON: r.Old, At: r.Created,
			})
		}
	}
	if len(journal) == 0 {
		s.Error("the replay had nothing to read: the test shows nothing")
	}
	return journal
}

// exactly holds a place against the journal from what it wants on.
func (s *stage) exactly(into string, begun time.Time, wants func(awssim.Record) bool) lakecheck.Report {
	s.Helper()
	lake, err := lakecheck.Read(s.Context(), s.Store("observer"), s.placeOf(into))
	if err != nil {
		s.Fatal(err)
	}
	report := lakecheck.Truth{Journal: s.since(lake, begun, wants)}.Check(lake)
	s.whole(report)
	return report
}

func from(at time.Time) func(awssim.Record) bool {
	return func(r awssim.Record) bool { return !r.Created.Truncate(time.Second).Before(at.Truncate(time.Second)) }
}

// load writes until it is stopped.
func (s *stage) load() (stop func()) {
	ctx, cancel := context.WithCancel(s.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		author := s.Author(99, 50)
		for ctx.Err() == nil {
			if err := author.Step(ctx); err != nil && ctx.Err() == nil {
				s.Error(err)
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	return func() { cancel(); <-done }
}

// TestAReplayBesideTheLiveFleetDisturbsNothing runs one from each kind of beginning while the table is written to.
func TestAReplayBesideTheLiveFleetDisturbsNothing(t *testing.T) {
	onStage(t, 3, func(s *stage) {
		touched := s.strangers("replay")
		leaveA, leaveB := s.join("first"), s.join("second")
		s.traffic(3)
		time.Sleep(20 * time.Second)
		middle := time.Now()
		positions := filepath.Join(t.TempDir(), "leases.json")
		_, listed, _ := s.command(s.Context(), "operator", "checkpoint", "list", "--json")
		if err := os.WriteFile(positions, []byte(listed), 0o644); err != nil {
			t.Fatal(err)
		}
		at := map[string]transform.Seq{}
		for _, r := range s.rows() {
			at[r.Key], _ = transform.ParseSeq(r.Checkpoint.Seq)
		}
		stop := s.load()
		time.Sleep(10 * time.Second)
		if err := s.Cloud.RollAll(scene.TableName); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		open := s.busy(0)[0]
		for _, c := range []struct {
			into, flag string
			wants      func(awssim.Record) bool
		}{
			{"middle", "--from=" + middle.UTC().Format(time.RFC3339), from(middle)},
			{"all", "--from=TRIM_HORIZON", from(time.Time{})},
			{"saved", "--from-checkpoint=" + positions, func(r awssim.Record) bool {
				seq, _ := transform.ParseSeq(r.Seq)
				return seq.Compare(at[r.Shard]) > 0
			}},
			{"one", "--from=TRIM_HORIZON --shard=" + open, func(r awssim.Record) bool { return r.Shard == open }},
		} {
			begun := time.Now()
			r := s.replay(append(strings.Fields(c.flag), "--into="+c.into)...)
			report := s.exactly(c.into, begun, c.wants)
			if int64(report.Changes) != r.Rows || r.Rows == 0 || len(r.Gaps) != 0 {
				t.Errorf("%s: %d changes, and it counts %d and %d gaps", c.into, report.Changes, r.Rows, len(r.Gaps))
			}
			if code, out, errs := s.command(s.Context(), "operator", "verify", "--changes-only", "--depth=rows", "--into="+c.into); code != 0 {
				t.Errorf("verify --into=%s: exit code %d\n%s%s", c.into, code, out, errs)
			}
			if code, out, errs := s.command(s.Context(), "operator", "status", "--into="+c.into); code != 0 || !strings.Contains(out, fleetOver) || c.into == "all" && !strings.Contains(out, "whole") {
				t.Errorf("status --into=%s: exit code %d\n%s%s", c.into, code, out, errs)
			}
		}
		stop()
		leaveA()
		s.whole(s.drain(leaveB))
		if list := touched(); len(list) > 0 {
			t.Errorf("replays touched what is not theirs: %q", list)
		}
		for _, r := range s.rows() {
			if strings.Contains(r.Owner, "replay") || r.Owner != "" && r.Owner != "first" && r.Owner != "second" {
				t.Errorf("lease row %s is of %s", r.Key, r.Owner)
			}
		}
		if l, err := s.Ledger("observer").Read(s.Context()); err != nil || len(l.Epochs) != 1 || len(l.Gaps) != 0 {
			t.Errorf("the live ledger is %+v, %v", l, err)
		}
		for into := range map[string]bool{"middle": true, "all": true} {
			if code, _, errs := s.command(s.Context(), "operator", "checkpoint", "list", "--app="+scene.App+"-replay-"+into); code != 1 || !strings.Contains(errs, "there is no lease table") {
				t.Errorf("the lease table of replay %s: exit code %d, %s", into, code, errs)
			}
		}
	})
}

// TestAReplayThatIsKilledGoesOn kills it at any moment, up to three times.
func TestAReplayThatIsKilledGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	half := 0
	for seed := range uint64(6) {
		onStage(t, 2, func(s *stage) {
			rng := rand.New(rand.NewPCG(seed, 3))
			touched := s.strangers("replay")
			leave := s.join("first")
			s.traffic(4)
			if err := s.Cloud.RollAll(scene.TableName); err != nil {
				t.Fatal(err)
			}
			stop := s.load()
			begun := time.Now()
			for life := range 1 + rng.IntN(3) {
				name := fmt.Sprintf("replay-%d", life)
				ctx, cancel := context.WithCancel(s.Context())
				ended := make(chan string, 1)
				go func() {
					code, out, errs := s.command(ctx, name, "replay", "--from=TRIM_HORIZON", "--into=again")
					if code == 0 {
						errs = ""
					}
					ended <- errs + out
				}()
				time.Sleep(time.Duration(1+rng.IntN(25)) * time.Second)
				uncut := s.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
					if call.Client == name {
						return awssim.Fault{Status: 503, Code: "ServiceUnavailable"}
					}
					return awssim.Fault{}
				})
				cancel()
				<-ended
				uncut()
			}
			lake, err := lakecheck.Read(s.Context(), s.Store("observer"), s.placeOf("again"))
			if err != nil {
				t.Fatal(err)
			}
			if lake.Rows() > 0 {
				half++
			}
			s.replay("--from=TRIM_HORIZON", "--into=again")
			s.exactly("again", begun, from(time.Time{}))
			before := s.Cloud.Counts()
			again := s.replay("--from=TRIM_HORIZON", "--into=again")
			for key, count := range s.Cloud.Counts() {
				if key.Operation == "GetRecords" && strings.Contains(fmt.Sprint(key), "replay") && count != before[key] {
					t.Errorf("a replay that is done was read again: %v", key)
				}
			}
			if again.Rows == 0 {
				t.Error("a replay that is done counts nothing")
			}
			stop()
			s.whole(s.drain(leave))
			if list := touched(); len(list) > 0 {
				t.Errorf("replays touched what is not theirs: %q", list)
			}
			if t.Failed() {
				t.Logf("seed %d", seed)
			}
		})
	}
	if half == 0 {
		t.Error("no replay was killed after its first file: the test shows nothing")
	}
}

// TestALossOfAReplayIsItsOwn starts behind what the stream has trimmed.
func TestALossOfAReplayIsItsOwn(t *testing.T) {
	onStage(t, 1, func(s *stage) {
		leave := s.join("first")
		s.traffic(3)
		time.Sleep(20 * time.Second)
		positions := filepath.Join(t.TempDir(), "leases.json")
		_, listed, _ := s.command(s.Context(), "operator", "checkpoint", "list", "--json")
		if err := os.WriteFile(positions, []byte(listed), 0o644); err != nil {
			t.Fatal(err)
		}
		s.traffic(4)
		if err := s.Await(s.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
		if err := s.Cloud.TrimBefore(scene.TableName, time.Now().Add(-2*time.Second)); err != nil {
			t.Fatal(err)
		}
		code, out, errs := s.command(s.Context(), "replay", "replay", "--from-checkpoint="+positions, "--into=late", "--output=json", "--log-level=error")
		var r replayed
		if err := json.Unmarshal([]byte(out), &r); code != 1 || err != nil || len(r.Gaps) == 0 || r.Verify.Proven || !strings.Contains(errs, "NOT proven") {
			t.Errorf("exit code %d, %v, %d gaps: %s%s", code, err, len(r.Gaps), out, errs)
		}
		if l, err := s.Ledger("observer").Read(s.Context()); err != nil || len(l.Gaps) != 0 {
			t.Errorf("the live ledger has gaps: %+v, %v", l.Gaps, err)
		}
		if gaps, err := consumer.Gaps(s.Context(), s.Store("observer"), s.Prefix()); err != nil || len(gaps) != 0 {
			t.Errorf("the live lake has gaps: %+v, %v", gaps, err)
		}
		s.whole(s.drain(leave))
	})
}

func TestAReplayIsRefused(t *testing.T) {
	onStage(t, 1, func(s *stage) {
		leave := s.join("first")
		s.traffic(1)
		s.replay("--from=TRIM_HORIZON", "--into=taken")
		bad := filepath.Join(t.TempDir(), "bad.json")
		if err := os.WriteFile(bad, []byte("{}"), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			args []string
			want string
			code int
		}{
			{[]string{"--into=x"}, "nothing to replay", 2},
			{[]string{"--from=TRIM_HORIZON"}, "--into (DYNAMOLAKE_INTO) is required", 2},
			{[]string{"--into=a/b", "--from=TRIM_HORIZON"}, "want up to 64 letters", 2},
			{[]string{"--into=x", "--from=yesterday"}, "want TRIM_HORIZON, or a time", 2},
			{[]string{"--into=x", "--rejects", "--from=TRIM_HORIZON"}, "give one of them", 2},
			{[]string{"--into=x", "--rejects", "--shard=s"}, "needs --from or --from-checkpoint", 2},
			{[]string{"--into=x", "--window=2026-01-01T00:00:00Z"}, "want <from>_<to>", 2},
			{[]string{"--into=x", "--from=1999-12-30T00:00:00Z"}, "the stream keeps its records for 24h0m0s only", 1},
			{[]string{"--into=x", "--from=TRIM_HORIZON", "--shard=none"}, `the stream has no shard "none"`, 1},
			{[]string{"--into=x", "--from-checkpoint=" + bad}, "it has no checkpoints", 1},
			{[]string{"--into=x", "--export=0-none"}, "the lake has no record of an export 0-none", 1},
			{[]string{"--into=x", "--window=2026-01-01T00:00:00Z_2026-01-01T01:00:00Z"}, "the lake has no window from 2026-01-01 00:00:00 to 2026-01-01 01:00:00", 1},
			{[]string{"--into=taken", "--rejects"}, "the place taken has something else already, of the stream from its oldest record; give another --into", 1},
		} {
			code, out, errs := s.command(s.Context(), "operator", append([]string{"replay", "--log-level=error"}, c.args...)...)
			if code != c.code || out != "" || !strings.Contains(errs, c.want) || strings.Count(errs, "\n") != 2*c.code-1 {
				t.Errorf("%q: exit code %d, stdout %q, stderr %q\nwant exit code %d and a line with %q", c.args, code, out, errs, c.code, c.want)
			}
		}
		leave()
	})
}
