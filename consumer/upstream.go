package consumer

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/smithy-go"
)

// upstream is what an answer of DynamoDB Streams means for the shard.
type upstream int

const (
	upstreamOK        upstream = iota
	upstreamExpired            // the iterator is older than 15 min: get another after the last record
	upstreamTrimmed            // the position is gone: a gap
	upstreamGone               // the shard or the stream is gone
	upstreamThrottled          // slow down
	upstreamDenied             // a permission is missing or the credentials are bad; a person has to mend it
	upstreamInvalid            // the request makes no sense to the service (a time in its future)
	upstreamFailed             // anything else: network, 5xx; try again
)

// classify is the only place that reads the service's error codes.
func classify(err error) upstream {
	if err == nil {
		return upstreamOK
	}
	var (
		expired *types.ExpiredIteratorException
		trimmed *types.TrimmedDataAccessException
		gone    *types.ResourceNotFoundException
		limit   *types.LimitExceededException
	)
	switch {
	case errors.As(err, &expired):
		return upstreamExpired
	case errors.As(err, &trimmed):
		return upstreamTrimmed
	case errors.As(err, &gone):
		return upstreamGone
	case errors.As(err, &limit):
		return upstreamThrottled
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		switch api.ErrorCode() {
		case "ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded":
			return upstreamThrottled
		case "AccessDeniedException", "UnrecognizedClientException", "ExpiredTokenException", "InvalidSignatureException":
			return upstreamDenied
		case "ValidationException":
			return upstreamInvalid
		}
	}
	return upstreamFailed
}
