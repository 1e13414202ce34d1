package emulators_test

import (
	"fmt"
	"os"
	"testing"

	"dynamolake/internal/awssim/scenario"
)

// dynamodbLocalLacks are the differences that doc.go tells of. versitygw has none
// that a scenario looks at.
var dynamodbLocalLacks = map[string]bool{
	scenario.AtTimestamp: true,
	scenario.ShardFilter: true,
	scenario.PageBytes:   true,
	scenario.Seconds:     true,
	scenario.BadSequence: true,
}

// The scenarios that hold the simulator also hold the real servers, so what the
// simulator is tested for is not its author's opinion.

func TestDynamoDBLocalPlaysTheScenarios(t *testing.T) {
	db, _ := dynamodbClients(t)
	play(t, scenario.DynamoDB, scenario.Env{DynamoDB: db})
}

func TestDynamoDBLocalPlaysTheStreamScenarios(t *testing.T) {
	db, streams := dynamodbClients(t)
	play(t, scenario.Streams, scenario.Env{DynamoDB: db, Streams: streams, Lacks: dynamodbLocalLacks})
}

func TestVersitygwPlaysTheS3Scenarios(t *testing.T) {
	play(t, scenario.S3, scenario.Env{S3: s3Client(t)})
}

func play(t *testing.T, list []scenario.Scenario, env scenario.Env) {
	for i, s := range list {
		t.Run(s.Name, func(t *testing.T) {
			env := env
			env.Prefix = fmt.Sprintf("c%d-%d-", os.Getpid(), i)
			s.Run(t, env)
		})
	}
}
