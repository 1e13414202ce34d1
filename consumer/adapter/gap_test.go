package adapter_test

import (
	"errors"
	"testing"

	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/google/go-cmp/cmp"

	"dynamolake/consumer/adapter"
)

// A trimmed stretch is never passed over unless somebody said so.
func TestGaps(t *testing.T) {
	for name, lose := range map[string]func(s *fakeShard){
		"records were trimmed": func(s *fakeShard) { s.trimmed = 3 },
		"the shard is gone":    func(s *fakeShard) { s.hidden = true },
	} {
		for when, read := range map[string]func(t *testing.T, client *kinesis.Client, s *fakeShard, seqs []string, lose func()) (*reader, error){
			"while it was read": func(t *testing.T, client *kinesis.Client, s *fakeShard, seqs []string, lose func()) (*reader, error) {
				r := start(t, client, at(s, types.ShardIteratorTypeTrimHorizon))
				if _, err := r.page(1); err != nil {
					t.Fatal(err)
				}
				lose()
				return r, nil
			},
			"before it was resumed": func(t *testing.T, client *kinesis.Client, s *fakeShard, seqs []string, lose func()) (*reader, error) {
				lose()
				in := at(s, types.ShardIteratorTypeAfterSequenceNumber, seqs[0])
				out, err := client.GetShardIterator(t.Context(), &in)
				if err != nil {
					return nil, err
				}
				return &reader{t: t, client: client, next: out.ShardIterator}, nil
			},
		} {
			for policy, action := range map[string]adapter.GapAction{"stop": adapter.Stop, "continue": adapter.Continue} {
				t.Run(name+" "+when+", "+policy, func(t *testing.T) {
					f := newFake(t)
					s := f.add("", 0, 256)
					seqs := puts(f, 5)
					var gaps []adapter.Gap
					client := adapter.New(f.client(), streamARN, adapter.Options{Pace: -1, OnGap: func(g adapter.Gap) adapter.GapAction {
						gaps = append(gaps, g)
						return action
					}})
					var page []string
					r, err := read(t, client, s, seqs, func() { lose(s) })
					if err == nil {
						page, err = r.page(1000)
					}
					want := adapter.Gap{ShardID: s.ID, After: seqs[0], ShardGone: s.hidden}
					if diff := cmp.Diff([]adapter.Gap{want}, gaps); diff != "" {
						t.Errorf("gaps (-want +got):\n%s", diff)
					}
					if action == adapter.Stop {
						var gap *adapter.GapError
						if !errors.As(err, &gap) || gap.Gap != want {
							t.Errorf("error %v", err)
						}
						return
					}
					if err != nil {
						t.Fatal(err)
					}
					var left []string
					if !s.hidden {
						left = seqs[3:]
					}
					if diff := cmp.Diff(left, page); diff != "" {
						t.Errorf("records behind the gap (-want +got):\n%s", diff)
					}
					if ended := r.next == nil; ended != s.hidden {
						t.Errorf("shard ended: %v", ended)
					}
				})
			}
		}
	}
}

func TestAGapStopsByDefault(t *testing.T) {
	f := newFake(t)
	s := f.add("", 0, 256)
	seqs := puts(f, 5)
	s.trimmed = 3
	in := at(s, types.ShardIteratorTypeAfterSequenceNumber, seqs[0])
	_, err := adapter.New(f.client(), streamARN, unpaced).GetShardIterator(t.Context(), &in)
	if !errors.As(err, new(*adapter.GapError)) || !errors.As(err, new(*streamtypes.TrimmedDataAccessException)) {
		t.Errorf("error %v", err)
	}
}

// ResourceNotFound is not yet the end of a shard: the decision needs the listing.
func TestNotFoundIsLookedInto(t *testing.T) {
	notFound := func(ops ...string) func(string, request, int) *refusal {
		return func(op string, _ request, _ int) *refusal {
			for _, o := range ops {
				if o == op {
					return &refusal{status: 400, code: "ResourceNotFoundException"}
				}
			}
			return nil
		}
	}
	f := newFake(t)
	s := f.add("", 0, 256)
	seqs := puts(f, 2)
	client := adapter.New(f.client(atOnce), streamARN, adapter.Options{Pace: -1, OnGap: func(g adapter.Gap) adapter.GapAction {
		t.Errorf("a gap that is none: %v", g)
		return adapter.Continue
	}})
	r := start(t, client, at(s, types.ShardIteratorTypeTrimHorizon))
	t.Run("a shard that is still listed is asked again", func(t *testing.T) {
		f.refuse = notFound("GetRecords")
		if _, err := r.page(10); !errors.As(err, new(*types.ProvisionedThroughputExceededException)) {
			t.Errorf("error %v", err)
		}
		f.refuse = nil
		r.want(seqs...)
	})
	t.Run("a stream that is gone is an error of its own", func(t *testing.T) {
		f.refuse = notFound("GetRecords", "DescribeStream")
		if _, err := r.page(10); !errors.As(err, new(*types.ResourceNotFoundException)) {
			t.Errorf("error %v", err)
		}
	})
}
