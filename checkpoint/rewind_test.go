package checkpoint

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Times of rows in these tests are their sequence numbers in seconds.
func secondsAt(seq int) time.Time { return time.Unix(int64(seq), 0).UTC() }

func pos(seq int) string {
	if seq == 0 {
		return ""
	}
	return strconv.Itoa(seq)
}

// files is a chain of "0-10 10-20! 20-20E": each file from its cursor to its end, "!" without rows, "E"
// at the end of the shard, "e2" of epoch 2 (else 8).
func files(dataset, text string) Chain {
	c := Chain{Dataset: dataset}
	for word := range strings.FieldsSeq(text) {
		after, rest, _ := strings.Cut(word, "-")
		digits, marks := rest, ""
		if i := strings.IndexAny(rest, "!Ee"); i >= 0 {
			digits, marks = rest[:i], rest[i:]
		}
		a, _ := strconv.Atoi(after)
		e, _ := strconv.Atoi(digits)
		l := Link{After: pos(a), End: pos(e), Last: strings.Contains(marks, "E")}
		if !strings.Contains(marks, "!") && e > a {
			l.Epoch, l.Newest = 8, secondsAt(e)
			if strings.Contains(marks, "e2") {
				l.Epoch = 2
			}
		}
		c.Links = append(c.Links, l)
	}
	return c
}

