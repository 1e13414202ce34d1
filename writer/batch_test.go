package writer

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dynamolake/transform"
)

// testPage is a page of the records n, with created in seconds; last is the
// page's last position where it goes beyond its changes.
func testPage(next string, last int, ns ...int) *transform.Page {
	p := &transform.Page{Next: next}
	for _, n := range ns {
		p.Changes = append(p.Changes, transform.Change{Seq: seqOf(n), Op: transform.Insert, Created: 1_700_000_000_000_000 + int64(n), Keys: []byte("0123456789")})
		p.Last = seqOf(n)
	}
	if last > 0 {
		p.Last = seqOf(last)
	}
	return p
}

func cutText(s Slice, due bool) string {
	if !due {
		return "not due"
	}
	text := fmt.Sprintf("after %s", short(s.After))
	for c := range s.Changes() {
		text += " " + short(c.Seq)
	}
	text += " end " + short(s.End)
	if s.ShardEnd {
		text += " of shard"
	}
	return text
}

// short is the number that seqOf was given.
func short(s transform.Seq) string { return fmt.Sprint(number(s)) }

func TestCut(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	const day = 86_400_000_000
	after := func(b *Batch, pages ...*transform.Page) {
		for i, p := range pages {
			b.Add(make([]byte, 100), p, start.Add(time.Duration(i)*time.Second))
		}
	}
	large := Limits{Rows: 100, Bytes: 1 << 20, Age: time.Minute}
	for _, c := range []struct {
		name   string
		build  func(*Batch)
		age    time.Duration
		limits Limits
		force  bool
		want   string
	}{
		{"nothing held is not due", func(*Batch) {}, time.Hour, large, true, "not due"},
		{"young and small is not due", func(b *Batch) { after(b, testPage("n", 0, 1, 2)) }, time.Second, large, false, "not due"},
		{"forced, everything is due", func(b *Batch) { after(b, testPage("n", 0, 1, 2), testPage("n", 0, 3)) }, 0, large, true, "after 0 1 2 3 end 3"},
		{"rows make it due, and bound it", func(b *Batch) { after(b, testPage("n", 0, 1, 2), testPage("n", 0, 3, 4)) }, 0, Limits{Rows: 3, Age: time.Hour}, false, "after 0 1 2 3 end 3"},
		{"rows to the end of a page cover its rejects", func(b *Batch) { after(b, testPage("n", 5, 1, 2), testPage("n", 0, 7)) }, 0, Limits{Rows: 2, Age: time.Hour}, false, "after 0 1 2 end 5"},
		{"bytes make it due, with the row that crosses", func(b *Batch) { after(b, testPage("n", 0, 1, 2, 3, 4)) }, 0, Limits{Bytes: 25, Age: time.Hour}, false, "after 0 1 2 3 end 3"},
		{"a row larger than the limit goes alone", func(b *Batch) { after(b, testPage("n", 0, 1, 2)) }, 0, Limits{Bytes: 1, Age: time.Hour}, false, "after 0 1 end 1"},
		{"the oldest page's age makes all due", func(b *Batch) { after(b, testPage("n", 0, 1), testPage("n", 0, 2)) }, time.Minute, large, false, "after 0 1 2 end 2"},
		{"just under the age is not due", func(b *Batch) { after(b, testPage("n", 0, 1), testPage("n", 0, 2)) }, time.Minute - 1, large, false, "not due"},
		{"a new day makes the old one due", func(b *Batch) {
			p := testPage("n", 0, 1, 2, 3)
			p.Changes[1].Created += day
			p.Changes[2].Created += day
			after(b, p)
		}, 0, large, false, "after 0 1 end 1"},
		{"a new day on the next page too", func(b *Batch) {
			p := testPage("n", 0, 3)
			p.Changes[0].Created += day
			after(b, testPage("n", 2, 1), p)
		}, 0, large, false, "after 0 1 end 2"},
		{"a change without a time goes with its neighbours", func(b *Batch) {
			p := testPage("n", 0, 1, 2, 3)
			p.Changes[0].Created, p.Changes[2].Created = 0, 0
			after(b, p)
		}, 0, large, true, "after 0 1 2 3 end 3"},
		{"a page of rejects alone ages to a slice without rows", func(b *Batch) { after(b, testPage("n", 4)) }, time.Minute, large, false, "after 0 end 4"},
		{"an empty page is nothing", func(b *Batch) { after(b, testPage("n", 0)) }, time.Hour, large, true, "not due"},
		{"the shard's last page is due at once", func(b *Batch) { after(b, testPage("n", 0, 1), testPage("", 0, 2)) }, 0, large, false, "after 0 1 2 end 2 of shard"},
		{"the last page may be empty", func(b *Batch) { after(b, testPage("", 0)) }, 0, large, false, "after 0 end 0 of shard"},
		{"limits hold at the shard's end", func(b *Batch) { after(b, testPage("", 0, 1, 2, 3)) }, 0, Limits{Rows: 2, Age: time.Hour}, false, "after 0 1 2 end 2"},
		{"the end is due again after all rows are durable", func(b *Batch) { after(b, testPage("", 0, 1, 2)); b.Advance(seqOf(2)) }, 0, large, false, "after 2 end 2 of shard"},
		{"changes at or before the cursor are ignored", func(b *Batch) { b.Advance(seqOf(2)); after(b, testPage("n", 0, 1, 2, 3)) }, 0, large, true, "after 2 3 end 3"},
		{"changes that are held already are ignored", func(b *Batch) { after(b, testPage("n", 0, 1, 2), testPage("n", 0, 2, 3)) }, 0, large, true, "after 0 1 2 3 end 3"},
		{"a page out of order is put in order", func(b *Batch) { after(b, testPage("n", 0, 3, 1, 2)) }, 0, large, true, "after 0 1 2 3 end 3"},
		{"an adopted end inside a page leaves the rest", func(b *Batch) { after(b, testPage("n", 0, 1, 2, 3), testPage("n", 0, 4)); b.Advance(seqOf(2)) }, 0, large, true, "after 2 3 4 end 4"},
		{"an adopted end between changes leaves the rest", func(b *Batch) { after(b, testPage("n", 0, 10, 20)); b.Advance(seqOf(15)) }, 0, large, true, "after 15 20 end 20"},
		{"an adopted end beyond all leaves nothing", func(b *Batch) { after(b, testPage("n", 0, 1, 2)); b.Advance(seqOf(9)) }, 0, large, true, "not due"},
		{"what lies before an adopted end is ignored when it comes", func(b *Batch) { b.Advance(seqOf(9)); after(b, testPage("n", 0, 8, 9, 10)) }, 0, large, true, "after 9 10 end 10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := NewBatch(transform.Seq{})
			c.build(b)
			s, due := b.Cut(start.Add(c.age), c.limits, c.force)
			if diff := cmp.Diff(c.want, cutText(s, due)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			again, dueAgain := b.Cut(start.Add(c.age), c.limits, c.force)
			if got := cutText(again, dueAgain); got != cutText(s, due) {
				t.Errorf("Cut changed the batch: then %s", got)
			}
		})
	}
}

