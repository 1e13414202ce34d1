package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"

	"dynamolake/writer"
)

// awsKey is where a context carries AWS settings: a test runs whole commands in a
// simulator, in virtual time, which no socket allows.
type awsKey struct{}

// loadAWS reads the SDK's own settings and makes sure that there are credentials:
// without any, the first call would say so in ten lines.
func loadAWS(ctx context.Context) (aws.Config, error) {
	if cfg, ok := ctx.Value(awsKey{}).(aws.Config); ok {
		return cfg, nil
	}
	// What the SDK has to say it would write to stderr in lines of its own, amid a log in JSON. All of it that
	// matters is in errors.
	cfg, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithLogger(logging.Nop{}))
	if err != nil {
		return cfg, fmt.Errorf("AWS settings: %w", err)
	}
	if cfg.Region == "" {
		return cfg, errors.New("no AWS region; set AWS_REGION or a profile with one")
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return cfg, fmt.Errorf("no AWS credentials; set AWS_PROFILE, or give the container or instance a role: %w", err)
	}
	return cfg, nil
}

// openLake opens the store without touching it.
func openLake(lake string, cfg aws.Config) (writer.Lake, error) {
	return writer.Open(lake, func() (*s3.Client, error) { return newS3(cfg), nil })
}

// newS3 makes a client that also fits servers other than AWS: these rarely resolve
// a host per bucket.
func newS3(cfg aws.Config) *s3.Client {
	return s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = cfg.BaseEndpoint != nil || os.Getenv("AWS_ENDPOINT_URL_S3") != "" || os.Getenv("AWS_ENDPOINT_URL") != ""
	})
}

// checkLake looks at the address only. A folder is made when it is opened, and what
// is wrong with it is told then.
func checkLake(lake string) error {
	if strings.HasPrefix(lake, "file:///") {
		return nil
	}
	_, err := writer.Open(lake, func() (*s3.Client, error) { return nil, nil })
	return err
}
