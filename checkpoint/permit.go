package checkpoint

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
)

// permitted makes each of the calls that a worker needs once, so that one which may
// not make them ends at its start instead of waiting for ever. Nothing is changed: the
// writes ask for a row that nobody has. Other errors than a denial may pass.
func (t *tables) permitted(ctx context.Context, table, key string) error {
	row := item{key: str("permitted?")}
	never := aws.String("attribute_exists(#key)")
	names := map[string]string{"#key": key}
	for _, call := range []func() error{
		func() error {
			_, err := t.client.Scan(ctx, &dynamodb.ScanInput{TableName: &table, Limit: aws.Int32(1)})
			return err
		},
		func() error {
			_, err := t.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: row, ConditionExpression: never, ExpressionAttributeNames: names})
			return err
		},
		func() error {
			_, err := t.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: &table, Key: row, ConditionExpression: never, ExpressionAttributeNames: names})
			return err
		},
		func() error {
			_, err := t.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &table, Key: row, ConditionExpression: never, ExpressionAttributeNames: names})
			return err
		},
	} {
		err := call()
		if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() == "AccessDeniedException" {
			return denied("use", table, err)
		}
	}
	return nil
}
