package checkpoint

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// leaseWrite tells calls that write a row of the lease table for which the
// request says word.
func leaseWrite(c *awssim.Call, word string) bool {
	return c.Target == "app" && (c.Operation == "UpdateItem" || c.Operation == "PutItem") && strings.Contains(string(c.Body), word)
}

func throttle() awssim.Fault {
	return awssim.Fault{Code: "ProvisionedThroughputExceededException"}
}

// one shard, read by worker a.
func single(t *testing.T, test func(t *testing.T, f *fleet, w *worker, l *Lease)) {
	t.Helper()
	inBubble(t, newStream(numbered(1)...), func(t *testing.T, f *fleet) {
		w := f.start("a")
		f.even(15*time.Second, 1, 1)
		test(t, f, w, f.lease(numbered(1)[0].ID))
	})
}

func TestACommitSurvivesWhateverHappensToItsAnswer(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault awssim.Fault
		times int64
	}{
		{"the answer is lost", awssim.Fault{DropReply: true}, 1},
		{"the answer is lost on every attempt of the client", awssim.Fault{DropReply: true}, 5},
		{"the request is applied twice", awssim.Fault{Twice: true}, 1},
		{"the table throttles for a while", throttle(), 20},
		{"the service fails for a while", awssim.Fault{Status: 500}, 7},
		{"the request never arrives", awssim.Fault{Delay: time.Hour}, 1},
		{"the request arrives when nobody waits for it any more", awssim.Fault{Delay: 7 * time.Second, Linger: true}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			single(t, func(t *testing.T, f *fleet, _ *worker, l *Lease) {
				var n atomic.Int64
				f.cloud.Intercept(func(call *awssim.Call) awssim.Fault {
					if leaseWrite(call, `"77"`) && n.Add(1) <= c.times {
						return c.fault
					}
					return awssim.Fault{}
				})
				if err := l.Commit(t.Context(), "77", time.Time{}); err != nil {
					t.Fatal(err)
				}
				if got := f.row(l.Key()); got.Checkpoint.Seq != "77" || got.Owner != "a" {
					t.Errorf("row %+v", got)
				}
				if err := l.Commit(t.Context(), "78", time.Time{}); err != nil {
					t.Error(err)
				}
				time.Sleep(2 * time.Minute)
				if err := l.Commit(t.Context(), "79", time.Time{}); err != nil {
					t.Errorf("later: %v", err)
				}
			})
		})
	}
}

func TestACheckpointNeverGoesBack(t *testing.T) {
	single(t, func(t *testing.T, f *fleet, _ *worker, l *Lease) {
		for _, c := range []struct {
			seq string
			ok  bool
		}{{"9", true}, {"100", true}, {"99", false}, {"100", true}, {"TRIM_HORIZON", false}, {"", false}, {"101", true}} {
			if err := l.Commit(t.Context(), c.seq, time.Time{}); (err == nil) != c.ok || errors.Is(err, ErrLost) {
				t.Errorf("commit %q: %v", c.seq, err)
			}
		}
		if got := f.row(l.Key()).Checkpoint.Seq; got != "101" {
			t.Errorf("stored %s", got)
		}
	})
}

func TestATakeWhoseAnswerIsLostIsStillOurs(t *testing.T) {
	inBubble(t, newStream(numbered(3)...), func(t *testing.T, f *fleet) {
		f.cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			if leaseWrite(call, "ownerSwitches") && strings.Contains(string(call.Body), "ADD") && time.Since(f.begin) < 8*time.Second {
				return awssim.Fault{DropReply: true}
			}
			return awssim.Fault{}
		})
		f.start("a")
		t.Logf("all read after %s", f.even(20*time.Second, 3, 1))
	})
}

