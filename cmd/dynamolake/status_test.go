package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"
	"dynamolake/internal/fleet"
	"dynamolake/internal/scene"
)

// stage is a fleet in virtual time that status looks at.
type stage struct {
	*testing.T
	*scene.Scene
	stop []func()
}

func onStage(t *testing.T, shards int, story func(*stage)) {
	t.Helper()
	bubble.Run(t, func(t *testing.T) {
		cloud := awssim.New(awssim.Config{Latency: func(*awssim.Call) time.Duration { return 5 * time.Millisecond }})
		s, err := scene.Open(t.Context(), cloud, shards)
		if err != nil {
			t.Fatal(err)
		}
		st := &stage{T: t, Scene: s}
		defer func() {
			for _, stop := range st.stop {
				stop()
			}
		}()
		story(st)
	})
}

// start runs a worker; the returned func kills it: nothing more comes from it, and
// it hands nothing over.
func (s *stage) start(name string, onGap consumer.GapPolicy) (kill func()) {
	o := s.Worker(name, zap.NewNop())
	o.Limits.Age, o.Settle, o.OnGap, o.Registerer = time.Second, time.Second, onGap, prometheus.NewRegistry()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := consumer.Run(ctx, o); err != nil {
			s.Logf("%s: %v", name, err)
		}
	}()
	s.stop = append(s.stop, func() { cancel(); <-done })
	return func() {
		s.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			if call.Client == name {
				return awssim.Fault{Status: 503, Code: "ServiceUnavailable"}
			}
			return awssim.Fault{}
		})
		cancel()
		<-done
	}
}

// write makes so many requests to the table.
func (s *stage) write(requests int) {
	s.Helper()
	author := s.Author(1, 50)
	for range requests {
		if err := author.Step(s.Context()); err != nil {
			s.Fatal(err)
		}
	}
}

func (s *stage) status(change func(*inspecting)) string {
	s.Helper()
	c := inspecting{table: scene.TableName, lake: "s3://" + scene.Bucket, output: "text"}
	if change != nil {
		change(&c)
	}
	var out bytes.Buffer
	if err := c.run(s.Context(), s.Cloud.AWSConfig("observer"), &out); err != nil {
		s.Fatal(err)
	}
	return out.String()
}

func (s *stage) statusJSON() fleet.Report {
	s.Helper()
	text := s.status(func(c *inspecting) { c.output = "json" })
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	var r fleet.Report
	if err := d.Decode(&r); err != nil || strings.Count(text, "\n") != 1 {
		s.Fatalf("not one line of JSON: %v\n%s", err, text)
	}
	return r
}

// lineOf is what a line "name  value" says.
func lineOf(t *testing.T, text, name string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + name + ` +(.*)$`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no line %q:\n%s", name, text)
	}
	return m[1]
}

