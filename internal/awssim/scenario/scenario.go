// Package scenario holds what must hold on any DynamoDB, any DynamoDB Streams and
// any S3: each scenario talks to SDK clients only, so the same code checks the
// simulator, DynamoDB Local, a real S3 server, or AWS itself.
package scenario

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Env is where a scenario runs. Clients that a list of scenarios does not use may be nil.
type Env struct {
	DynamoDB *dynamodb.Client
	Streams  *dynamodbstreams.Client
	S3       *s3.Client

	// Prefix makes the names of tables and buckets unique: lower case, at most 20 characters.
	Prefix string

	// Lacks names differences to pass over, by the constants of this package.
	Lacks map[string]bool
}

// DynamoDBLocal is what DynamoDB Local 3.1 lacks, for Env.Lacks.
func DynamoDBLocal() map[string]bool {
	return map[string]bool{AtTimestamp: true, PageBytes: true, BadSequence: true}
}

// A Scenario is one named claim.
type Scenario struct {
	Name string
	Run  func(t *testing.T, env Env)
}
