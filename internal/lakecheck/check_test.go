package lakecheck_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dynamolake/internal/lakecheck"
	"dynamolake/transform"
)

// lake is a good lake of a split shard: three objects of the parent, its end
// among them, and two of the child.
type lake struct {
	*world
	objects []string // keys, in the order they were written
	records [][]lakecheck.Record
}

func newLake(t *testing.T) *lake {
	l := &lake{world: newWorld(t, transform.KeySchema{Hash: transform.KeyAttr{Name: "pk", Type: 'S'}})}
	n := 0
	records := func(shard string, names ...string) (list []lakecheck.Record) {
		for _, name := range names {
			n++
			key := fmt.Sprintf(`{"pk":{"S":%q}}`, strings.TrimSuffix(name, "-"))
			image := ""
			if !strings.HasSuffix(name, "-") {
				image = fmt.Sprintf(`{"pk":{"S":%q},"v":{"N":"%d"}}`, name, n)
			}
			list = append(list, l.change(shard, key, image))
		}
		return list
	}
	l.records = [][]lakecheck.Record{
		records(parent, "a", "b", "c"),
		records(parent, "a", "b-", "d"),
		nil, // the parent's end, without rows
		records(child, "a", "b", "c-"),
		records(child, "d", "a", "e"),
	}
	l.objects = []string{
		l.commit(parent, "", false, l.records[0]...),
		l.commit(parent, l.records[0][2].Seq, false, l.records[1]...),
		l.commit(parent, l.records[1][2].Seq, true),
		l.commit(child, "", false, l.records[3]...),
		l.commit(child, l.records[3][2].Seq, false, l.records[4]...),
	}
	return l
}

func TestDamageIsCaught(t *testing.T) {
	tests := []struct {
		name   string
		damage func(t *testing.T, l *lake)
		want   lakecheck.Report // of the counts that should be 0
		says   string
	}{
		{
			name:   "no damage",
			damage: func(*testing.T, *lake) {},
		},
		{
			name:   "an object in the middle is gone",
			damage: func(_ *testing.T, l *lake) { delete(l.store.objects, l.objects[1]) },
			want:   lakecheck.Report{Lost: 3, Orphans: 1},
			says:   `change 990000000000000000004 of ` + parent + ` (MODIFY {"pk":{"S":"a"}}) is in no object`,
		},
		{
			name:   "the first object is gone",
			damage: func(_ *testing.T, l *lake) { delete(l.store.objects, l.objects[0]) },
			want:   lakecheck.Report{Lost: 3},
		},
		{
			name:   "the last object is gone",
			damage: func(_ *testing.T, l *lake) { delete(l.store.objects, l.objects[4]) },
			want:   lakecheck.Report{Lost: 3, WrongItems: 3},
			says:   `item {"pk":{"S":"e"}} is in the table, not in the lake`,
		},
		{
			name: "an object is there twice, under another cursor",
			damage: func(t *testing.T, l *lake) {
				l.store.objects[key(t, parent, "5")] = l.store.objects[l.objects[0]]
			},
			want: lakecheck.Report{Doubled: 3, Orphans: 1, WrongContent: 1},
			says: "footer: after is",
		},
		{
			name: "a zombie's object overlaps the chain, well formed",
			damage: func(t *testing.T, l *lake) {
				k := l.commit(parent, l.records[0][1].Seq, false, l.records[0][2], l.records[1][0])
				s := l.store.objects[k]
				s.modified = l.store.objects[l.objects[1]].modified
				l.store.objects[k] = s
			},
			want: lakecheck.Report{Doubled: 2, Orphans: 1},
			says: "no chain leads there",
		},
		{
			name: "a shard goes on after its end",
			damage: func(t *testing.T, l *lake) {
				l.commit(parent, l.records[4][2].Seq, false, l.change(parent, `{"pk":{"S":"z"}}`, `{"pk":{"S":"z"}}`))
			},
			want: lakecheck.Report{Orphans: 1},
		},
		{
			name: "the child has rows of its parent again",
			damage: func(t *testing.T, l *lake) {
				again := l.records[1][2]
				again.Shard = child
				delete(l.store.objects, l.objects[3])
				l.commit(child, "", false, append([]lakecheck.Record{again}, l.records[3]...)...)
				touch(l, l.objects[4])
			},
			want: lakecheck.Report{Doubled: 1, Unknown: 1},
			says: "event event-6 is there as change",
		},
		{
			name: "the child was written before its parent",
			damage: func(_ *testing.T, l *lake) {
				touch(l, l.objects[1])
			},
			want: lakecheck.Report{OutOfOrder: 3}, // a, b and d
			says: "came after",
		},
		{
			name: "an image that was overwritten later has another byte",
			damage: func(_ *testing.T, l *lake) {
				l.rewrite(0, func(r []lakecheck.Record) { r[0].NewJSON = `{"pk":{"S":"a"},"v":{"N":"9"}}` })
			},
			want: lakecheck.Report{WrongContent: 1},
			says: `its image is {"pk":{"S":"a"},"v":{"N":"9"}}, want {"pk":{"S":"a"},"v":{"N":"1"}}`,
		},
		{
			name: "the last image of an item has another byte",
			damage: func(_ *testing.T, l *lake) {
				l.rewrite(4, func(r []lakecheck.Record) { r[2].NewJSON = `{"pk":{"S":"e"},"v":{"N":"9"}}` })
			},
			want: lakecheck.Report{WrongContent: 1, WrongItems: 1},
		},
		{
			name: "an old image is missing",
			damage: func(_ *testing.T, l *lake) {
				l.rewrite(4, func(r []lakecheck.Record) { r[0].OldJSON = "" })
			},
			want: lakecheck.Report{WrongContent: 1},
			says: "its old image is ,",
		},
		{
			name: "a removal is told as a change",
			damage: func(_ *testing.T, l *lake) {
				l.rewrite(3, func(r []lakecheck.Record) { r[2].Op, r[2].NewJSON = "MODIFY", r[2].OldJSON })
			},
			want: lakecheck.Report{WrongContent: 1, WrongItems: 1},
			says: `item {"pk":{"S":"c"}} is in the lake, not in the table`,
		},
		{
			name: "a row that never happened",
			damage: func(_ *testing.T, l *lake) {
				l.rewrite(4, func(r []lakecheck.Record) { r[2].Seq, r[2].EventID = r[2].Seq[:19]+"99", "made up" })
			},
			want: lakecheck.Report{Lost: 1, Unknown: 1},
			says: "is not in the journal",
		},
		{
			name: "the table has changed without a record",
			damage: func(_ *testing.T, l *lake) {
				l.items[`{"pk":{"S":"a"}}`] = `{"pk":{"S":"a"},"v":{"N":"77"}}`
			},
			want: lakecheck.Report{WrongItems: 1},
		},
		{
			name: "one bit of an object is another",
			damage: func(_ *testing.T, l *lake) {
				s := l.store.objects[l.objects[2]]
				s.body = bytes.Clone(s.body)
				s.body[len(s.body)-10] ^= 1
				l.store.objects[l.objects[2]] = s
			},
			want: lakecheck.Report{WrongContent: 1},
		},
		{
			name: "the store's metadata ends elsewhere than the footer",
			damage: func(_ *testing.T, l *lake) {
				l.store.objects[l.objects[1]].meta["end"] = strings.Repeat("1", 40)
			},
			want: lakecheck.Report{WrongContent: 1},
			says: "metadata: end is",
		},
		{
			name: "something else lies under changes/",
			damage: func(_ *testing.T, l *lake) {
				l.store.objects[tablePrefix+"changes/all/notes.txt"] = stored{body: []byte("hello")}
			},
			want: lakecheck.Report{Orphans: 1},
		},
		{
			name: "the same cursor is spelled in another way",
			damage: func(_ *testing.T, l *lake) {
				l.store.objects[strings.Replace(l.objects[1], "after-0", "after-", 1)] = l.store.objects[l.objects[1]]
			},
			want: lakecheck.Report{Orphans: 1},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLake(t)
			test.damage(t, l)
			got := l.check()
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreFields(lakecheck.Report{}, "Items", "Changes", "Files", "Problems")); diff != "" {
				t.Errorf("report (-want +got):\n%s\n%s", diff, strings.Join(got.Problems, "\n"))
			}
			if got.OK() != test.want.OK() {
				t.Errorf("OK is %v", got.OK())
			}
			if !strings.Contains(strings.Join(got.Problems, "\n"), test.says) {
				t.Errorf("problems:\n%s\nwant them to say %q", strings.Join(got.Problems, "\n"), test.says)
			}
		})
	}
}

