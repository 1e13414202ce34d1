package consumer

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dynamolake/checkpoint/ledger"
	"dynamolake/transform"
)

// Table is what the consumer needs to know of a DynamoDB table.
type Table struct {
	Name, ARN, Account, Region string
	ID                         string // DynamoDB's: a table of the same name that was made anew has another
	Keys                       transform.KeySchema
	StreamARN                  string
	View                       string // stream view type
}

// Describe asks DynamoDB for the table's facts. Errors are one line and say
// what to do.
func Describe(ctx context.Context, client *dynamodb.Client, name string) (Table, error) {
	out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		return Table{}, describeError(name, client.Options().Region, err)
	}
	d := out.Table
	t := Table{Name: aws.ToString(d.TableName), ARN: aws.ToString(d.TableArn), ID: aws.ToString(d.TableId), StreamARN: aws.ToString(d.LatestStreamArn)}
	if p := strings.SplitN(t.ARN, ":", 6); len(p) == 6 {
		t.Region, t.Account = p[3], p[4]
	}
	kinds := map[string]transform.KeyType{}
	for _, a := range d.AttributeDefinitions {
		kinds[aws.ToString(a.AttributeName)] = transform.KeyType(a.AttributeType[0])
	}
	for _, k := range d.KeySchema {
		attr := transform.KeyAttr{Name: aws.ToString(k.AttributeName), Type: kinds[aws.ToString(k.AttributeName)]}
		if k.KeyType == ddbtypes.KeyTypeHash {
			t.Keys.Hash = attr
		} else {
			t.Keys.Range = attr
		}
	}
	if s := d.StreamSpecification; s != nil && aws.ToBool(s.StreamEnabled) {
		t.View = string(s.StreamViewType)
	}
	return t, nil
}

// Label is that of the table's stream: the time when it was turned on.
func (t Table) Label() string { return labelOf(t.StreamARN) }

// CheckStream tells whether the table's stream can feed the lake.
func (t Table) CheckStream(oldImage bool) error {
	const on = "aws dynamodb update-table --table-name %s --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"
	const off = "aws dynamodb update-table --table-name %s --stream-specification StreamEnabled=false"
	switch {
	case t.View == "":
		return fmt.Errorf("table %q has no stream; turn it on with: "+on, t.Name, t.Name)
	case t.View == "KEYS_ONLY" || t.View == "OLD_IMAGE":
		return fmt.Errorf("the stream of table %q is %s, which does not carry what items became; change it with: "+off+" && "+on, t.Name, t.View, t.Name, t.Name)
	case oldImage && t.View != "NEW_AND_OLD_IMAGES":
		return fmt.Errorf("old images were asked for, but the stream of table %q is %s; leave --old-image out or change the stream with: "+off+" && "+on, t.Name, t.View, t.Name, t.Name)
	}
	return nil
}

// CheckStart tells whether a worker of a lease table that starts now has something to read: the table's stream, or what is left of
// one that the ledger has begun and that was turned off since, for AWS keeps it for 24 hours.
func CheckStart(ctx context.Context, store *ledger.Store, t Table, app string, oldImage bool) error {
	l, err := store.Read(ctx)
	if err != nil {
		return err
	}
	if err := ours(&l, t, app); err != nil {
		return err
	}
	if s := l.Streaming(); s != nil && (t.View == "" || t.StreamARN != s.StreamARN) {
		return nil
	}
	return t.CheckStream(oldImage)
}

// ours tells whether a fleet may read the stream into this lake. One with another lease table knows no positions: it would fence
// who reads, and call all that the stream forgot a gap. Another table of the name, as one that was restored from a backup, may
// have other items under the keys of the lake's, and no stream says which.
func ours(l *ledger.Ledger, t Table, app string) error {
	table := t.Name
	if l.OfAnother(t.ID) {
		return ForGood(fmt.Errorf("table %q is not the one that the lake is of: it was deleted and made anew, or restored (id %s, now %s); give the new table a lake or prefix of its own", table, l.TableID, t.ID))
	}
	if l.LeaseTable == "" || l.LeaseTable == app {
		return nil
	}
	return ForGood(fmt.Errorf("table %q is read into this lake by the fleet of lease table %s, and this one's is %s; give --app=%s, or once that fleet has stopped move its positions: "+
		"dynamolake checkpoint move --table=%s --app=%s --to=%s", table, l.LeaseTable, app, l.LeaseTable, table, l.LeaseTable, app))
}

func describeError(name, region string, err error) error {
	var missing *ddbtypes.ResourceNotFoundException
	if errors.As(err, &missing) {
		return fmt.Errorf("table %q does not exist in %s; check the name, the account and AWS_REGION", name, region)
	}
	if classify(err) == upstreamDenied {
		return fmt.Errorf("describing table %q: %w", name, denied("table "+name, err))
	}
	return fmt.Errorf("describing table %q: %w", name, err)
}
