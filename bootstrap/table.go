package bootstrap

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dynamolake/transform"
)

// Table is what there is to know of a table.
type Table struct {
	Name, ARN, Account, Region string
	ID                         string // DynamoDB's: another table of the name has another
	Keys                       transform.KeySchema
	StreamARN                  string // of the newest stream, be it on or off
	StreamView                 string // empty where the stream is off
}

// Describe asks DynamoDB for a table's facts.
func Describe(ctx context.Context, client *dynamodb.Client, name string) (Table, error) {
	out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		return Table{}, explain("describe table "+name, "DescribeTable", Table{Name: name, ARN: "the table", Region: client.Options().Region}, err)
	}
	d := out.Table
	t := Table{Name: aws.ToString(d.TableName), ARN: aws.ToString(d.TableArn), ID: aws.ToString(d.TableId), StreamARN: aws.ToString(d.LatestStreamArn)}
	p := strings.SplitN(t.ARN, ":", 6)
	if len(p) != 6 {
		return Table{}, fmt.Errorf("describe table %s: its ARN %q makes no sense", name, t.ARN)
	}
	t.Region, t.Account = p[3], p[4]
	kinds := map[string]transform.KeyType{}
	for _, a := range d.AttributeDefinitions {
		if a.AttributeType != "" {
			kinds[aws.ToString(a.AttributeName)] = transform.KeyType(a.AttributeType[0])
		}
	}
	for _, k := range d.KeySchema {
		attr := transform.KeyAttr{Name: aws.ToString(k.AttributeName), Type: kinds[aws.ToString(k.AttributeName)]}
		if k.KeyType == types.KeyTypeHash {
			t.Keys.Hash = attr
		} else {
			t.Keys.Range = attr
		}
	}
	if s := d.StreamSpecification; s != nil && aws.ToBool(s.StreamEnabled) {
		t.StreamView = string(s.StreamViewType)
	}
	return t, nil
}
