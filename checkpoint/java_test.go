package checkpoint

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
)

// plain shows an item as text, to compare it as a whole.
func plain(it item) map[string]string {
	out := map[string]string{}
	for attr, v := range it {
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			out[attr] = "S " + v.Value
		case *types.AttributeValueMemberN:
			out[attr] = "N " + v.Value
		case *types.AttributeValueMemberSS:
			out[attr] = "SS " + strings.Join(v.Value, ",")
		case *types.AttributeValueMemberBOOL:
			out[attr] = "BOOL"
		}
	}
	return out
}

func (f *fleet) item(key string) map[string]string {
	f.t.Helper()
	out, err := f.client("observer").GetItem(f.t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String("app"), Key: item{attrKey: str(key)}, ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return plain(out.Item)
}

func TestRowsAreThoseOfTheJavaLibrary(t *testing.T) {
	id := ids("", "p", "x")
	inBubble(t, newStream(Shard{ID: id[0]}), func(t *testing.T, f *fleet) {
		w := f.start("a")
		f.even(15*time.Second, 1, 1)
		l := f.lease(id[0])
		check := func(what, key string, want map[string]string) {
			t.Helper()
			if diff := cmp.Diff(want, f.item(key)); diff != "" {
				t.Errorf("%s:\n%s", what, diff)
			}
		}
		check("a lease that was taken", id[0], map[string]string{
			"leaseKey": "S " + id[0], "leaseOwner": "S a", "leaseCounter": "N 1", "checkpoint": "S TRIM_HORIZON",
			"checkpointSubSequenceNumber": "N 0", "ownerSwitchesSinceCheckpoint": "N 1",
			"startingHashKey": "S 0", "endingHashKey": "S 1", "entityType": "S LEASE", "created": "N 946684803000",
		})
		if err := l.Commit(t.Context(), "49590338271490256608559692538361571095921575989136588898", time.UnixMilli(1_800_000_000_123)); err != nil {
			t.Fatal(err)
		}
		check("after a checkpoint", id[0], map[string]string{
			"leaseKey": "S " + id[0], "leaseOwner": "S a", "leaseCounter": "N 2",
			"checkpoint":                  "S 49590338271490256608559692538361571095921575989136588898",
			"checkpointSubSequenceNumber": "N 0", "ownerSwitchesSinceCheckpoint": "N 0",
			"startingHashKey": "S 0", "endingHashKey": "S 1", "entityType": "S LEASE", "created": "N 946684803000",
			"currentTo": "N 1800000000123",
		})
		f.stream.split(id[0], id[1])
		if err := f.end(t, l); err != nil {
			t.Fatal(err)
		}
		check("after the end", id[0], map[string]string{
			"leaseKey": "S " + id[0], "leaseCounter": "N 3", "checkpoint": "S SHARD_END",
			"checkpointSubSequenceNumber": "N 0", "ownerSwitchesSinceCheckpoint": "N 0",
			"startingHashKey": "S 0", "endingHashKey": "S 1", "entityType": "S LEASE", "created": "N 946684803000",
			"currentTo": "N 1800000000123", "childShardIds": "SS " + id[1],
		})
		check("its child", id[1], map[string]string{
			"leaseKey": "S " + id[1], "leaseOwner": "S a", "leaseCounter": "N 1", "checkpoint": "S TRIM_HORIZON",
			"checkpointSubSequenceNumber": "N 0", "ownerSwitchesSinceCheckpoint": "N 0",
			"startingHashKey": "S 0", "endingHashKey": "S 1", "entityType": "S LEASE", "created": "N 946684803000",
			"parentShardId": "SS " + id[0],
		})
		if err := w.k.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if row := f.item(id[1]); row["leaseOwner"] != "" || row["leaseCounter"] != "N 2" {
			t.Errorf("after the drain of the last worker: %v", row)
		}
	})
}

// put stores an item that the Java library would write.
func (f *fleet) put(table string, it item) {
	f.t.Helper()
	if _, err := f.client("java").PutItem(f.t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: it}); err != nil {
		f.t.Fatal(err)
	}
}

