package consumer

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dynamolake/checkpoint"
)

func TestAPartOfAStream(t *testing.T) {
	all := []checkpoint.Shard{{ID: "a", Closed: true}, {ID: "b", Parent: "a", Closed: true}, {ID: "c", Parent: "b"}, {ID: "d", Parent: "a"}}
	for _, c := range []struct {
		name   string
		part   Part
		want   []checkpoint.Shard
		leaves []string
	}{
		{"all of it", Part{}, all, []string{"c", "d"}},
		{"a shard whose parent is left out waits for nobody", Part{Done: []string{"a"}}, []checkpoint.Shard{{ID: "b", Closed: true}, {ID: "c", Parent: "b"}, {ID: "d"}}, []string{"c", "d"}},
		{"the only ones", Part{Shards: []string{"b", "d"}}, []checkpoint.Shard{{ID: "b", Closed: true}, {ID: "d"}}, []string{"b", "d"}},
		{"one that is done is not read, even if it is asked for", Part{Shards: []string{"a", "b"}, Done: []string{"a"}}, []checkpoint.Shard{{ID: "b", Closed: true}}, []string{"b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.part.Of(slices.Clone(all))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if leaves := Leaves(got); !slices.Equal(leaves, c.leaves) {
				t.Errorf("leaves %q, want %q", leaves, c.leaves)
			}
		})
	}
}