func TestStatusOfALiveFleet(t *testing.T) {
	onStage(t, 3, func(s *stage) {
		s.start("worker-1", consumer.GapStop)
		s.start("a-worker-with-a-long-name", consumer.GapStop)
		s.write(100)
		time.Sleep(time.Minute)
		began := time.Now()
		text := s.status(nil)
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("it took %v to see that all are alive", took)
		}
		for name, want := range map[string]string{
			"table": "orders", "stream": s.Table.StreamARN, "fleet": "alive", "gaps": "0 recorded",
			"shards": "3 reading, 0 free, 0 waiting for their parent, 0 halted, 0 ended",
		} {
			if got := lineOf(t, text, name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if strings.Contains(text, "\nSHARD") || strings.Contains(text, "\nGAP") {
			t.Errorf("nothing is wrong, and shards are listed:\n%s", text)
		}
		linesUp(t, text)
		if all := s.status(func(c *inspecting) { c.shards = true }); strings.Count(all, "shardId-") != 3 {
			t.Errorf("--shards does not show three:\n%s", all)
		} else {
			linesUp(t, all)
		}
		r := s.statusJSON()
		if r.Fleet != fleet.Alive || r.Reading != 3 || len(r.Workers) != 2 || len(r.Shards) != 3 || r.Gaps == nil {
			t.Errorf("%+v", r)
		}
		if r.Lag < 0 || r.Lag > 40 || r.Headroom != ledger.RealTiming().Retention.Seconds()-r.Lag {
			t.Errorf("lag %v, headroom %v", r.Lag, r.Headroom)
		}
		for _, w := range r.Workers {
			if w.State != fleet.WorkerReading || w.Shards == 0 || time.Since(w.Beat) > 5*time.Second {
				t.Errorf("%+v", w)
			}
		}
	})
}

// linesUp fails unless the columns of each table begin where their header does.
func linesUp(t *testing.T, text string) {
	t.Helper()
	for _, table := range strings.Split(text, "\n\n")[1:] {
		lines := strings.Split(strings.TrimRight(table, "\n"), "\n")
		starts := regexp.MustCompile(`\S+( \S+)*`).FindAllStringIndex(lines[0], -1)
		for _, line := range lines[1:] {
			for _, s := range starts {
				if s[0] >= len(line) || line[s[0]] == ' ' || s[0] > 0 && line[s[0]-1] != ' ' {
					t.Errorf("a column does not line up:\n%s\n%s", lines[0], line)
					break
				}
			}
		}
	}
}

// TestADeadFleetNeverLooksAlive: its leases have owners, its tables are as it
// left them, and nothing moves.
func TestADeadFleetNeverLooksAlive(t *testing.T) {
	onStage(t, 2, func(s *stage) {
		kill := []func(){s.start("worker-1", consumer.GapStop), s.start("worker-2", consumer.GapStop)}
		s.write(100)
		time.Sleep(30 * time.Second)
		for _, k := range kill {
			k()
		}
		s.write(100)
		for _, c := range []struct {
			sleep    time.Duration
			lag      string
			headroom string
		}{
			{10 * time.Second, "[1-4][0-9]s", "(23h59m|24h0m) until"},
			{3 * time.Hour, "3h[0-2]m", "20h5[0-9]m until"},
			{22 * time.Hour, "25h[0-2]m", "NONE: the stream may have dropped"},
			{75 * time.Hour, "4d4h", "NONE: the stream may have dropped"},
		} {
			time.Sleep(c.sleep)
			text := s.status(nil)
			if got := lineOf(t, text, "fleet"); got != fleet.Dead {
				t.Errorf("after %v the fleet is %q", c.sleep, got)
			}
			if got := lineOf(t, text, "lag"); !regexp.MustCompile("^(" + c.lag + ")$").MatchString(got) {
				t.Errorf("lag %q, want %s", got, c.lag)
			}
			if got := lineOf(t, text, "headroom"); !regexp.MustCompile("^" + c.headroom).MatchString(got) {
				t.Errorf("headroom %q, want %s", got, c.headroom)
			}
			if got := lineOf(t, text, "shards"); !strings.HasPrefix(got, "0 reading, 2 free") {
				t.Errorf("shards: %s", got)
			}
			if n := strings.Count(text, fleet.WorkerDead); n != 2 {
				t.Errorf("%d workers without a beat, want 2:\n%s", n, text)
			}
			linesUp(t, text)
		}
		r := s.statusJSON()
		for _, w := range r.Workers {
			if w.State != fleet.WorkerDead || time.Since(w.Beat) < 100*time.Hour || w.Lag < (100*time.Hour).Seconds() {
				t.Errorf("%+v", w)
			}
		}
	})
}

// TestAFleetThatNeverReadLags: without anything durable its lag counts from the
// leases' birth.
func TestAFleetThatNeverReadLags(t *testing.T) {
	onStage(t, 1, func(s *stage) {
		s.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			if call.Operation == "GetRecords" {
				return awssim.Fault{Status: 400, Code: "LimitExceededException"}
			}
			return awssim.Fault{}
		})
		s.start("worker-1", consumer.GapStop)
		time.Sleep(time.Hour)
		if r := s.statusJSON(); r.Fleet != fleet.Alive || r.Lag < 3500 {
			t.Errorf("fleet %s, lag %v s after an hour without a record", r.Fleet, r.Lag)
		}
	})
}

