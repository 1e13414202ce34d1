package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/scene"
)

const fleetOfSeveral = "dynamolake"

func (s *stage) moving() moving {
	return moving{place: place{table: scene.TableName, lake: "s3://" + scene.Bucket, state: stateLake}, to: fleetOfSeveral}
}

// moveReport is what checkpoint move --json prints.
type moveReport struct {
	App, To string
	DryRun  bool `json:"dry_run"`
	New     int
	Alive   []string
	Leases  []leaseRow
}

func (s *stage) move(c moving) (r moveReport, err error) {
	s.Helper()
	c.json = true
	var out bytes.Buffer
	if err := c.move(s.Context(), s.Cloud.AWSConfig("operator"), &out); err != nil {
		return r, err
	}
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		s.Fatal(err)
	}
	return r, nil
}

// refusedWorker starts a worker that must not read, and returns why it does not.
func (s *stage) refusedWorker(of *scene.Scene, many bool) string {
	s.Helper()
	o := of.Worker("refused", zap.NewNop())
	o.Many, o.Registerer = many, prometheus.NewRegistry()
	err := consumer.Run(s.Context(), o)
	if err == nil {
		s.Fatal("the worker was not refused")
	}
	return err.Error()
}

// TestPositionsMoveToAFleetOfSeveral: a day and a half after a fleet of one began, a fleet of several goes on exactly where it was. Its
// own lease table knows nothing: without the move it would call all that the stream forgot a gap.
func TestPositionsMoveToAFleetOfSeveral(t *testing.T) {
	onStage(t, 3, func(s *stage) {
		leave := s.join("first")
		s.traffic(3)
		s.whole(s.drain(leave))
		time.Sleep(18 * time.Hour)
		leave = s.join("first")
		if err := s.Cloud.RollAll(scene.TableName); err != nil {
			s.Fatal(err)
		}
		s.traffic(3)
		time.Sleep(20 * time.Second)
		if _, err := s.move(s.moving()); err == nil || !strings.Contains(err.Error(), "worker first holds shard") {
			s.Errorf("a move while the fleet lives: %v", err)
		}
		early := s.moving()
		early.dryRun = true
		if plan, err := s.move(early); err != nil || len(plan.Leases) != 6 || len(plan.Alive) != 1 || plan.Alive[0] != "first" {
			s.Errorf("a plan while the fleet lives: %+v, %v", plan, err)
		}
		var told strings.Builder
		if err := early.move(s.Context(), s.Cloud.AWSConfig("operator"), &told); err != nil || !strings.HasSuffix(told.String(), " Nothing was changed.\nfirst is alive: stop the fleet before the real run\n") {
			s.Errorf("%v\n%s", err, &told)
		}
		s.whole(s.drain(leave))
		s.traffic(2) // what the other is to find
		time.Sleep(18 * time.Hour)

		there := s.In(fleetOfSeveral)
		refused := s.refusedWorker(there, true)
		for _, want := range []string{"by the fleet of lease table dynamolake-orders, and this one's is dynamolake;", "dynamolake checkpoint move --table=orders --app=dynamolake-orders --to=dynamolake"} {
			if !strings.Contains(refused, want) {
				s.Errorf("before the move: %s\nwant %s", refused, want)
			}
		}
		c := s.moving()
		c.dryRun = true
		planned, err := s.move(c)
		if err != nil {
			s.Fatal(err)
		}
		if table, err := there.Leases(s.Context()); err == nil {
			s.Errorf("a dry run made %+v", table)
		}
		var text strings.Builder
		if err := c.move(s.Context(), s.Cloud.AWSConfig("operator"), &text); err != nil || !strings.HasPrefix(text.String(), "SHARD ") ||
			!strings.HasSuffix(text.String(), "\n\n6 positions would be in dynamolake, 6 of them new. Nothing was changed.\n") {
			s.Errorf("%v\n%s", err, &text)
		}
		done, err := s.move(s.moving())
		if err != nil {
			s.Fatal(err)
		}
		if len(done.Leases) != len(s.rows()) || done.New != len(done.Leases) || planned.New != done.New {
			s.Errorf("planned %+v, moved %+v of %d rows", planned, done, len(s.rows()))
		}
		if text := s.refusedWorker(s.Scene, false); !strings.Contains(text, "by the fleet of lease table dynamolake, and this one's is dynamolake-orders") {
			s.Errorf("a worker of the old fleet: %s", text)
		}
		if again, err := s.move(s.moving()); err != nil || again.New != 0 {
			s.Errorf("again: %+v, %v", again, err)
		}

		s.Scene = there
		leave = s.joinMany("second")
		s.traffic(2)
		s.whole(s.drain(leave))
		l, err := s.Ledger("observer").Read(s.Context())
		if err != nil || len(l.Gaps) != 0 {
			s.Errorf("gaps %+v, error %v", l.Gaps, err)
		}
		for _, r := range s.rows() {
			if r.Of == "" {
				s.Errorf("a plain key among those of several: %+v", r)
			}
		}
		if _, err := s.move(s.moving()); err == nil || !strings.Contains(err.Error(), "nothing was moved: lease table dynamolake has positions of table orders already") {
			s.Errorf("a move over positions that have moved on: %v", err)
		}
	})
}

// TestAMoveThatIsCutOff at any of its writes is finished by the next.
func TestAMoveThatIsCutOff(t *testing.T) {
	const writes = 3 + 2 + 1 // leases, tables, the ledger
	for n := range int64(writes) {
		if n > 0 && testing.Short() {
			break // the rest without the race detector
		}
		onStage(t, 3, func(s *stage) {
			leave := s.join("first")
			s.traffic(2)
			s.whole(s.drain(leave))
			var made atomic.Int64
			var mended atomic.Bool
			s.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
				switch call.Operation {
				case "CreateTable", "PutItem", "PutObject":
					if call.Client == "operator" && made.Add(1) > n && !mended.Load() {
						return awssim.Fault{Status: 400, Code: "AccessDeniedException"}
					}
				}
				return awssim.Fault{}
			})
			if _, err := s.move(s.moving()); err == nil {
				s.Fatalf("cut off after %d writes: no error", n)
			}
			mended.Store(true)
			if _, err := s.move(s.moving()); err != nil {
				s.Fatalf("after one cut off after %d writes: %v", n, err)
			}
			s.Scene = s.In(fleetOfSeveral)
			leave = s.joinMany("second")
			s.traffic(1)
			s.whole(s.drain(leave))
		})
	}
}

func TestAMoveIsRefused(t *testing.T) {
	onStage(t, 2, func(s *stage) {
		wants := func(c moving, want string) {
			s.Helper()
			if _, err := s.move(c); err == nil || !strings.Contains(err.Error(), want) {
				s.Errorf("got %v, want %s", err, want)
			}
		}
		wants(s.moving(), `there is no lease table "dynamolake-orders"`)
		leave := s.join("first")
		s.traffic(4)
		wants(s.moving(), "nothing was moved: worker first holds shard shardId-")
		s.whole(s.drain(leave))

		other, err := s.Beside(s.Context(), "users", "single", 1)
		if err != nil {
			s.Fatal(err)
		}
		users := &stage{T: s.T, Scene: other}
		leave = users.join("of users")
		users.traffic(1)
		users.whole(users.drain(leave))
		c := s.moving()
		c.to = "single"
		wants(c, "nothing was moved: lease table single is of a fleet that reads one table")
		c = s.moving()
		c.app = "single"
		wants(c, "nothing was moved: the positions of this lake are in lease table dynamolake-orders; give --app=dynamolake-orders")
	})
}
