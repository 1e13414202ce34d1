package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"
)

// live is the table, in the simulator, with the items that the world says.
type live struct {
	t  testing.TB
	db *dynamodb.Client
}

func (w *world) live() *live {
	w.t.Helper()
	l := &live{w.t, dynamodb.NewFromConfig(awssim.New(awssim.Config{}).AWSConfig("test"))}
	_, err := l.db.CreateTable(w.t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("orders"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeN},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
		},
	})
	w.must(err)
	for _, image := range w.table {
		l.put(image)
	}
	return l
}

func (l *live) put(image string) {
	l.t.Helper()
	_, err := l.db.PutItem(l.t.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: values(l.t, image)})
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *live) remove(key string) {
	l.t.Helper()
	_, err := l.db.DeleteItem(l.t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("orders"), Key: values(l.t, key)})
	if err != nil {
		l.t.Fatal(err)
	}
}

// values reads the types that the world's images have.
func values(t testing.TB, image string) map[string]types.AttributeValue {
	t.Helper()
	var raw map[string]struct {
		S, N *string
		SS   []string
	}
	if err := json.Unmarshal([]byte(image), &raw); err != nil {
		t.Fatal(err)
	}
	item := map[string]types.AttributeValue{}
	for name, v := range raw {
		switch {
		case v.S != nil:
			item[name] = &types.AttributeValueMemberS{Value: *v.S}
		case v.N != nil:
			item[name] = &types.AttributeValueMemberN{Value: *v.N}
		default:
			item[name] = &types.AttributeValueMemberSS{Value: v.SS}
		}
	}
	return item
}

func (w *world) against(l *live) Options {
	o := w.options()
	o.Depth = DepthFooters
	o.AgainstTable = NewTable(l.db, "orders", tableKeys)
	return o
}

func TestALakeEqualsItsTable(t *testing.T) {
	for name, open := range stores() {
		t.Run(name, func(t *testing.T) {
			bubble.Run(t, func(t *testing.T) {
				w := grown(t, open(t))
				r := w.verify(w.against(w.live()))
				if want := int64(len(w.table)); !r.Proven || r.Compared.Items != want || r.Compared.Lake != want || r.Compared.Equal != want || r.Compared.Passes != 1 {
					t.Errorf("%d items: %+v\n%+v", want, r.Compared, r.Doubts)
				}
			})
		})
	}
}

func TestItemsThatDifferAreFound(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(l *live)
		text string // part of the doubt's
	}{
		{"one attribute differs", func(l *live) { l.put(imageJSON(11, "other")) }, "in the attributes value;"},
		{
			"an attribute more", func(l *live) {
				l.put(strings.Replace(imageJSON(11, "seeded"), `"value"`, `"more":{"N":"1"},"value"`, 1))
			}, "in the attributes more;",
		},
		{"an item that the lake has never had", func(l *live) { l.put(imageJSON(99, "x")) }, "the lake has never had the item"},
		{"an item that the lake has as removed", func(l *live) { l.put(imageJSON(8, "x")) }, "the lake has the item of this key hash as removed"},
		{"an item that only the lake has", func(l *live) { l.remove(keyJSON(11)) }, "and table orders does not"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble.Run(t, func(t *testing.T) {
				w := grown(t, folder(t))
				l := w.live()
				c.do(l)
				began := time.Now()
				r := w.verify(w.against(l))
				if r.Proven || r.Compared.Differing != 1 || r.Total() != 1 || r.Doubts[0].Kind != Item || !strings.Contains(r.Doubts[0].Text, c.text) {
					t.Errorf("%+v\n%+v", r.Compared, r.Doubts)
				}
				if took := time.Since(began); took < 3*time.Minute {
					t.Errorf("it had only %v to settle", took)
				}
			})
		})
	}
}

// TestEqualIsWhatMeansTheSame: order, spelling of numbers and escapes do not make a difference.
func TestEqualIsWhatMeansTheSame(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := grown(t, folder(t))
		l := w.live()
		l.put(`{"tags":{"SS":["a","b"]},"n":{"N":"1.5"},"value":{"S":"seeded"},"pk":{"S":"k4"},"sk":{"N":"11"}}`)
		if r := w.verify(w.against(l)); !r.Proven {
			t.Errorf("%+v", r.Doubts)
		}
	})
}

func TestSeveralPassesGiveTheSameAnswer(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := grown(t, folder(t))
		l := w.live()
		l.put(imageJSON(11, "other"))
		l.put(imageJSON(99, "x"))
		l.remove(keyJSON(12))
		var one Report
		for _, entries := range []int64{1000, 16, 5, 1} {
			o := w.against(l)
			o.Memory = entries*entryBytes*4/3 + 3
			r := w.verify(o)
			if passes := r.Compared.Passes; entries == 1000 && passes != 1 || entries < 16 && passes < 3 {
				t.Errorf("%d entries: %d passes", entries, passes)
			}
			r.Compared.Passes = 1
			if one.Compared == nil {
				one = r
			}
			if got, want := fmt.Sprintf("%+v %v", *r.Compared, r.Counts), fmt.Sprintf("%+v %v", *one.Compared, one.Counts); got != want {
				t.Errorf("%d entries: %s\nwant %s", entries, got, want)
			}
		}
		if one.Compared.Differing != 3 || one.Compared.Items != int64(len(w.table)) {
			t.Errorf("%+v", one.Compared)
		}
	})
}

// TestATableThatIsWrittenToSettles: while the lake is compared, items change, and the
// lake follows a little later. One changes all the time.
func TestATableThatIsWrittenToSettles(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := grown(t, folder(t))
		l := w.live()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		o := w.against(l)
		l.put(imageJSON(10, "late"))
		l.put(imageJSON(77, "late"))
		l.remove(keyJSON(11))
		l.put(imageJSON(12, "v0"))
		done := make(chan struct{})
		go func() {
			defer close(done)
			time.Sleep(20 * time.Second)
			w.put(shardB, 10, "late", minute(155))
			w.put(shardB, 77, "late", minute(155))
			w.remove(shardB, 11, minute(156))
			for i := 0; ctx.Err() == nil; i++ {
				w.put(shardB, 12, fmt.Sprintf("v%d", i), minute(157))
				w.flush(shardB, shardA, false)
				l.put(imageJSON(12, fmt.Sprintf("v%d", i+1)))
				select {
				case <-ctx.Done():
				case <-time.After(20 * time.Second):
				}
			}
		}()
		r := w.verify(o)
		cancel()
		<-done
		if !r.Proven || r.Compared.Settled != 4 || r.Compared.Differing != 0 {
			t.Errorf("%+v\n%+v", r.Compared, r.Doubts)
		}
	})
}

func TestAScanTakesNoMoreThanItsReadUnits(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		l := limiter{rate: 10}
		began := time.Now()
		for range 4 {
			if err := l.spend(t.Context(), 25); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("100 units at 10 a second took %v", took)
		}
	})
}
