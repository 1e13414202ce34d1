package fleet

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"
	"dynamolake/internal/scene"
)

// stage is two workers in virtual time and a watcher of them.
type stage struct {
	*scene.Scene
	watcher *Watcher
	calls   map[string]int // of the watcher, by operation and target
}

func onStage(t *testing.T, story func(*testing.T, *stage)) {
	t.Helper()
	bubble.Run(t, func(t *testing.T) {
		s, err := scene.Open(t.Context(), awssim.New(awssim.Config{}), 2)
		if err != nil {
			t.Fatal(err)
		}
		st := &stage{Scene: s, calls: map[string]int{}}
		s.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			if call.Client == "observer" {
				st.calls[call.Operation+" "+call.Target]++
			}
			return awssim.Fault{}
		})
		st.watcher = NewWatcher(Place{
			DynamoDB: dynamodb.NewFromConfig(s.Cloud.AWSConfig("observer")), Table: s.Table, App: scene.App,
			Store: s.Store("observer"), Ledger: s.Ledger("observer"),
		})
		story(t, st)
	})
}

// start runs a worker; kill ends it without a hand-over.
func (s *stage) start(t *testing.T, name string) (kill func()) {
	o := s.Worker(name, zap.NewNop())
	o.Registerer, o.Settle = prometheus.NewRegistry(), time.Second
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := consumer.Run(ctx, o); err != nil {
			t.Logf("%s: %v", name, err)
		}
	}()
	return func() {
		remove := s.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			if call.Client == name {
				return awssim.Fault{Status: 503, Code: "ServiceUnavailable"}
			}
			return awssim.Fault{}
		})
		defer remove()
		cancel()
		<-done
	}
}

func (s *stage) report(t *testing.T) Report {
	t.Helper()
	r, err := s.watcher.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestALaterReportTakesOneLook(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage) {
		defer s.start(t, "one")()
		kill := s.start(t, "two")
		time.Sleep(30 * time.Second)
		began := time.Now()
		if r := s.report(t); r.Fleet != Alive || len(r.Workers) != 2 || r.Workers[0].State != WorkerReading || r.Workers[1].State != WorkerReading {
			t.Errorf("%+v", r)
		}
		if took := time.Since(began); took < firstLook || took > patience {
			t.Errorf("the first look took %v", took)
		}
		for range 5 {
			time.Sleep(5 * time.Second)
			clear(s.calls)
			began := time.Now()
			if r := s.report(t); r.Workers[0].State != WorkerReading || r.Workers[1].State != WorkerReading {
				t.Errorf("%+v", r.Workers)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("a later look took %v", took)
			}
			if n := s.calls["Scan "+scene.App]; n != 1 {
				t.Errorf("%d scans of the lease table for one report", n)
			}
		}
		kill()
		time.Sleep(20 * time.Second)
		if r := s.report(t); r.Workers[0].State != WorkerReading || r.Workers[1].State != WorkerDead {
			t.Errorf("after one died: %+v", r.Workers)
		}
		time.Sleep(5 * time.Second)
		clear(s.calls)
		if r := s.report(t); r.Workers[1].State != WorkerDead || s.calls["Scan "+scene.App] != 1 {
			t.Errorf("a dead worker: %+v, calls %v", r.Workers, s.calls)
		}
		time.Sleep(time.Hour)
		if r := s.report(t); r.Fleet != Alive || r.Workers[0].State != WorkerReading {
			t.Errorf("after an hour without a look: %+v", r)
		}
	})
}

func TestLossesAreReadOnceAMinute(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage) {
		defer s.start(t, "one")()
		time.Sleep(30 * time.Second)
		s.report(t)
		listed := func() int { return s.calls["ListObjectsV2 "+scene.Bucket] }
		if n := listed(); n != 1 {
			t.Fatalf("the losses were listed %d times: %v", n, s.calls)
		}
		for range 5 {
			time.Sleep(5 * time.Second)
			s.report(t)
		}
		if n := listed(); n != 1 {
			t.Errorf("within a minute they were listed %d times", n)
		}
		time.Sleep(time.Minute)
		s.report(t)
		if n := listed(); n != 2 {
			t.Errorf("after a minute they were listed %d times", n)
		}
	})
}

func TestWithoutAFleetThereIsNoReport(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage) {
		if _, err := s.watcher.Report(t.Context()); !errors.Is(err, ErrNone) {
			t.Errorf("error %v", err)
		}
	})
}

func TestABeatIsComparedWithALookThatIsOldEnough(t *testing.T) {
	start := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	at := func(s int, beats map[string]beat) look {
		return look{at: start.Add(time.Duration(s) * time.Second), beats: beats}
	}
	still, one, two := beat{"p", 7}, beat{"p", 1}, beat{"p", 2}
	for _, c := range []struct {
		name   string
		before []look
		now    look
		alive  string
	}{
		{"it moved", []look{at(0, map[string]beat{"w": one})}, at(2, map[string]beat{"w": two}), "w"},
		{"it stands", []look{at(0, map[string]beat{"w": still})}, at(2, map[string]beat{"w": still}), ""},
		{"another process took up the name", []look{at(0, map[string]beat{"w": {"p", 7}})}, at(2, map[string]beat{"w": {"q", 7}}), "w"},
		{"it is new", []look{at(0, nil)}, at(2, map[string]beat{"w": one}), "w"},
		{"it moved a minute ago and stands now", []look{at(0, map[string]beat{"w": one}), at(40, map[string]beat{"w": two})}, at(55, map[string]beat{"w": two}), ""},
		{"a look of a second ago is too young to say that it stands", []look{at(0, map[string]beat{"w": one}), at(11, map[string]beat{"w": two})}, at(12, map[string]beat{"w": two}), "w"},
	} {
		t.Run(c.name, func(t *testing.T) {
			alive := ""
			for id := range moved(c.before, c.now) {
				alive += id
			}
			if alive != c.alive {
				t.Errorf("alive %q, want %q", alive, c.alive)
			}
		})
	}
	var looks []look
	for s := 0; s < 60; s += 5 {
		looks = recent(append(looks, at(s, nil)))
	}
	if n := len(looks); n != 3 || looks[2].at.Sub(looks[0].at) < settled {
		t.Errorf("%d looks are remembered: %v", n, looks)
	}
}