func javaRow(key, owner, at string, parents ...string) item {
	it := item{
		"leaseKey": str(key), "leaseCounter": num(4711), "checkpoint": str(at), "checkpointSubSequenceNumber": num(0),
		"ownerSwitchesSinceCheckpoint": num(0), "startingHashKey": str("0"), "endingHashKey": str("1"), "throughputKBps": num(12),
	}
	if owner != "" {
		it["leaseOwner"] = str(owner)
	}
	if len(parents) > 0 {
		it["parentShardId"] = set(parents)
	}
	return it
}

func TestTheTableOfAStoppedJavaFleetIsTakenOver(t *testing.T) {
	id := ids("", "p", "x", "y", "z")
	s := newStream(Shard{ID: id[0], Closed: true}, Shard{ID: id[1], Parent: id[0]}, Shard{ID: id[2]}, Shard{ID: id[3]})
	inBubble(t, s, func(t *testing.T, f *fleet) {
		o := Options{Client: f.client("java"), App: "app", Worker: "setup", Stream: s}
		if _, err := Open(t.Context(), o); err != nil { // only for the tables
			t.Fatal(err)
		}
		f.put("app", javaRow(id[0], "java-1", "SHARD_END"))
		f.put("app", javaRow(id[1], "java-1", "100", id[0]))
		f.put("app", javaRow(id[2], "", "LATEST"))
		f.put("app", javaRow(id[3], "java-2", "200"))
		f.put("app", item{"leaseKey": str("Leader"), "entityType": str("LEADER"), "ownerName": str("java-1")})
		f.put("app", item{"leaseKey": str("java-1"), "entityType": str("WORKER_METRIC_STATS"), "lut": num(1)})
		f.put(workerTable("app"), item{"wid": str("java-1"), "lut": num(1)})
		f.done[id[0]] = true

		// java-2 still renews; java-1 has stopped.
		stop := make(chan struct{})
		go func() {
			for n := int64(1); ; n++ {
				select {
				case <-stop:
					return
				case <-time.After(3 * time.Second):
				}
				it := javaRow(id[3], "java-2", "200")
				it["leaseCounter"] = num(4711 + n)
				f.put("app", it)
			}
		}()
		f.start("a")
		f.until(10*time.Second, "the unowned row read", func() bool { return f.sessions(id[2]) == 1 })
		f.until(20*time.Second, "the stopped worker's shard read", func() bool { return f.sessions(id[1]) == 1 })
		if l := f.lease(id[1]); l.Token() != 4712 || l.Checkpoint().Seq != "100" {
			t.Errorf("token %d at %+v", l.Token(), l.Checkpoint())
		}
		if at := f.lease(id[2]).Checkpoint(); at.Start.IsZero() {
			t.Errorf("LATEST has no time: %+v", at)
		}
		if row := f.item(id[1]); row["throughputKBps"] != "N 12" || row["ownerSwitchesSinceCheckpoint"] != "N 1" {
			t.Errorf("row %v", row)
		}
		time.Sleep(time.Minute)
		if f.sessions(id[3]) != 0 {
			t.Error("the shard of a Java worker that still renews was taken")
		}
		close(stop)
		f.until(20*time.Second, "taken when it stops", func() bool { return f.sessions(id[3]) == 1 })
	})
}

func TestAJavaLeaderThatAsksForALeaseGetsIt(t *testing.T) {
	single(t, func(t *testing.T, f *fleet, _ *worker, l *Lease) {
		f.flush = 5 * time.Second
		_, err := f.client("java").UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: aws.String("app"), Key: item{attrKey: str(l.Key())},
			UpdateExpression:          aws.String("SET leaseOwner = :next, checkpointOwner = :me"),
			ExpressionAttributeValues: item{":next": str("java-1"), ":me": str("a")},
		})
		if err != nil {
			t.Fatal(err)
		}
		f.until(25*time.Second, "asked to stop", func() bool {
			select {
			case <-l.Revoked():
				return true
			default:
				return false
			}
		})
		if err := l.Commit(t.Context(), "55", time.Time{}); err != nil { // what it had read
			t.Errorf("commit during the hand-over: %v", err)
		}
		time.Sleep(6 * time.Second)
		row := f.item(l.Key())
		if row["leaseOwner"] != "S java-1" || row["checkpointOwner"] != "" || row["checkpoint"] != "S 55" {
			t.Errorf("row %v", row)
		}
		wantLost(t, l.Commit(t.Context(), "56", time.Time{}))
	})
}
