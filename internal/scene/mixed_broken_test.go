package scene_test

import (
	"context"
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"go.uber.org/zap"

	"dynamolake/bootstrap"
	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"
	"dynamolake/internal/scene"
)

// TestTheMixedCheckCatchesSabotage leaves out, one at a time, what the repair of a gap must not do
// without. A check that finds nothing then proves nothing in TestMixed either.
func TestTheMixedCheckCatchesSabotage(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	for name, sabotage := range map[string]func(*mixed){
		"none": func(*mixed) {},
		"the window ends early": func(m *mixed) {
			m.broken = func(o *bootstrap.Options) { o.Ledger = m.scene.ShortLedger(o.Worker) }
		},
		"the table is not asked what went unseen": func(m *mixed) { m.cloud.Intercept(hasAll) },
	} {
		t.Run(name, func(t *testing.T) {
			problem := lost30h(t, sabotage)
			if caught := problem != ""; caught != (name != "none") {
				t.Errorf("caught: %t\n%s", caught, problem)
			}
		})
	}
}

// lost30h is an outage of 30 hours, which begins right after items were made that went in it.
func lost30h(t *testing.T, sabotage func(*mixed)) (problem string) {
	story(t, func(t *testing.T, m *mixed) {
		sabotage(m)
		m.live(10*time.Minute, 40)
		w := m.join()
		m.seeded(t)
		m.live(time.Hour, 40)
		for n := range 5 {
			m.item(1000+n, true)
		}
		time.Sleep(8 * time.Minute) // until they are in the lake
		m.kill(w)
		for n := range 5 {
			m.item(1000+n, false)
		}
		m.live(30*time.Hour, 120)
		m.join()
		m.live(2*time.Hour, 40)
	}, func(out outcome) { problem = out.wrong() })
	return problem
}

// item puts an item, or deletes it.
func (m *mixed) item(n int, put bool) {
	key := map[string]ddbtypes.AttributeValue{
		"customer": &ddbtypes.AttributeValueMemberS{Value: "unseen"},
		"order":    &ddbtypes.AttributeValueMemberN{Value: strconv.Itoa(n)},
	}
	table := aws.String(scene.TableName)
	var err error
	if put {
		_, err = m.db.PutItem(m.ctx, &dynamodb.PutItemInput{TableName: table, Item: key})
	} else {
		_, err = m.db.DeleteItem(m.ctx, &dynamodb.DeleteItemInput{TableName: table, Key: key})
	}
	m.must(err)
}

// hasAll makes the table answer that it has whatever it is asked for.
func hasAll(call *awssim.Call) awssim.Fault {
	if call.Operation != "BatchGetItem" {
		return awssim.Fault{}
	}
	var in struct {
		RequestItems map[string]struct{ Keys []json.RawMessage }
	}
	if json.Unmarshal(call.Body, &in) != nil {
		return awssim.Fault{}
	}
	return awssim.Fault{RewriteReply: func([]byte) []byte {
		out := map[string]map[string][]json.RawMessage{"Responses": {}}
		for table, asked := range in.RequestItems {
			out["Responses"][table] = asked.Keys
		}
		text, err := json.Marshal(out)
		if err != nil {
			panic(err)
		}
		return text
	}}
}

// TestTheMixedCheckCatchesAnEarlyEnd does not wait until all shards have adopted an epoch. It takes a
// history in which that makes a difference.
func TestTheMixedCheckCatchesAnEarlyEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("dozens of histories")
	}
	early := func(o *bootstrap.Options) {
		o.Adopted = func(context.Context, int64) (bool, time.Time, error) { return true, time.Time{}, nil }
	}
	caught, played := 0, 0
	for from := uint64(earlySeed); caught == 0 && from < earlySeed+200; from += together {
		bubble.Run(t, func(t *testing.T) {
			results := make(chan string, together)
			for _, seed := range seedsOf(from, from+together) {
				go func() {
					m := newMixed(t.Context(), seed, zap.NewNop())
					m.broken = early
					out := m.play()
					results <- out.wrong()
				}()
			}
			for range together {
				played++
				if <-results != "" {
					caught++
				}
			}
		})
	}
	t.Logf("caught in %d of %d histories", caught, played)
	if caught == 0 {
		t.Error("the check does not notice")
	}
}

// earlySeed is near one of the histories that it takes.
const earlySeed = 9
