package verify

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"dynamolake/internal/attribute"
	"dynamolake/transform"
)

// Table is the table as it is. It is read by Scan, once in each pass.
type Table struct {
	Client *dynamodb.Client
	Name   string
	Keys   transform.KeySchema
	// RCU is how many read units a second it may take.
	RCU float64
	// Consistent reads take twice as many.
	Consistent bool
	// An item that differs is looked at again after Settle, up to Looks times.
	Settle time.Duration
	Looks  int

	limit limiter
}

// segments of a Scan that run at once.
const segments = 4

// NewTable returns the table with the limits that suit most.
func NewTable(client *dynamodb.Client, name string, keys transform.KeySchema) *Table {
	return &Table{Client: client, Name: name, Keys: keys, RCU: 500, Settle: time.Minute, Looks: 3}
}

func (t *Table) name() string { return "table " + t.Name }

func (t *Table) each(ctx context.Context, progress func(items int64), take func(key, item []byte) error) error {
	t.limit.rate = t.RCU
	var items atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for segment := range int32(segments) {
		group.Go(func() error {
			in := &dynamodb.ScanInput{
				TableName: &t.Name, ConsistentRead: &t.Consistent, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
				Segment: aws.Int32(segment), TotalSegments: aws.Int32(segments),
			}
			for pages := dynamodb.NewScanPaginator(t.Client, in); pages.HasMorePages(); {
				page, err := pages.NextPage(ctx)
				if err != nil {
					return explain("read table "+t.Name, "Scan", err)
				}
				size := 0
				for _, item := range page.Items {
					key, whole, err := texts(t.Keys, item)
					if err != nil {
						return err
					}
					if err := take(key, whole); err != nil {
						return err
					}
					size += len(whole)
				}
				progress(items.Add(int64(len(page.Items))))
				units := float64(size)/8192 + 0.5
				if c := page.ConsumedCapacity; c != nil && c.CapacityUnits != nil {
					units = *c.CapacityUnits
				}
				if err := t.limit.spend(ctx, units); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// limiter spaces calls out so that they take so many units a second together.
type limiter struct {
	mu   sync.Mutex
	rate float64
	next time.Time
}

// spend waits until what was just taken is paid for.
func (l *limiter) spend(ctx context.Context, units float64) error {
	l.mu.Lock()
	now := time.Now()
	if l.next.Before(now) {
		l.next = now
	}
	if l.rate > 0 {
		l.next = l.next.Add(time.Duration(units / l.rate * float64(time.Second)))
	}
	wait := l.next.Sub(now)
	l.mu.Unlock()
	return pause(ctx, wait)
}

// texts are the canonical form of an item's key, and the item as DynamoDB JSON.
func texts(keys transform.KeySchema, item map[string]types.AttributeValue) (key, whole []byte, err error) {
	if whole, err = attribute.JSON(item); err == nil {
		key, err = attribute.Key(keys, item)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("an item of the table: %w", err)
	}
	return key, whole, nil
}

// explain says what to allow where access is denied.
func explain(doing, call string, err error) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		switch api.ErrorCode() {
		case "AccessDeniedException", "AccessDenied":
			return fmt.Errorf("%s: access denied; allow this role dynamodb:%s on the table: %s", doing, call, api.ErrorMessage())
		}
	}
	return fmt.Errorf("%s: %w", doing, err)
}