func TestRewind(t *testing.T) {
	const shard = "shardId-00000001764000000000-aaaa"
	start := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	seq := func(n int) Target { return Target{Seq: strconv.Itoa(n)} }
	horizon := Target{}
	for _, c := range []struct {
		name       string
		checkpoint string
		row        func(*Row)
		chains     []Chain
		to         Target
		want       string // "<checkpoint> walks <n>", "... rereads after <position>", or why it stays
		refused    string
		current    time.Time // afterwards, where it changes
	}{
		{name: "a sequence number that is a boundary", checkpoint: "30", chains: []Chain{files("all", "0-10 10-20 20-30")}, to: seq(20), want: "20 walks 1"},
		{name: "a sequence number inside a file goes back to its beginning", checkpoint: "30", chains: []Chain{files("all", "0-10 10-20 20-30")}, to: seq(19), want: "10 walks 2"},
		{name: "the beginning", checkpoint: "30", chains: []Chain{files("all", "0-10 10-20 20-30")}, to: horizon, want: "TRIM_HORIZON walks 3"},
		{name: "a time: all files behind have it", checkpoint: "30", chains: []Chain{files("all", "0-10 10-20 20-30")}, to: Target{At: secondsAt(20)}, want: "10 walks 2"},
		{name: "a time between files", checkpoint: "30", chains: []Chain{files("all", "0-10 10-20 20-30")}, to: Target{At: secondsAt(21)}, want: "20 walks 1"},
		{name: "a time within a second that a record is rounded down to", checkpoint: "30", chains: []Chain{files("all", "0-10 10-20 20-30")}, to: Target{At: secondsAt(20).Add(900 * time.Millisecond)}, want: "10 walks 2"},
		{name: "a time: files without rows do not count", checkpoint: "30", chains: []Chain{files("all", "0-10 10-20! 20-30")}, to: Target{At: secondsAt(15)}, want: "20 walks 1"},
		{name: "a time before everything", checkpoint: "30", chains: []Chain{files("all", "0-10 10-30")}, to: Target{At: secondsAt(1)}, want: "TRIM_HORIZON walks 2"},
		{name: "never forward", checkpoint: "10", chains: []Chain{files("all", "0-10 10-20 20-30")}, to: seq(25), want: "it is there, or before, already"},
		{name: "where it is already", checkpoint: "20", chains: []Chain{files("all", "0-10 10-20 20-30")}, to: seq(20), want: "it is there, or before, already"},
		{name: "a row that has not begun", checkpoint: TrimHorizon, chains: []Chain{files("all", "")}, to: horizon, want: "it is at its beginning"},
		{name: "a checkpoint that the files do not reach", checkpoint: "30", chains: []Chain{files("all", "0-10 10-20")}, to: seq(25), want: "20 walks 0, rereads after 20", current: secondsAt(20)},
		{name: "the same, from further back", checkpoint: "30", chains: []Chain{files("all", "0-10 10-20")}, to: horizon, want: "TRIM_HORIZON walks 2, rereads after 20", current: secondsAt(20)},
		{name: "no file at all", checkpoint: "30", chains: []Chain{files("all", "")}, to: seq(20), want: "TRIM_HORIZON walks 0, rereads after TRIM_HORIZON", current: time.Time{}},
		{name: "no file, and it began at a time", checkpoint: "30", row: func(r *Row) { r.Checkpoint.Start = start }, chains: []Chain{files("all", "")}, to: seq(20), want: "AT_TIMESTAMP walks 0, rereads after TRIM_HORIZON", current: time.Time{}},
		{name: "a chain that begins late goes as far back as it begins", checkpoint: "30", chains: []Chain{files("all", "10-20 20-30")}, to: horizon, want: "10 walks 2"},
		{name: "before where a chain begins", checkpoint: "30", chains: []Chain{files("all", "10-20 20-30")}, to: seq(5), refused: "no file boundary that early; the earliest position is 10"},
		{name: "behind a missing file", checkpoint: "40", chains: []Chain{files("all", "0-10 20-30 30-40")}, to: seq(30), want: "30 walks 1"},
		{name: "before a missing file", checkpoint: "40", chains: []Chain{files("all", "0-10 20-30 30-40")}, to: seq(15), refused: "do not follow one another after 10: one is missing"},
		{name: "as far back as possible over a missing file", checkpoint: "40", chains: []Chain{files("all", "0-10 20-30 30-40")}, to: horizon, refused: "do not follow one another after 10: one is missing"},
		{name: "inside a file that overlaps the next", checkpoint: "40", chains: []Chain{files("all", "0-25 20-30 30-40")}, to: seq(20), refused: "do not follow one another after 25"},
		{name: "files that overlap at the end", checkpoint: "40", chains: []Chain{files("all", "0-40 20-30")}, to: seq(30), refused: "no position in common, or two files of one overlap"},
		{name: "datasets cut alike here and there", checkpoint: "40", chains: []Chain{files("a", "0-10 10-20 20-40"), files("b", "0-15 15-20 20-30! 30-40")}, to: seq(35), want: "20 walks 3"},
		{name: "one dataset's last file is missing", checkpoint: "40", chains: []Chain{files("a", "0-20 20-40"), files("b", "0-20")}, to: seq(39), want: "20 walks 1, rereads after 20", current: secondsAt(20)},
		{name: "a dataset that has no files yet", checkpoint: "40", chains: []Chain{files("a", "0-20 20-40"), files("b", "")}, to: seq(20), want: "20 walks 1, rereads after 20", current: secondsAt(20)},
		{name: "datasets without a common boundary", checkpoint: "40", chains: []Chain{files("a", "0-40"), files("b", "10-30")}, to: seq(20), refused: "no position in common"},
		{name: "an ended shard that is whole", checkpoint: ShardEnd, chains: []Chain{files("all", "0-10 10-20E")}, to: horizon, want: "all of the shard is in the lake"},
		{name: "an ended shard whose last file is missing", checkpoint: ShardEnd, chains: []Chain{files("all", "0-10 10-20")}, to: seq(20), want: "20 walks 0, rereads after 20", current: secondsAt(20)},
		{name: "an ended shard, and its child has files", checkpoint: ShardEnd, row: func(r *Row) { r.Children = []string{"written"} }, chains: []Chain{files("all", "0-10")}, to: horizon, refused: "its child written has files already"},
		{name: "an ended shard, and its child has none", checkpoint: ShardEnd, row: func(r *Row) { r.Children = []string{"unwritten"} }, chains: []Chain{files("all", "0-10")}, to: horizon, want: "TRIM_HORIZON walks 1, rereads after 10", current: secondsAt(10)},
		{name: "not to the end of a shard: nobody sees it from there", checkpoint: "30", chains: []Chain{files("all", "0-20 20-30E")}, to: seq(30), want: "20 walks 1"},
		{name: "a halted shard", checkpoint: "30", row: func(r *Row) { r.Gap = "{}" }, chains: []Chain{files("all", "0-10 10-30")}, to: seq(10), refused: "halts at a gap"},
		{name: "not back into an older epoch", checkpoint: "40", row: func(r *Row) { r.Epoch = 8 }, chains: []Chain{files("all", "0-10e2 10-20e2 20-30 30-40")}, to: horizon, want: "20 walks 2"},
		{name: "all files before are of an older epoch", checkpoint: "20", row: func(r *Row) { r.Epoch = 8 }, chains: []Chain{files("all", "0-10e2 10-20e2")}, to: horizon, want: "the files before it are of an older epoch, and in the lake"},
		{name: "a dataset without files, behind an older epoch", checkpoint: "40", row: func(r *Row) { r.Epoch = 8 }, chains: []Chain{files("a", "0-20e2 20-40"), files("b", "")}, to: horizon, refused: "would be exported again; the earliest position is 20"},
	} {
		t.Run(c.name, func(t *testing.T) {
			row := Row{Key: shard, Owner: "w", Counter: 7, Checkpoint: checkpointOf(c.checkpoint), CurrentTo: secondsAt(99), Epoch: 8}
			if c.row != nil {
				c.row(&row)
			}
			re, err := Rewind(row, map[string]Row{row.Key: row}, c.chains, c.to, func(child string) (bool, error) { return child == "written", nil })
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) || !strings.HasPrefix(err.Error(), "shard "+shard+": ") || strings.Contains(err.Error(), "\n") {
					t.Errorf("got %+v, %v; want it refused with %q, in one line", re, err, c.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := re.Stays
			if got == "" {
				got = fmt.Sprintf("%s walks %d", re.To.text(), re.Walked)
			}
			if re.Rereads {
				got += ", rereads after " + shown(re.From)
			}
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			want := row
			if re.Stays == "" {
				want.Owner, want.Counter, want.Checkpoint = "", 8, re.To
				if re.Rereads {
					want.CurrentTo = c.current
				}
			}
			if diff := cmp.Diff(want, re.After()); diff != "" {
				t.Errorf("the row becomes another: %s", diff)
			}
		})
	}
}

func TestARewoundRowWaitsForTheParentsThatThereAre(t *testing.T) {
	const key = "shardId-00000001764000000000-aaaa"
	row := Row{Key: key, Checkpoint: Checkpoint{Seq: "30"}, Parents: []string{"parent"}}
	for _, c := range []struct {
		name string
		rows map[string]Row
		gone bool
	}{
		{"a parent without a row is not waited for", map[string]Row{key: row}, true},
		{"one that has a row is", map[string]Row{key: row, "parent": {Key: "parent"}}, false},
	} {
		re, err := Rewind(row, c.rows, []Chain{files("all", "0-30")}, Target{}, nil)
		if err != nil || re.ParentGone != c.gone || re.To.Sentinel != TrimHorizon {
			t.Errorf("%s: %+v, %v", c.name, re, err)
		}
	}
}

// TestNoRewindDoublesARow plays random chains, with files missing or put apart, a random rewind, and then a
// session that cuts its batches in its own way. Whatever is allowed must leave each record that the stream
// still has exactly where it was or once more, never twice.
func TestNoRewindDoublesARow(t *testing.T) {
	allowed, reread := 0, 0
	for seed := range uint64(4000) {
		rng := rand.New(rand.NewPCG(seed, 1))
		last := 5 + rng.IntN(40)
		chains := make([]Chain, 1+rng.IntN(3))
		for d := range chains {
			chains[d].Dataset = strconv.Itoa(d)
			for at := 0; at < last; {
				to := min(last, at+1+rng.IntN(6))
				if rng.IntN(3) > 0 { // a common cut
					to = min(last, (at/5+1)*5)
				}
				chains[d].Links = append(chains[d].Links, Link{After: pos(at), End: pos(to), Epoch: 8, Newest: secondsAt(to)})
				at = to
			}
			switch n := len(chains[d].Links); rng.IntN(4) {
			case 0: // the last files are gone
				chains[d].Links = chains[d].Links[:rng.IntN(n+1)]
			case 1: // one in the middle is
				i := rng.IntN(n)
				chains[d].Links = slices.Delete(chains[d].Links, i, i+1)
			}
		}
		row := Row{Key: "s", Checkpoint: Checkpoint{Seq: strconv.Itoa(last)}, Epoch: 8}
		to := Target{Seq: strconv.Itoa(1 + rng.IntN(last))}
		if rng.IntN(4) == 0 {
			to = Target{}
		}
		re, err := Rewind(row, nil, chains, to, nil)
		if err != nil || re.Stays != "" {
			continue
		}
		allowed++
		if re.Rereads {
			reread++
		}
		for _, c := range chains {
			before := timesIn(c)
			after := timesIn(readOnFrom(rng, c, re.To.Seq, last+5))
			tip, _ := strconv.Atoi(re.To.Seq)
			for n := 1; n <= last+5; n++ {
				if after[n] > 1 || after[n] < before[n] || n > tip && after[n] != 1 {
					t.Fatalf("seed %d: record %d is %d times in dataset %s after a rewind to %q (%d before)\n%+v", seed, n, after[n], c.Dataset, re.To.text(), before[n], c.Links)
				}
			}
		}
	}
	if allowed < 500 || reread < 200 {
		t.Errorf("only %d rewinds were allowed, and %d read again: nothing is shown", allowed, reread)
	}
}

// readOnFrom is a session: it walks a chain from a position and writes on, by the rules of package writer.
func readOnFrom(rng *rand.Rand, c Chain, from string, last int) Chain {
	links := map[string]Link{}
	for _, l := range c.Links {
		links[l.After] = l
	}
	for at := from; ; {
		l, ok := links[at]
		if !ok {
			n, _ := strconv.Atoi(at)
			if n >= last {
				break
			}
			l = Link{After: at, End: pos(min(last, n+1+rng.IntN(9)))}
			links[at] = l
		}
		at = l.End
	}
	out := Chain{Dataset: c.Dataset}
	for _, l := range links {
		out.Links = append(out.Links, l)
	}
	return out
}

func timesIn(c Chain) map[int]int {
	n := map[int]int{}
	for _, l := range c.Links {
		a, _ := strconv.Atoi(l.After)
		e, _ := strconv.Atoi(l.End)
		for i := a + 1; i <= e; i++ {
			n[i]++
		}
	}
	return n
}
