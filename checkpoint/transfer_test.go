package checkpoint

import (
	"strings"
	"testing"
)

func TestTransfer(t *testing.T) {
	const label = "2026-11-01T00:00:00.000"
	to := Scope{Region: "eu-west-1", Account: "123456789012", Table: "orders"}
	users := Scope{Region: "eu-west-1", Account: "123456789012", Table: "users"}
	rows := []Row{
		{Key: "shardId-2", Owner: "w", Counter: 7, Checkpoint: Checkpoint{Seq: "200"}, Parents: []string{"shardId-1"}, Stream: label},
		{Key: "shardId-1", Holder: "w", Counter: 9, Checkpoint: Checkpoint{Sentinel: ShardEnd}, Epoch: 4},
	}
	moved := func(r Row, change func(*Row)) Row {
		r.Of, r.Owner, r.Holder = to.stream(label), "", ""
		if change != nil {
			change(&r)
		}
		return r
	}
	of := func(s Scope, key string) Row {
		return Row{Key: key, Of: s.stream(label), Checkpoint: Checkpoint{Seq: "1"}}
	}
	for name, c := range map[string]struct {
		there Table
		want  int // new rows
		err   string
	}{
		"nothing there":               {Table{}, 2, ""},
		"another table there":         {Table{Multi: true, Leases: []Row{of(users, "shardId-1")}}, 2, ""},
		"cut off":                     {Table{Multi: true, Leases: []Row{moved(rows[1], nil)}}, 1, ""},
		"done":                        {Table{Multi: true, Leases: []Row{moved(rows[0], nil), moved(rows[1], nil)}}, 0, ""},
		"a fleet of one":              {Table{Leases: []Row{{Key: "shardId-9", Checkpoint: Checkpoint{Seq: "1"}}}}, 0, "is of a fleet that reads one table"},
		"moved on":                    {Table{Multi: true, Leases: []Row{moved(rows[0], func(r *Row) { r.Checkpoint.Seq = "201" })}}, 0, "and they are others (shard shardId-2)"},
		"written":                     {Table{Multi: true, Leases: []Row{moved(rows[0], func(r *Row) { r.Counter++ })}}, 0, "and they are others (shard shardId-2)"},
		"owned":                       {Table{Multi: true, Leases: []Row{moved(rows[0], func(r *Row) { r.Owner = "x" })}}, 0, "and they are others (shard shardId-2)"},
		"a shard that is younger":     {Table{Multi: true, Leases: []Row{of(to, "shardId-3")}}, 0, "of a shard that is not known here"},
		"another region, same table":  {Table{Multi: true, Leases: []Row{of(Scope{Region: "us-east-1", Account: to.Account, Table: to.Table}, "shardId-2")}}, 2, ""},
		"workers only, and no leases": {Table{Multi: true}, 2, ""},
	} {
		got, err := transfer(rows, c.there, "dynamolake", to, label)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: got %+v, %v, want %s", name, got, err, c.err)
			}
			continue
		}
		if err != nil || len(got.New) != c.want || len(got.Rows) != len(rows) {
			t.Errorf("%s: got %+v, %v, want %d new rows", name, got, err, c.want)
		}
		for i, r := range got.New {
			if r.in() != "" || !to.has(r) || i > 0 && r.Key < got.New[i-1].Key {
				t.Errorf("%s: row %+v after %+v", name, r, got.New[:i])
			}
		}
	}
	if rows[0].Owner != "w" || rows[0].Of != "" {
		t.Errorf("the rows that were given changed: %+v", rows[0])
	}
}
