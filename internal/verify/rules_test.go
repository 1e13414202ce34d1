package verify

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"dynamolake/checkpoint/ledger"
	"dynamolake/transform"
	"dynamolake/transform/schema"
	"dynamolake/writer"
)

func seqAt(n int) transform.Seq {
	s, err := transform.ParseSeq(fmt.Sprint(n))
	if err != nil {
		panic(err)
	}
	return s
}

// kinds are those of doubts, in order, with what they are about.
func kinds(doubts []Doubt) string {
	var words []string
	for _, d := range doubts {
		words = append(words, string(d.Kind)+" "+d.Subject)
	}
	return strings.Join(words, ", ")
}

func TestAChainIsWalked(t *testing.T) {
	file := func(after, end int) link {
		return link{key: fmt.Sprint(after), after: seqAt(after), end: seqAt(end), rows: 1, minTS: minute(after).UnixMicro(), maxTS: minute(end).UnixMicro(), epoch: 4}
	}
	last := file(20, 30)
	last.shardEnd = true
	only := file(30, 30)
	only.shardEnd = true
	bad := link{key: "10", after: seqAt(10), bad: true}
	behindGap := file(10, 20)
	behindGap.gapBefore = "lost"
	older := file(10, 20)
	older.epoch = 3
	for _, c := range []struct {
		name  string
		links []link
		want  string
		tip   int
		ended bool
	}{
		{"from the beginning to the end", []link{file(0, 10), file(10, 20), last}, "", 30, true},
		{"a shard that is read", []link{file(0, 10), file(10, 20)}, "", 20, false},
		{"a shard that ends without a change", []link{file(0, 10), file(10, 30), only}, "", 30, true},
		{"begins later", []link{file(10, 20)}, "chain start 10", 20, false},
		{"begins later, behind a gap", []link{behindGap}, "", 20, false},
		{"a file is missing", []link{file(0, 10), last}, "broken chain 20", 30, true},
		{"a file within another", []link{file(0, 20), file(10, 15), last}, "forked chain 10", 30, true},
		{"a file within another that goes beyond it", []link{file(0, 20), file(10, 25), last}, "forked chain 10", 30, true},
		{"a file behind the end", []link{file(0, 20), last, file(30, 40)}, "forked chain 30", 30, true},
		{"a file that cannot be read hides where it ends", []link{file(0, 10), bad, last}, "", 30, true},
		{"the last file cannot be read", []link{file(0, 10), bad}, "", 10, false},
		{"an older epoch behind a newer", []link{file(0, 10), older}, "epoch 10", 20, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, doubts := walk(chain{dataset: "all", shard: "s", links: c.links}, func(int64) time.Time { return minute(5) })
			born, err := births(shards{"s": {"all": &s}}, &catalog{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			doubts = append(doubts, born...)
			if got := kinds(doubts); got != c.want || s.tip != seqAt(c.tip) || s.ended != c.ended {
				t.Errorf("doubts %q, want %q; it ends at %v (%v)", got, c.want, s.tip, s.ended)
			}
		})
	}
	t.Run("begins later, before the ledger wants the stream", func(t *testing.T) {
		if s, doubts := walk(chain{shard: "s", links: []link{file(10, 20)}}, func(int64) time.Time { return minute(11) }); len(doubts) > 0 || s.late {
			t.Error(doubts)
		}
	})
}

func TestAChainMayBeginLaterWhereAnotherHasABoundary(t *testing.T) {
	with := &schema.Schema{Datasets: []schema.Dataset{{Name: "new"}, {Name: "old"}}}
	c := &catalog{latest: 2, versions: map[int]*schema.Schema{1: {Datasets: with.Datasets[1:]}, 2: with}}
	at := func(version, after int) map[int]transform.Seq { return map[int]transform.Seq{version: seqAt(after)} }
	for _, one := range []struct {
		name string
		old  *shard // nil: there is none
		ends bool   // a file of it begins where the new one does
		want string
	}{
		{"no other chain", nil, true, "chain start 20"},
		{"at a boundary", &shard{tip: seqAt(30), versions: at(1, 0)}, true, ""},
		{"at the end", &shard{tip: seqAt(20), versions: at(1, 0)}, false, ""},
		{"within a file", &shard{tip: seqAt(30), versions: at(1, 0)}, false, "chain start 20"},
		{"behind the end", &shard{tip: seqAt(19), versions: at(1, 0)}, false, "chain start 20"},
		{"behind a file that cannot be read", &shard{tip: seqAt(19), unsure: true}, false, ""},
		{"the other was written under a schema with both before", &shard{tip: seqAt(30), versions: at(2, 10)}, true, "chain start 20"},
		{"and from there on", &shard{tip: seqAt(30), versions: at(2, 20)}, true, ""},
		{"both begin there, and the other says why", &shard{begin: seqAt(20), tip: seqAt(30), versions: at(2, 20)}, true, ""},
		{"both begin there, and neither says why", &shard{begin: seqAt(20), tip: seqAt(30), versions: at(2, 20), late: true}, true, "chain start 20"},
		{"the other begins later", &shard{begin: seqAt(25), tip: seqAt(30), versions: at(2, 25)}, true, "chain start 20"},
	} {
		t.Run(one.name, func(t *testing.T) {
			all := shards{}
			all.add(&shard{chainID: chainID{"new", "s"}, head: "20", begin: seqAt(20), tip: seqAt(40), late: true, versions: at(2, 20)})
			if one.old != nil {
				one.old.chainID = chainID{"old", "s"}
				all.add(one.old)
			}
			doubts, err := births(all, c, func(string, transform.Seq) (bool, error) { return one.ends, nil })
			var got []string
			for _, d := range doubts {
				if d.Subject == "20" {
					got = append(got, string(d.Kind)+" "+d.Subject)
				}
			}
			if err != nil || strings.Join(got, ", ") != one.want {
				t.Errorf("%q (%v), want %q", got, err, one.want)
			}
		})
	}
}

func TestNamesAreReadStrictly(t *testing.T) {
	const prefix = "1/eu-west-1/orders/"
	chain := writer.ChainPrefix(prefix, "all", shardA)
	zero := transform.Seq{}.String()
	window := writer.WindowPrefix(prefix, "all", minute(0), minute(1))
	for key, want := range map[string]role{
		chain + "after-" + zero + ".parquet": roleLink,
		chain + "after-0.parquet":            roleUnknown,
		chain + "after-" + zero + ".json":    roleUnknown,
		strings.Replace(chain, "2026-05-01", "2026-05-02", 1) + "after-" + zero + ".parquet": roleUnknown,
		window + "a.parquet":         roleWindow,
		window + "overlap-5.parquet": roleWindow,
		window + "a/b.parquet":       roleUnknown,
		prefix + "changes/all/window=2026-05-01_2026-05-02/a.parquet":            roleUnknown,
		writer.SnapshotPrefix(prefix, "all", "0177-ab") + "a.parquet":            roleSnapshot,
		prefix + "snapshot/all/export=/a.parquet":                                roleUnknown,
		prefix + "_ledger/ledger.json":                                           roleLedger,
		prefix + "_ledger/exports/0177-ab.json":                                  roleRecord,
		prefix + "_ledger/gaps/" + shardA + "/after-" + zero + ".json":           roleGap,
		prefix + "_ledger/gaps/" + shardA + "/after-" + zero + "-continued.json": roleGap,
		prefix + "_ledger/gaps/" + shardA + "/before.json":                       roleUnknown,
		prefix + "rejects/stream/" + shardA + "/" + zero + ".json":               roleReject,
		prefix + "rejects/exports/0177-ab/a.json.gz-7.json":                      roleReject,
		prefix + "rejects/other/x/a.json":                                        roleUnknown,
		prefix + "rejects/stream/" + shardA + "/" + zero + "@orders.json":        roleReject,
		prefix + "_ledger/schemas/000012.yaml":                                   roleSchema,
		prefix + "_ledger/schemas/1000000.yaml":                                  roleSchema,
		prefix + "_ledger/schemas/000000.yaml":                                   roleUnknown,
		prefix + "_ledger/schemas/12.yaml":                                       roleUnknown,
		prefix + "_ledger/schemas/000012.yml":                                    roleUnknown,
		prefix + "changes/all/a.parquet":                                         roleUnknown,
	} {
		if got := parsePlace(prefix, key).role; got != want {
			t.Errorf("%s is of role %d, want %d", key, got, want)
		}
	}
}

// TestTheOrderOfRows: packed, it is that of epochs, then of 40 digits or of times.
func TestTheOrderOfRows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	digits := func() string {
		b := make([]byte, 1+r.IntN(40))
		for i := range b {
			b[i] = '0' + byte(r.IntN(10))
		}
		b[0] = '1' + byte(r.IntN(9))
		return string(b)
	}
	for range 10_000 {
		a, err1 := transform.ParseSeq(digits())
		b, err2 := transform.ParseSeq(digits())
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if got, want := orderOf(7, a, 0).compare(orderOf(7, b, 0)), a.Compare(b); got != want {
			t.Fatalf("%v and %v: %d, want %d", a, b, got, want)
		}
		if orderOf(7, a, 0).compare(orderOf(8, b, 0)) >= 0 || orderOf(9, transform.Seq{}, -5).compare(orderOf(8, a, 0)) <= 0 {
			t.Fatalf("the epoch does not come first: %v, %v", a, b)
		}
	}
	for _, ts := range []int64{-3, 0, 5} {
		if orderOf(7, transform.Seq{}, ts).compare(orderOf(7, transform.Seq{}, ts+1)) >= 0 {
			t.Errorf("time %d is not before the next", ts)
		}
	}
}

