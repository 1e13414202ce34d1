package adapter

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
)

// translate says in Kinesis terms what DynamoDB Streams answered, for callers
// that branch on the type; the original is in the chain too.
func translate(what string, err error) error {
	var k error
	var code string
	if apiErr := smithy.APIError(nil); errors.As(err, &apiErr) {
		code = apiErr.ErrorCode()
		message := aws.String(apiErr.ErrorMessage())
		switch code {
		case "LimitExceededException", "ThrottlingException", "Throttling", "ThrottledException",
			"RequestLimitExceeded", "ProvisionedThroughputExceededException", "TooManyRequestsException":
			k = &types.ProvisionedThroughputExceededException{Message: message}
		case (*streamtypes.ResourceNotFoundException)(nil).ErrorCode():
			k = &types.ResourceNotFoundException{Message: message}
		case (*streamtypes.ExpiredIteratorException)(nil).ErrorCode():
			k = &types.ExpiredIteratorException{Message: message}
		case "AccessDeniedException":
			k = &types.AccessDeniedException{Message: message}
		case "ValidationException":
			k = &types.InvalidArgumentException{Message: message}
		}
	}
	if k == nil {
		return fmt.Errorf("adapter: %s: %w", what, err)
	}
	return fmt.Errorf("adapter: %s: %w (%w)", what, k, err)
}