func TestOneDeadWorkerIsShownBesideTheLiving(t *testing.T) {
	onStage(t, 2, func(s *stage) {
		kill := s.start("worker-1", consumer.GapStop)
		s.start("worker-2", consumer.GapStop)
		s.write(50)
		time.Sleep(30 * time.Second)
		kill()
		time.Sleep(time.Minute)
		r := s.statusJSON()
		if r.Fleet != fleet.Alive || r.Reading != 2 || len(r.Workers) != 2 || r.Workers[0].State != fleet.WorkerDead || r.Workers[0].Shards != 0 || r.Workers[1].State != fleet.WorkerReading {
			t.Errorf("%+v", r)
		}
	})
}

func TestAHaltedShardIsShownWithItsGap(t *testing.T) {
	onStage(t, 1, func(s *stage) {
		kill := s.start("worker-1", consumer.GapStop)
		s.write(50)
		time.Sleep(10 * time.Second)
		kill()
		s.write(50)
		time.Sleep(30 * time.Hour)
		s.start("worker-2", consumer.GapStop)
		time.Sleep(2 * time.Minute)
		shard := s.Cloud.Shards(scene.TableName)[0].ID
		text := s.status(nil)
		if got := lineOf(t, text, "fleet"); got != fleet.Halted {
			t.Errorf("the fleet is %q", got)
		}
		if got := lineOf(t, text, "gaps"); got != "1 recorded" {
			t.Errorf("gaps: %s", got)
		}
		if got := lineOf(t, text, "lag"); !strings.HasPrefix(got, "30h") {
			t.Errorf("lag: %s", got)
		}
		line := regexp.MustCompile(`(?m)^`+shard+` .*$`).FindAllString(text, -1)
		if len(line) != 2 || !strings.Contains(line[0], "halted at a gap  worker-2") || !strings.HasSuffix(line[1], "stop    the position is older than the stream keeps") {
			t.Errorf("want the shard and its gap, got %q in\n%s", line, text)
		}
		linesUp(t, text)
		if r := s.statusJSON(); r.Halted != 1 || len(r.Gaps) != 1 || r.Gaps[0].Shard != shard || r.Gaps[0].After == "" {
			t.Errorf("%+v", r)
		}
	})
}

func TestStatusWithoutAFleetSaysSo(t *testing.T) {
	onStage(t, 1, func(s *stage) {
		c := inspecting{table: scene.TableName, output: "text"}
		err := c.run(s.Context(), s.Cloud.AWSConfig("observer"), new(bytes.Buffer))
		if err == nil || !strings.Contains(err.Error(), `there is no lease table "dynamolake-orders": no worker was ever started`) {
			t.Errorf("got %v", err)
		}
	})
}

// TestALakeWithoutALeaseTableHasNoDeadFleet whether it is of exports alone, or the fleet has another --app.
func TestALakeWithoutALeaseTableHasNoDeadFleet(t *testing.T) {
	onStage(t, 1, func(s *stage) {
		s.write(20)
		s.must("author", "bootstrap", "--enable", "--no-stream")
		const none = `none: there is no lease table "%s": no worker was ever started on this table, or with another --app`
		if got, want := lineOf(t, s.status(nil), "fleet"), fmt.Sprintf(none, "dynamolake-orders"); got != want {
			t.Errorf("of exports alone: %s", got)
		}
		s.start("worker-1", consumer.GapStop)
		time.Sleep(time.Minute)
		if got := s.statusJSON().Fleet; got != fleet.Alive {
			t.Errorf("with a fleet: %s", got)
		}
		text := s.status(func(c *inspecting) { c.app = "dynamolake" })
		if got, want := lineOf(t, text, "fleet"), fmt.Sprintf(none, "dynamolake"); got != want {
			t.Errorf("with another --app: %s", got)
		}
	})
}
