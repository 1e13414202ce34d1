package awssim_test

import (
	"testing"

	"dynamolake/internal/awssim"
	"dynamolake/internal/awssim/scenario"
	"dynamolake/internal/bubble"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// run tries scenarios on a fresh cloud each, in virtual time.
func run(t *testing.T, list []scenario.Scenario) {
	for _, s := range list {
		t.Run(s.Name, func(t *testing.T) {
			bubble.Run(t, func(t *testing.T) {
				conf := awssim.New(awssim.Config{Seed: 1}).AWSConfig("scenario")
				s.Run(t, scenario.Env{DynamoDB: dynamodb.NewFromConfig(conf), Streams: dynamodbstreams.NewFromConfig(conf), S3: s3.NewFromConfig(conf), Prefix: "sim-"})
			})
		})
	}
}

func TestDynamoDBScenarios(t *testing.T) { run(t, scenario.DynamoDB) }

func TestStreamsScenarios(t *testing.T) { run(t, scenario.Streams) }

func TestS3Scenarios(t *testing.T) { run(t, scenario.S3) }