func TestALeaseTakenByHandIsNoticedByTheRenewal(t *testing.T) {
	single(t, func(t *testing.T, f *fleet, w *worker, l *Lease) {
		_, err := f.client("hand").UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: aws.String("app"), Key: item{attrKey: str(l.Key())},
			UpdateExpression:          aws.String("SET leaseOwner = :x ADD leaseCounter :one"),
			ExpressionAttributeValues: item{":x": str("somebody"), ":one": num(1)},
		})
		if err != nil {
			t.Fatal(err)
		}
		took := f.until(25*time.Second, "noticed", func() bool { return l.Check() != nil })
		t.Logf("noticed after %s", took)
		wantLost(t, l.Commit(t.Context(), "5", time.Time{}))
		if l.Context().Err() == nil {
			t.Error("the context goes on")
		}
		// Nobody is somebody: when the row has stood still for long enough, it is taken.
		f.until(30*time.Second, "taken back", func() bool { n := f.lease(l.Key()); return n != l && n.Check() == nil })
		if n := f.lease(l.Key()); n.Token() <= l.Token() {
			t.Errorf("token %d after %d", n.Token(), l.Token())
		}
	})
}

func TestAThrottledLeaseTableLosesNoLease(t *testing.T) {
	inBubble(t, newStream(numbered(20)...), func(t *testing.T, f *fleet) {
		f.start("a")
		f.start("b")
		f.even(15*time.Second, 20, 2)
		var on atomic.Bool
		on.Store(true)
		f.cloud.Intercept(func(c *awssim.Call) awssim.Fault {
			if c.Target == "app" && on.Load() {
				return throttle()
			}
			return awssim.Fault{}
		})
		l := f.lease(numbered(1)[0].ID)
		done := make(chan error, 1)
		go func() { done <- l.Commit(t.Context(), "1", time.Time{}) }()
		time.Sleep(3 * time.Minute)
		if n := total(f.reading()); n != 20 {
			t.Errorf("%d of 20 shards are read while the table throttles", n)
		}
		on.Store(false)
		if err := <-done; err != nil {
			t.Errorf("a commit that waited: %v", err)
		}
		if n := f.total(); n != 20 {
			t.Errorf("%d sessions of 20 shards", n)
		}
	})
}

func TestWhoCannotSeeTheOthersTakesNothingFromThem(t *testing.T) {
	inBubble(t, newStream(numbered(20)...), func(t *testing.T, f *fleet) {
		a := f.start("a")
		f.start("b")
		f.even(15*time.Second, 20, 2)
		var blind atomic.Bool
		blind.Store(true)
		f.cloud.Intercept(func(c *awssim.Call) awssim.Fault {
			if c.Operation == "Scan" && c.Target == workerTable("app") && blind.Load() {
				return throttle()
			}
			return awssim.Fault{}
		})
		f.kill(a)
		time.Sleep(2 * time.Minute)
		if r := f.reading(); r["b"] != 10 {
			t.Errorf("reading %v", r)
		}
		blind.Store(false)
		t.Logf("all read %s after the table is readable", f.even(15*time.Second, 20, 1))
	})
}

func TestACommitGivesUpWithItsContext(t *testing.T) {
	single(t, func(t *testing.T, f *fleet, _ *worker, l *Lease) {
		f.cloud.Intercept(func(c *awssim.Call) awssim.Fault {
			if leaseWrite(c, `"5"`) {
				return throttle()
			}
			return awssim.Fault{}
		})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := l.Commit(ctx, "5", time.Time{}); err == nil || errors.Is(err, ErrLost) {
			t.Errorf("error %v", err)
		}
	})
}

func TestAHaltedShardStaysOwnedUntilItMovesOn(t *testing.T) {
	single(t, func(t *testing.T, f *fleet, _ *worker, l *Lease) {
		if err := l.Commit(t.Context(), "5", time.Time{}); err != nil {
			t.Fatal(err)
		}
		if err := l.Halt(t.Context(), `{"lost":"6-9"}`); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		if r := f.row(l.Key()); r.Gap != `{"lost":"6-9"}` || r.Owner != "a" || r.Checkpoint.Seq != "5" {
			t.Errorf("row %+v", r)
		}
		if err := l.Commit(t.Context(), "10", time.Time{}); err != nil {
			t.Fatal(err)
		}
		if r := f.row(l.Key()); r.Gap != "" {
			t.Errorf("the gap is still shown: %q", r.Gap)
		}
	})
}

