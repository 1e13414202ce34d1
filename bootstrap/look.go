package bootstrap

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Recoverable tells whether point-in-time recovery is on, without which AWS exports
// nothing and no gap can be repaired. Nil means it is.
func Recoverable(ctx context.Context, client *dynamodb.Client, t Table) error {
	w := &workshop{Options: Options{DynamoDB: client, Table: t}}
	r, err := w.recovery(ctx)
	if err == nil && !r.on {
		err = w.pitrOff()
	}
	return err
}
