package scenario_test

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"dynamolake/internal/awssim/scenario"
	"dynamolake/internal/emulators"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func TestMain(m *testing.M) { emulators.Main(m) }

// With SCENARIO_UPDATE=testdata this writes the golden texts anew: read them.
func TestDynamoDBLocalAgrees(t *testing.T) {
	endpoint := emulators.DynamoDBLocal(t)
	creds := credentials.NewStaticCredentialsProvider("local", "local", "")
	env := scenario.Env{
		DynamoDB: dynamodb.New(dynamodb.Options{BaseEndpoint: &endpoint, Region: "us-east-1", Credentials: creds}),
		Streams:  dynamodbstreams.New(dynamodbstreams.Options{BaseEndpoint: &endpoint, Region: "us-east-1", Credentials: creds}),
		Lacks:    scenario.DynamoDBLocal(),
	}
	for i, s := range slices.Concat(scenario.DynamoDB, scenario.Streams) {
		t.Run(s.Name, func(t *testing.T) {
			env.Prefix = fmt.Sprintf("c%d-%d-", os.Getpid(), i)
			s.Run(t, env)
		})
	}
}

func TestVersitygwAgrees(t *testing.T) {
	endpoint, key, secret := emulators.S3(t)
	client := s3.New(s3.Options{BaseEndpoint: &endpoint, Region: "us-east-1", UsePathStyle: true, Credentials: credentials.NewStaticCredentialsProvider(key, secret, "")})
	for i, s := range scenario.S3 {
		t.Run(s.Name, func(t *testing.T) {
			s.Run(t, scenario.Env{S3: client, Prefix: fmt.Sprintf("c%d-%d-", os.Getpid(), i)})
		})
	}
}