func TestWhatIsCaughtUpIsStoredWithTheNextRenewal(t *testing.T) {
	single(t, func(t *testing.T, f *fleet, _ *worker, l *Lease) {
		to := time.Now().Add(time.Second).UTC()
		l.CaughtUp(to)
		time.Sleep(25 * time.Second)
		if r := f.row(l.Key()); !r.CurrentTo.Equal(to) || r.Checkpoint.Sentinel != TrimHorizon {
			t.Errorf("row %+v, want current to %s", r, to)
		}
	})
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	ok := Options{App: "app", Worker: "w", Stream: newStream()}
	with := func(f func(*Options)) Options { o := ok; f(&o); return o }
	table := func(name, key string, typ types.ScalarAttributeType) func(*testing.T, *awssim.Cloud) {
		return func(t *testing.T, c *awssim.Cloud) {
			_, err := dynamodb.NewFromConfig(c.AWSConfig("")).CreateTable(t.Context(), &dynamodb.CreateTableInput{
				TableName: &name, BillingMode: types.BillingModePayPerRequest,
				KeySchema:            []types.KeySchemaElement{{AttributeName: &key, KeyType: types.KeyTypeHash}},
				AttributeDefinitions: []types.AttributeDefinition{{AttributeName: &key, AttributeType: typ}},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	deny := func(op string) func(*testing.T, *awssim.Cloud) {
		return func(_ *testing.T, c *awssim.Cloud) {
			c.Intercept(func(call *awssim.Call) awssim.Fault {
				if call.Operation == op {
					return awssim.Fault{Code: "AccessDeniedException", Message: "no"}
				}
				return awssim.Fault{}
			})
		}
	}
	none := func(*testing.T, *awssim.Cloud) {}
	for _, c := range []struct {
		name  string
		o     Options
		cloud func(*testing.T, *awssim.Cloud)
		want  string // "" is no error
	}{
		{"tables are created", ok, none, ""},
		{"tables that are there are used", ok, table("app", attrKey, types.ScalarAttributeTypeS), ""},
		{"another table is not a lease table", ok, table("app", "pk", types.ScalarAttributeTypeS), "table app is not a lease table"},
		{"nor is one with a number for its key", ok, table("app", attrKey, types.ScalarAttributeTypeN), "table app is not a lease table"},
		{"the worker table is looked at too", ok, table("app-WorkerMetricStats", "id", types.ScalarAttributeTypeS), "is not a worker table"},
		{"a missing permission is named", ok, deny("DescribeTable"), "permission missing; allow dynamodb:DescribeTable"},
		{"also that to create", ok, deny("CreateTable"), "create table app: permission missing"},
		{"a name is needed", with(func(o *Options) { o.Worker = "" }), none, "worker id is empty"},
		{"a position is one of three", with(func(o *Options) { o.Initial.Position = "NOW" }), none, `initial position "NOW"`},
		{"a position in time needs a time", with(func(o *Options) { o.Initial.Position = AtTimestamp }), none, "no time given"},
		{"a lease lasts some heartbeats", with(func(o *Options) { o.Duration = time.Second }), none, "at least 4 heartbeats"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble.Run(t, func(t *testing.T) {
				cloud := awssim.New(awssim.Config{})
				c.cloud(t, cloud)
				c.o.Client = dynamodb.NewFromConfig(cloud.AWSConfig("w"))
				_, err := Open(t.Context(), c.o)
				if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("error %v, want %q", err, c.want)
				}
			})
		})
	}
}
