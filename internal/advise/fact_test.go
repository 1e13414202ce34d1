package advise

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestWhatFollowsFromFacts(t *testing.T) {
	unknown := Facts{Items: Unknown[int64]("x"), Bytes: Unknown[int64]("x"), Units: Unknown[float64]("x"), Writes: Unknown[float64]("x"), Shards: Unknown[int]("x")}
	with := func(change func(*Facts)) Facts {
		f := unknown
		change(&f)
		return f.Complete()
	}
	t.Run("writes take a unit for each KB begun", func(t *testing.T) {
		f := with(func(f *Facts) {
			f.Items, f.Bytes, f.Units = Known(int64(10), "x"), Known(int64(25_000), "x"), Known(90.0, "x") // 2.5 KB
		})
		if f.Writes.Or(0) != 30 || !strings.HasPrefix(f.Writes.From, "estimated") {
			t.Errorf("%v (%s)", f.Writes.Or(0), f.Writes.From)
		}
	})
	t.Run("writes that are given stay", func(t *testing.T) {
		f := with(func(f *Facts) { f.Writes, f.Units = Known(7.0, "given"), Known(90.0, "x") })
		if f.Writes.Or(0) != 7 || f.Writes.From != "given" {
			t.Errorf("%v (%s)", f.Writes.Or(0), f.Writes.From)
		}
	})
	t.Run("an empty table has no average item", func(t *testing.T) {
		f := with(func(f *Facts) { f.Items, f.Bytes = Known(int64(0), "x"), Known(int64(0), "x") })
		if f.ItemAvg.OK() || !strings.Contains(f.ItemAvg.From, "empty") {
			t.Errorf("%+v", f.ItemAvg)
		}
	})
	t.Run("shards are estimated from the larger of size and writes", func(t *testing.T) {
		for _, c := range []struct {
			billing string
			bytes   int64
			units   float64
			want    int
		}{
			{"PAY_PER_REQUEST", 1, 0, 4}, {"PROVISIONED", 1, 0, 1}, {"PROVISIONED", 101e9, 0, 11}, {"PAY_PER_REQUEST", 1e9, 12_345, 13},
		} {
			f := with(func(f *Facts) {
				f.Bytes, f.Units, f.Billing = Known(c.bytes, "x"), Known(c.units, "x"), Known(c.billing, "x")
			})
			if f.Shards.Or(0) != c.want || !strings.HasPrefix(f.Shards.From, "estimated") {
				t.Errorf("%+v: %d (%s)", c, f.Shards.Or(0), f.Shards.From)
			}
		}
	})
	t.Run("what nothing tells of stays unknown", func(t *testing.T) {
		f := with(func(*Facts) {})
		if f.Shards.OK() || f.Writes.OK() || f.ItemAvg.OK() {
			t.Errorf("%+v", f)
		}
	})
}

func TestAnUnknownFactIsNullInJSON(t *testing.T) {
	text, err := json.Marshal([]Fact[int64]{Unknown[int64]("nobody said"), Known(int64(0), "test")})
	if want := `[{"value":null,"from":"nobody said"},{"value":0,"from":"test"}]`; err != nil || string(text) != want {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
}
