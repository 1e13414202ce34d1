package checkpoint

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Exists tells whether an application has a lease table.
func Exists(ctx context.Context, client *dynamodb.Client, app string) (bool, error) {
	_, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &app})
	if _, absent := errors.AsType[*types.ResourceNotFoundException](err); absent {
		return false, nil
	}
	if err != nil {
		return false, denied("describe", app, err)
	}
	return true, nil
}

// Remove deletes both tables of an application that is over. That they are gone already is well.
func Remove(ctx context.Context, client *dynamodb.Client, app string) error {
	for _, table := range []string{app, workerTable(app)} {
		_, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &table})
		_, absent := errors.AsType[*types.ResourceNotFoundException](err)
		_, busy := errors.AsType[*types.ResourceInUseException](err) // it is being deleted
		if err != nil && !absent && !busy {
			return fmt.Errorf("delete table %s, which nobody needs any more: %w", table, err)
		}
	}
	return nil
}
