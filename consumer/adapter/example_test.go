package adapter_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"sync"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/vmware/vmware-go-kcl-v2/clientlibrary/checkpoint"
	"github.com/vmware/vmware-go-kcl-v2/clientlibrary/config"
	kcl "github.com/vmware/vmware-go-kcl-v2/clientlibrary/interfaces"
	"github.com/vmware/vmware-go-kcl-v2/clientlibrary/partition"
	"github.com/vmware/vmware-go-kcl-v2/clientlibrary/worker"

	"dynamolake/consumer/adapter"
)

// A stock Worker with the library's DynamoDB checkpointer prints the changes of a
// table. Run it on as many machines as there is work for, each with its own
// worker id.
func Example() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Getenv("STREAM_ARN"), os.Getenv("HOSTNAME")); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, streamARN, workerID string) error {
	cfg, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	kclConfig := config.NewKinesisClientLibConfig("orders-printer", "orders", cfg.Region, workerID).
		WithInitialPositionInStream(config.TRIM_HORIZON)
	leases := checkpoint.NewDynamoCheckpoint(kclConfig) // what the Worker makes by default

	// A shard is finished when its checkpoint is SHARD_END.
	finished := func(_ context.Context, shardID string) (bool, error) {
		status := &partition.ShardStatus{ID: shardID, Mux: &sync.RWMutex{}}
		err := leases.FetchCheckpoint(status)
		if errors.Is(err, checkpoint.ErrSequenceIDNotFound) {
			return false, nil
		}
		return status.GetCheckpoint() == checkpoint.ShardEnd, err
	}

	w := worker.NewWorker(printers{}, kclConfig).
		WithCheckpointer(leases).
		WithKinesis(adapter.New(dynamodbstreams.NewFromConfig(cfg), streamARN, adapter.Options{Finished: finished}))
	if err := w.Start(); err != nil {
		return err
	}
	<-ctx.Done()
	w.Shutdown()
	return nil
}

type printers struct{}

func (printers) CreateProcessor() kcl.IRecordProcessor { return printer{} }

type printer struct{}

func (printer) Initialize(*kcl.InitializationInput) {}

func (printer) ProcessRecords(in *kcl.ProcessRecordsInput) {
	for _, r := range in.Records {
		fmt.Printf("%s %s\n", *r.PartitionKey, r.Data) // the record in DynamoDB JSON
	}
	last := in.Records[len(in.Records)-1].SequenceNumber
	if err := in.Checkpointer.Checkpoint(last); err != nil {
		log.Print(err)
	}
}

func (printer) Shutdown(in *kcl.ShutdownInput) {
	if in.ShutdownReason == kcl.TERMINATE {
		// The shard is read to its end. Only this lets its children begin.
		if err := in.Checkpointer.Checkpoint(nil); err != nil {
			log.Print(err)
		}
	}
}
