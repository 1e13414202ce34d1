package verify

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// someSegments is into how many parts a table is cut, so that some items are from all over it.
const someSegments = 16

// Some scans up to most items, a page of each part of the table in turn, and gives them as DynamoDB JSON. Its
// reads are eventually consistent, one at a time, and take RCU units a second.
func (t *Table) Some(ctx context.Context, most int, take func(item []byte) error) error {
	t.limit.rate = t.RCU
	left, parts := most, make([]*dynamodb.ScanPaginator, someSegments)
	for i := range parts {
		parts[i] = dynamodb.NewScanPaginator(t.Client, &dynamodb.ScanInput{
			TableName: &t.Name, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
			Segment: aws.Int32(int32(i)), TotalSegments: aws.Int32(someSegments),
			Limit: aws.Int32(int32(max(1, min(1000, (most+someSegments-1)/someSegments)))),
		})
	}
	for more := true; more; {
		more = false
		for _, part := range parts {
			if left == 0 {
				return nil
			}
			if !part.HasMorePages() {
				continue
			}
			more = true
			page, err := part.NextPage(ctx)
			if err != nil {
				return explain("read table "+t.Name, "Scan", err)
			}
			for _, item := range page.Items[:min(left, len(page.Items))] {
				_, whole, err := texts(t.Keys, item)
				if err != nil {
					return err
				}
				if err := take(whole); err != nil {
					return err
				}
				left--
			}
			if c := page.ConsumedCapacity; c != nil && c.CapacityUnits != nil {
				if err := t.limit.spend(ctx, *c.CapacityUnits); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