// touch makes an object look as if it had been written just now.
func touch(l *lake, key string) {
	s := l.store.objects[key]
	l.store.now = l.store.now.Add(1)
	s.modified = l.store.now
	l.store.objects[key] = s
}

// rewrite encodes an object again, whole and well formed, from changed records.
func (l *lake) rewrite(i int, change func([]lakecheck.Record)) {
	l.t.Helper()
	records := append([]lakecheck.Record(nil), l.records[i]...)
	change(records)
	after := ""
	if i == 1 || i == 4 {
		after = l.records[i-1][2].Seq
	}
	modified := l.store.objects[l.objects[i]].modified
	l.commit(records[0].Shard, after, false, records...)
	s := l.store.objects[l.objects[i]]
	s.modified = modified
	l.store.objects[l.objects[i]] = s
}

// The writer makes no such objects, whatever it is given.
func TestRowsOutOfOrderAreCaught(t *testing.T) {
	tests := []struct {
		name string
		rows []string // sequence numbers, in an object after 10 up to 20
		want int
	}{
		{"ascending within the bounds", []string{"11", "15", "20"}, 0},
		{"descending once", []string{"15", "11", "12"}, 1},
		{"at the cursor", []string{"10", "15"}, 1},
		{"beyond the end", []string{"15", "21"}, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := &lakecheck.Object{Key: "o", Shard: parent, After: seq(t, "10"), End: seq(t, "20")}
			for _, d := range test.rows {
				o.Rows = append(o.Rows, lakecheck.Row{Shard: parent, Seq: seq(t, d), EventID: d, Op: "REMOVE", Key: "{}"})
			}
			l := &lakecheck.Lake{Objects: []*lakecheck.Object{o}, Chains: []*lakecheck.Chain{{Shard: parent, Objects: []*lakecheck.Object{o}}}}
			if r := lakecheck.Check(l, nil, nil); r.OutOfOrder != test.want {
				t.Errorf("%s, want %d out of order\n%s", r, test.want, strings.Join(r.Problems, "\n"))
			}
		})
	}
}
