package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Attributes of a ledger in a DynamoDB table, one item per lake and table.
const (
	attrKey     = "lake"
	attrBody    = "ledger"
	attrVersion = "version"
)

// DynamoDB keeps ledgers in a table of their own, for lakes whose store is slow or does not know If-Match.
type DynamoDB struct {
	client *dynamodb.Client
	table  string
	key    string
}

// OpenDynamoDB makes sure that the table is there. key names the ledger in it: the
// lake's address and the table's prefix.
func OpenDynamoDB(ctx context.Context, client *dynamodb.Client, table, key string) (*DynamoDB, error) {
	d := &DynamoDB{client, table, key}
	_, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	var missing *types.ResourceNotFoundException
	switch {
	case errors.As(err, &missing):
		_, err = client.CreateTable(ctx, &dynamodb.CreateTableInput{
			TableName: &table, BillingMode: types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String(attrKey), AttributeType: types.ScalarAttributeTypeS}},
			KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String(attrKey), KeyType: types.KeyTypeHash}},
		})
		var busy *types.ResourceInUseException
		if err != nil && !errors.As(err, &busy) {
			return nil, fmt.Errorf("create the ledger's table %s: %w", table, err)
		}
		wait := dynamodb.NewTableExistsWaiter(client)
		if err := wait.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &table}, 5*time.Minute); err != nil {
			return nil, fmt.Errorf("wait for the ledger's table %s: %w", table, err)
		}
	case err != nil:
		return nil, fmt.Errorf("look for the ledger's table %s: %w", table, err)
	}
	return d, nil
}

// Load implements [Register].
func (d *DynamoDB) Load(ctx context.Context) ([]byte, string, error) {
	out, err := d.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &d.table, ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{attrKey: &types.AttributeValueMemberS{Value: d.key}},
	})
	if err != nil {
		return nil, "", fmt.Errorf("read item %s of table %s: %w", d.key, d.table, err)
	}
	if out.Item == nil {
		return nil, "", nil
	}
	body, _ := out.Item[attrBody].(*types.AttributeValueMemberS)
	version, _ := out.Item[attrVersion].(*types.AttributeValueMemberN)
	if body == nil || version == nil {
		return nil, "", fmt.Errorf("item %s of table %s is no ledger", d.key, d.table)
	}
	return []byte(body.Value), version.Value, nil
}

// Swap implements [Register].
func (d *DynamoDB) Swap(ctx context.Context, body []byte, version string) error {
	next, cond := int64(1), "attribute_not_exists(#k)"
	names := map[string]string{"#k": attrKey}
	var values map[string]types.AttributeValue
	if version != "" {
		v, err := strconv.ParseInt(version, 10, 64)
		if err != nil {
			return fmt.Errorf("version %q of a ledger: %w", version, err)
		}
		next, cond = v+1, "#v = :v"
		names = map[string]string{"#v": attrVersion}
		values = map[string]types.AttributeValue{":v": &types.AttributeValueMemberN{Value: version}}
	}
	_, err := d.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &d.table, ConditionExpression: &cond,
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
		Item: map[string]types.AttributeValue{
			attrKey:     &types.AttributeValueMemberS{Value: d.key},
			attrBody:    &types.AttributeValueMemberS{Value: string(body)},
			attrVersion: &types.AttributeValueMemberN{Value: strconv.FormatInt(next, 10)},
		},
	})
	var refused *types.ConditionalCheckFailedException
	if errors.As(err, &refused) {
		return ErrChanged
	}
	if err != nil {
		return fmt.Errorf("write item %s of table %s: %w", d.key, d.table, err)
	}
	return nil
}