func TestTimelines(t *testing.T) {
	full := func(n int64, at int) ledger.Epoch {
		return ledger.Epoch{Number: n, Source: ledger.Full, To: minute(at), Exports: []ledger.Export{{To: minute(at), Status: ledger.Converted}}}
	}
	windows := func(n int64, from, to int) ledger.Epoch {
		return ledger.Epoch{Number: n, Source: ledger.Incremental, From: minute(from), To: minute(to), Until: minute(to)}
	}
	stream := func(n int64, from, to int) ledger.Epoch {
		e := ledger.Epoch{Number: n, Source: ledger.Stream, From: minute(from)}
		if to > 0 {
			e.To = minute(to)
		}
		return e
	}
	seeding := full(2, 10)
	seeding.Exports[0].Status = ledger.Running
	for _, c := range []struct {
		name    string
		epochs  []ledger.Epoch
		gaps    []ledger.Gap
		changes bool
		want    string
	}{
		{name: "nothing", want: "no full export ledger"},
		{name: "nothing but changes are wanted", changes: true},
		{name: "a full export and a stream", epochs: []ledger.Epoch{full(2, 10), stream(4, 0, 0)}},
		{name: "a full export that is under way", epochs: []ledger.Epoch{seeding, stream(4, 0, 0)}, want: "no full export ledger, no full export epoch 2"},
		{name: "a stream alone", epochs: []ledger.Epoch{stream(4, 0, 0)}, want: "no full export ledger"},
		{name: "a stream alone, and its changes are wanted", epochs: []ledger.Epoch{stream(4, 0, 0)}, changes: true},
		{name: "the stream begins after the export", epochs: []ledger.Epoch{full(2, 10), stream(4, 20, 0)}, want: "hole epoch 4"},
		{name: "windows between them", epochs: []ledger.Epoch{full(2, 10), windows(3, 10, 25), stream(4, 20, 0)}},
		{name: "windows that do not reach", epochs: []ledger.Epoch{full(2, 10), windows(3, 10, 15), stream(4, 20, 0)}, want: "hole epoch 4"},
		{name: "windows below the export do not count", epochs: []ledger.Epoch{windows(1, 10, 25), full(2, 10), stream(4, 20, 0)}, want: "hole epoch 4"},
		{
			name: "a gap that is repaired", epochs: []ledger.Epoch{full(2, 10), stream(4, 0, 60), windows(5, 60, 120), stream(8, 120, 0)},
			gaps: []ledger.Gap{{Number: 1, From: minute(60), To: minute(120), State: ledger.GapClosed, Epoch: 5, After: 8}},
		},
		{
			name: "a gap that is open", epochs: []ledger.Epoch{full(2, 10), stream(4, 0, 60), stream(8, 120, 0)},
			gaps: []ledger.Gap{{Number: 1, From: minute(60), Resumed: minute(118), State: ledger.GapOpen, Epoch: 5, After: 8}}, want: "gap gap 1",
		},
		{
			name: "a gap that is lost", epochs: []ledger.Epoch{full(2, 10), stream(4, 0, 60), windows(5, 60, 60), stream(8, 120, 0)},
			gaps: []ledger.Gap{{Number: 1, From: minute(60), To: minute(120), State: ledger.GapLost, Epoch: 5, After: 8}}, want: "gap gap 1",
		},
		{
			name: "a gap that a full export made irrelevant", epochs: []ledger.Epoch{full(2, 10), stream(4, 0, 60), windows(5, 60, 60), full(6, 130), stream(8, 120, 0)},
			gaps: []ledger.Gap{{Number: 1, From: minute(60), To: minute(120), State: ledger.GapReseeded, Epoch: 5, After: 8}},
		},
		{
			name: "a window that somebody gave his word for", epochs: []ledger.Epoch{full(1, 10), windows(2, 20, 40)},
			gaps: []ledger.Gap{{Number: 1, From: minute(10), To: minute(20), State: ledger.GapClosed}}, want: "gap gap 1",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			doubts := timeline(ledger.Ledger{Epochs: c.epochs, Gaps: c.gaps}, c.changes, false)
			if got := kinds(doubts); got != c.want {
				t.Errorf("doubts %q, want %q", got, c.want)
			}
		})
	}
}

// TestHowFarALakeOfChangesReaches though nothing in it may be as young: a stream that is read no more was read up to its epoch's end.
func TestHowFarALakeOfChangesReaches(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 11, 29, hour, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		name    string
		to      time.Time // of its only epoch; zero while it is read
		through time.Time // by leases or rows
		want    time.Time
	}{
		{"while it is read, as leases tell", time.Time{}, at(10), at(10)},
		{"while it is read and nothing tells", time.Time{}, time.Time{}, time.Time{}},
		{"a replay without rows", at(12), time.Time{}, at(12)},
		{"a replay with older rows", at(12), at(10), at(12)},
		{"a replay with rows from after it was begun", at(12), at(13), at(13)},
	} {
		l := ledger.Ledger{Epochs: []ledger.Epoch{{Number: 4, Source: ledger.Stream, From: at(8), To: c.to}}}
		if since, reach := reachOf(l, c.through); !since.Equal(at(8)) || !reach.Equal(c.want) {
			t.Errorf("%s: %v to %v, want %v", c.name, since, reach, c.want)
		}
	}
}
