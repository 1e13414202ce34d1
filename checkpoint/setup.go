package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// setup makes sure that both tables are there, are what they must be, and may be used.
func (t *tables) setup(ctx context.Context) error {
	if err := t.ensure(ctx, t.app, attrKey, "a lease table"); err != nil {
		return err
	}
	if err := t.ensure(ctx, workerTable(t.app), attrWorker, "a worker table"); err != nil {
		return err
	}
	if err := t.permitted(ctx, t.app, attrKey); err != nil {
		return err
	}
	return t.permitted(ctx, workerTable(t.app), attrWorker)
}

func (t *tables) ensure(ctx context.Context, table, key, kind string) error {
	for {
		out, err := t.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
		_, absent := errors.AsType[*types.ResourceNotFoundException](err)
		switch {
		case absent:
			if err := t.createTable(ctx, table, key); err != nil {
				return err
			}
		case err != nil:
			return denied("describe", table, err)
		case !keyIs(out.Table, key):
			return fmt.Errorf("table %s is not %s: its key is not just %s (a string); choose another application name or remove the table", table, kind, key)
		case out.Table.TableStatus == types.TableStatusDeleting:
			return fmt.Errorf("table %s is being deleted; start again when it is gone", table)
		case out.Table.TableStatus != types.TableStatusCreating:
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for table %s: %w", table, context.Cause(ctx))
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// createTable takes it for done if another worker was faster.
func (t *tables) createTable(ctx context.Context, table, key string) error {
	_, err := t.client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:            &table,
		BillingMode:          types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: &key, KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: &key, AttributeType: types.ScalarAttributeTypeS}},
	})
	if _, ok := errors.AsType[*types.ResourceInUseException](err); ok || err == nil {
		return nil
	}
	return denied("create", table, err)
}

func keyIs(d *types.TableDescription, key string) bool {
	if len(d.KeySchema) != 1 || *d.KeySchema[0].AttributeName != key {
		return false
	}
	for _, a := range d.AttributeDefinitions {
		if *a.AttributeName == key {
			return a.AttributeType == types.ScalarAttributeTypeS
		}
	}
	return false
}

// denied names the permissions to grant when that is what is wrong.
func denied(verb, table string, err error) error {
	if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() == "AccessDeniedException" {
		return fmt.Errorf("%s table %s: permission missing; allow dynamodb:DescribeTable, CreateTable, Scan, PutItem, UpdateItem and DeleteItem on it: %w", verb, table, err)
	}
	return fmt.Errorf("%s table %s: %w", verb, table, err)
}