// TestBatchGivesEveryByteBack whatever the order of pages, cuts and adopted ends.
func TestBatchGivesEveryByteBack(t *testing.T) {
	b := NewBatch(transform.Seq{})
	freedPages := 0
	b.Free = func([]byte, *transform.Page) { freedPages++ }
	now := time.Unix(0, 0)
	var held, freed int64
	n := 0
	for i := range 50 {
		var ns []int
		for range i % 7 {
			n++
			ns = append(ns, n)
		}
		held += b.Add(make([]byte, 1000), testPage("n", n+i%2, ns...), now)
		n += i % 2
		if i%5 == 4 {
			if s, due := b.Cut(now, Limits{Rows: 9}, true); due {
				freed += b.Advance(s.End)
			}
		}
		if i == 23 {
			freed += b.Advance(seqOf(n + 3))
		}
		if b.Held() != held-freed {
			t.Fatalf("after page %d: held %d, want %d", i, b.Held(), held-freed)
		}
	}
	freed += b.Advance(seqOf(n))
	if b.Held() != 0 || freed != held || b.Rows() != 0 || freedPages != 50 {
		t.Errorf("held %d, freed %d of %d, %d rows, %d of 50 pages", b.Held(), freed, held, b.Rows(), freedPages)
	}
	if _, ok := b.Oldest(); ok {
		t.Error("an empty batch has an oldest page")
	}
	if b.Advance(seqOf(1)) != 0 || b.Cursor() != seqOf(n) {
		t.Error("an old end moved the cursor back")
	}
}
