package adapter_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/google/go-cmp/cmp"

	"dynamolake/consumer/adapter"
	"dynamolake/internal/bubble"
)

// list returns what a Worker would see: "id<parent[first,end]", oldest first.
func list(t *testing.T, client *kinesis.Client) []string {
	t.Helper()
	out, err := client.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: aws.String("any label")})
	if err != nil {
		t.Fatal(err)
	}
	var shards []string
	for _, s := range out.Shards {
		// The library dereferences all of these.
		shards = append(shards, fmt.Sprintf("%s<%s[%s,%s]", *s.ShardId, aws.ToString(s.ParentShardId),
			*s.SequenceNumberRange.StartingSequenceNumber, aws.ToString(s.SequenceNumberRange.EndingSequenceNumber)))
	}
	return shards
}

func line(s *fakeShard, parent string, end any) string {
	return fmt.Sprintf("%s<%s[%d,%v]", s.ID, parent, s.first, end)
}

func TestListShards(t *testing.T) {
	f := newFake(t)
	root := f.add("", 0, 256)
	children := f.roll(root, 2)
	orphan := f.add("shardId-00000000000000000001-trimmed0", 0, 0)
	want := []string{line(root, "", root.end), line(children[0], root.ID, ""), line(children[1], root.ID, ""), line(orphan, orphan.Parent, "")}
	if diff := cmp.Diff(want, list(t, adapter.New(f.client(), streamARN, adapter.Options{}))); diff != "" {
		t.Errorf("listing (-want +got):\n%s", diff)
	}
	want = []string{line(root, "", root.end), line(children[0], "", ""), line(children[1], "", ""), line(orphan, "", "")}
	if diff := cmp.Diff(want, list(t, adapter.New(f.client(), streamARN, adapter.Options{HideParents: true}))); diff != "" {
		t.Errorf("listing without parents (-want +got):\n%s", diff)
	}
}

func TestListShardsOfMoreThanOnePage(t *testing.T) {
	f := newFake(t)
	for range 250 {
		f.add("", 0, 0)
	}
	if got := len(list(t, adapter.New(f.client(), streamARN, adapter.Options{}))); got != 250 || f.count("DescribeStream") != 3 {
		t.Errorf("%d shards in %d pages, want 250 in 3", got, f.count("DescribeStream"))
	}
}

func TestListShardsIsWholeOrAnError(t *testing.T) {
	f := newFake(t)
	for range 150 {
		f.add("", 0, 0)
	}
	f.refuse = func(_ string, in request, _ int) *refusal {
		if in.ExclusiveStartShardID == "" {
			return nil
		}
		return &refusal{status: 400, code: "LimitExceededException"}
	}
	client := adapter.New(f.client(atOnce), streamARN, adapter.Options{})
	out, err := client.ListShards(t.Context(), &kinesis.ListShardsInput{})
	if !errors.As(err, new(*types.ProvisionedThroughputExceededException)) {
		t.Errorf("listing whose second page is throttled = %v, %v", out, err)
	}
	f.refuse = nil
	if got := len(list(t, client)); got != 150 {
		t.Errorf("%d shards after the error", got)
	}
}

func TestListShardsRefusesWhatItWouldIgnore(t *testing.T) {
	client := adapter.New(newFake(t).client(), streamARN, adapter.Options{})
	if _, err := client.ListShards(t.Context(), &kinesis.ListShardsInput{MaxResults: aws.Int32(3)}); err == nil {
		t.Error("MaxResults was ignored")
	}
}

func TestListShardsClosesAParentThatTheStreamCallsOpen(t *testing.T) {
	f := newFake(t)
	root := f.add("", 0, 256)
	child := f.roll(root, 1)[0]
	root.end = 0
	want := []string{line(root, "", "9223372036854775807"), line(child, root.ID, "")}
	if diff := cmp.Diff(want, list(t, adapter.New(f.client(), streamARN, adapter.Options{}))); diff != "" {
		t.Errorf("listing (-want +got):\n%s", diff)
	}
}

func TestListShardsIsReusedForAWhile(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		f := newFake(t)
		f.add("", 0, 256)
		client := adapter.New(f.client(), streamARN, adapter.Options{ListEvery: 3 * time.Second})
		for range 5 {
			list(t, client)
			time.Sleep(time.Second)
		}
		if got := f.count("DescribeStream"); got != 2 {
			t.Errorf("%d calls of DescribeStream in 5 s, want 2", got)
		}
	})
}

// The Worker deletes the lease row of a shard that one listing leaves out.
func TestAShardMissingFromAListingIsStillListed(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		f := newFake(t)
		f.add("", 0, 128)
		gone := f.add("", 128, 256)
		client := adapter.New(f.client(), streamARN, adapter.Options{})
		list(t, client)
		gone.hidden = true
		var listed []int
		for range 12 {
			time.Sleep(time.Minute)
			listed = append(listed, len(list(t, client)))
		}
		if diff := cmp.Diff([]int{2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1}, listed); diff != "" {
			t.Errorf("shards listed by minute (-want +got):\n%s", diff)
		}
	})
}
