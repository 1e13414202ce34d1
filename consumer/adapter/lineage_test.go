package adapter_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"dynamolake/consumer/adapter"
	"dynamolake/internal/bubble"
)

// finished is the application's knowledge, as a lease table would have it.
type finished struct {
	mu     sync.Mutex
	shards map[string]bool
	err    error
}

func (f *finished) ask(_ context.Context, id string) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.shards[id], f.err
}

func (f *finished) tell(s *fakeShard) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.shards == nil {
		f.shards = map[string]bool{}
	}
	f.shards[s.ID] = true
}

func TestAChildWaitsForItsParent(t *testing.T) {
	f := newFake(t)
	parent := f.add("", 0, 256)
	puts(f, 2)
	child := f.roll(parent, 1)[0]
	seqs := puts(f, 2)
	var done finished
	client := adapter.New(f.client(), streamARN, adapter.Options{Pace: -1, Finished: done.ask})

	fresh := start(t, client, at(child, types.ShardIteratorTypeTrimHorizon))
	fresh.want()
	fresh.want()
	if fresh.next == nil {
		t.Fatal("waiting ended the shard")
	}
	begun := start(t, client, at(child, types.ShardIteratorTypeAfterSequenceNumber, seqs[0]))
	begun.want(seqs[1]) // its parent was finished when it began

	done.err = errors.New("lease table is slow")
	if _, err := fresh.page(10); !errors.Is(err, done.err) {
		t.Errorf("the question failed and the answer was %v", err)
	}
	done.err = nil
	done.tell(parent)
	fresh.want(seqs...)
}

func TestAChildDoesNotWaitForATrimmedParent(t *testing.T) {
	f := newFake(t)
	orphan := f.add("shardId-00000000000000000001-trimmed0", 0, 256)
	seqs := puts(f, 1)
	client := adapter.New(f.client(), streamARN, adapter.Options{Pace: -1, Finished: new(finished).ask})
	start(t, client, at(orphan, types.ShardIteratorTypeTrimHorizon)).want(seqs...)
}

// LATEST is said by the library for each shard without a checkpoint, at whatever
// time it gets there. A shard born meanwhile would lose its head.
func TestLatest(t *testing.T) {
	latest := types.ShardIteratorTypeLatest
	t.Run("the first generation starts at the tip, and those born later at their start", func(t *testing.T) {
		bubble.Run(t, func(t *testing.T) {
			f := newFake(t)
			parent := f.add("", 0, 256)
			puts(f, 2)
			client := adapter.New(f.client(), streamARN, unpaced)
			list(t, client)
			r := start(t, client, at(parent, latest))
			last := f.put(3, 3)
			child := f.roll(parent, 1)[0]
			head := f.put(4, 4)
			time.Sleep(time.Minute)
			r.want(last)
			list(t, client)
			start(t, client, at(child, latest)).want(head)
		})
	})
	t.Run("a closed shard that was there at the start is passed over, and its child starts at the tip", func(t *testing.T) {
		f := newFake(t)
		parent := f.add("", 0, 256)
		puts(f, 2)
		child := f.roll(parent, 1)[0]
		puts(f, 2)
		var done finished
		client := adapter.New(f.client(), streamARN, adapter.Options{Pace: -1, Finished: done.ask})
		waiting := start(t, client, at(child, latest))
		r := start(t, client, at(parent, latest))
		r.want()
		if r.next != nil {
			t.Error("LATEST of a closed shard goes on")
		}
		done.tell(parent)
		waiting.want()
		waiting.want(f.put(5, 5))
	})
	t.Run("a child whose parent an earlier run finished starts at its start", func(t *testing.T) {
		f := newFake(t)
		parent := f.add("", 0, 256)
		child := f.roll(parent, 1)[0]
		seqs := puts(f, 2) // while no worker was running
		var done finished
		done.tell(parent)
		client := adapter.New(f.client(), streamARN, adapter.Options{Pace: -1, Finished: done.ask})
		start(t, client, at(child, latest)).want(seqs...)
	})
}
