package transform

import (
	"math/rand/v2"
	"strings"
	"testing"
)

var views = []View{ViewFull, ViewNewAndOld, ViewNew}

// agreeOnLines fails unless decoder and twin say the same of lines of an export.
func agreeOnLines(t *testing.T, keys KeySchema, lines []byte, view View, p *Page) {
	t.Helper()
	if err := NewDecoder(keys).DecodeExport(lines, view, p); err != nil {
		t.Fatal(err)
	}
	same(t, keys, lines, twinDecodeExport(lines, view, keys), p)
}

func TestDecoderAgreesWithItsTwinOnHostileLines(t *testing.T) {
	var page Page
	rejects, columns, rests := 0, 0, 0
	ops := map[Op]int{}
	for seed := range *seeds {
		h := newHostile(seed)
		view := views[h.IntN(3)]
		agreeOnLines(t, h.keys, []byte(h.lines(h.IntN(8), view)), view, &page)
		rejects += len(page.Rejects)
		for i := range page.Changes {
			c := &page.Changes[i]
			ops[c.Op]++
			if c.Hash.Exact {
				columns++
			} else {
				rests++
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("%v, %d rejects; hash key in its column %d times, in _rest %d times", ops, rejects, columns, rests)
	if ops[Snapshot] < 50 || ops[Insert] < 20 || ops[Modify] < 50 || ops[Remove] < 50 || rejects < 10 || columns < 50 || rests < 10 {
		t.Error("the lines are not hostile in every way")
	}
}

func TestDecoderAgreesWithItsTwinOnDamagedLines(t *testing.T) {
	var page Page
	refused := 0
	for seed := range *seeds {
		h := newHostile(seed)
		h.breakage = 0
		view := views[h.IntN(3)]
		lines := []byte(h.lines(3, view))
		if len(lines) > 20_000 {
			continue
		}
		r := rand.New(rand.NewPCG(seed, 3))
		for range 10 {
			agreeOnLines(t, h.keys, damaged(r, lines), view, &page)
			refused += len(page.Rejects)
		}
	}
	if refused == 0 {
		t.Error("no damage was noticed")
	}
}

func TestABrokenLineHarmsNoOther(t *testing.T) {
	var page Page
	tried := uint64(0)
	for seed := range *seeds {
		h := newHostile(seed)
		h.breakage = 0
		view := views[h.IntN(3)]
		good := strings.TrimSpace(h.line(view))
		if err := NewDecoder(h.keys).DecodeExport([]byte(good), view, &page); err != nil {
			t.Fatal(err)
		}
		if len(page.Changes) != 1 || len(good) > 5_000 {
			continue // half a surrogate in a key's name
		}
		tried++
		r := rand.New(rand.NewPCG(seed, 4))
		for range 10 {
			lines := good + "\n" + good[:1+r.IntN(len(good)-1)] + "\n" + good
			if err := NewDecoder(h.keys).DecodeExport([]byte(lines), view, &page); err != nil {
				t.Fatal(err)
			}
			if len(page.Changes) != 2 || len(page.Rejects) != 1 || !strings.Contains(page.Rejects[0].Reason, "not JSON") {
				t.Fatalf("seed %d: %d changes and %d rejects of %.2000q", seed, len(page.Changes), len(page.Rejects), lines)
			}
		}
	}
	if tried < *seeds/2 {
		t.Errorf("only %d of %d lines were sound", tried, *seeds)
	}
}

func FuzzDecodeExport(f *testing.F) {
	const types = "SNB"
	kind := func(t KeyType) byte { return byte(max(0, strings.IndexByte(types, byte(t)))) }
	for seed := range uint64(40) {
		h := newHostile(seed)
		view := byte(h.IntN(3))
		if lines := h.lines(2, views[view]); len(lines) < 5_000 {
			f.Add([]byte(lines), view, h.keys.Hash.Name, h.keys.Range.Name, kind(h.keys.Hash.Type), kind(h.keys.Range.Type))
		}
	}
	f.Add([]byte("{\"Item\":{\"\\u0069d\":{\"N\":\"1e2\"}}}\n{\"Keys\":{}}"), byte(0), "id", "", byte(1), byte(0))
	f.Add([]byte(`{"Metadata":{"WriteTimestampMicros":"1695353076000000."},"Keys":{"id":{"B":"QR=="}}}`), byte(2), "id", "", byte(2), byte(0))
	var page Page
	f.Fuzz(func(t *testing.T, lines []byte, view byte, hash, rng string, hashType, rangeType byte) {
		keys := KeySchema{Hash: KeyAttr{hash, KeyType(types[hashType%3])}, Range: KeyAttr{rng, KeyType(types[rangeType%3])}}
		if hash == rng {
			keys.Range = KeyAttr{}
		}
		agreeOnLines(t, keys, lines, views[view%3], &page)
	})
}
