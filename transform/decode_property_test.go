package transform

import (
	"flag"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var seeds = flag.Uint64("seeds", 300, "how many hostile answers to decode")

// agree fails unless decoder and twin say the same of an answer.
func agree(t *testing.T, keys KeySchema, body []byte, p *Page) {
	t.Helper()
	want, wantErr := twinDecode(body, keys)
	err := NewDecoder(keys).Decode(body, p)
	if (err != nil) != (wantErr != nil) {
		t.Fatalf("error %v, the twin has %v\n%.2000q", err, wantErr, body)
	}
	if err != nil {
		want = twinPage{Last: "0"}
	}
	same(t, keys, body, want, p)
}

// same fails unless p is what the twin says, and unless every row rebuilds its item.
func same(t *testing.T, keys KeySchema, body []byte, want twinPage, p *Page) {
	t.Helper()
	if diff := cmp.Diff(want, comparable(p)); diff != "" {
		t.Fatalf("twin - decoder +\n%s\n%.2000q", diff, body)
	}
	for _, r := range p.Rejects {
		if r.Reason == "" {
			t.Errorf("reject without a reason: %.500q", r.Raw)
		}
	}
	for i := range p.Changes {
		c := &p.Changes[i]
		image := c.New
		if c.Op == Remove {
			image = c.Keys
		}
		item, err := Canonical(image)
		if err != nil {
			if !strings.Contains(err.Error(), "twice") {
				t.Fatalf("decoder took an image that Canonical refuses: %v\n%.2000q", err, image)
			}
			continue
		}
		rebuilt, err := RebuildItem(keys, c.Hash, c.Range, c.AppendRest(nil))
		if err != nil {
			t.Fatalf("rebuild: %v\n%.2000q", err, image)
		}
		if string(rebuilt) != string(item) {
			t.Fatalf("rebuilt item differs:\n%.2000q\n%.2000q", rebuilt, item)
		}
	}
}

func TestDecoderAgreesWithItsTwinOnHostileAnswers(t *testing.T) {
	var page Page // one for all, as a reader reuses it
	changes, rejects, columns, rests := 0, 0, 0, 0
	for seed := range *seeds {
		h := newHostile(seed)
		body := []byte(h.page(h.IntN(8)))
		agree(t, h.keys, body, &page)
		changes += len(page.Changes)
		rejects += len(page.Rejects)
		for i := range page.Changes {
			if page.Changes[i].Hash.Exact {
				columns++
			} else {
				rests++
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("%d changes, %d rejects; hash key in its column %d times, in _rest %d times", changes, rejects, columns, rests)
	if changes < 100 || rejects < 10 || columns < 50 || rests < 10 {
		t.Error("the answers are not hostile in every way")
	}
}

func TestDecoderAgreesWithItsTwinOnDamagedAnswers(t *testing.T) {
	var page Page
	refused := 0
	for seed := range *seeds {
		h := newHostile(seed)
		body := []byte(h.page(2))
		if len(body) > 20_000 {
			continue
		}
		r := rand.New(rand.NewPCG(seed, 3))
		for range 10 {
			agree(t, h.keys, damaged(r, body), &page)
			if page.Last.IsZero() {
				refused++
			}
		}
	}
	if refused == 0 {
		t.Error("no damage was noticed")
	}
}

// damaged is a copy of text with one wound.
func damaged(r *rand.Rand, text []byte) []byte {
	bad := append([]byte{}, text...)
	switch i := r.IntN(len(bad)); r.IntN(3) {
	case 0:
		bad = bad[:i]
	case 1:
		bad[i] = `"\{}[]:, 0u`[r.IntN(11)]
	case 2:
		j := i + r.IntN(min(len(bad)-i, 20))
		bad = append(bad[:i], bad[j:]...)
	}
	return bad
}

func FuzzDecode(f *testing.F) {
	const types = "SNB"
	kind := func(t KeyType) byte { return byte(max(0, strings.IndexByte(types, byte(t)))) }
	for seed := range uint64(40) {
		h := newHostile(seed)
		if body := h.page(1); len(body) < 5_000 {
			f.Add([]byte(body), h.keys.Hash.Name, h.keys.Range.Name, kind(h.keys.Hash.Type), kind(h.keys.Range.Type))
		}
	}
	f.Add([]byte(`{"Records":[{"dynamodb":{"SequenceNumber":"1","Keys":{"\u0069d":{"N":"1e2"}},"NewImage":{"id":{"N":"1e2"}}},"eventName":"INSERT"}]}`), "id", "", byte(1), byte(0))
	var page Page
	f.Fuzz(func(t *testing.T, body []byte, hash, rng string, hashType, rangeType byte) {
		keys := KeySchema{Hash: KeyAttr{hash, KeyType(types[hashType%3])}, Range: KeyAttr{rng, KeyType(types[rangeType%3])}}
		if hash == rng {
			keys.Range = KeyAttr{}
		}
		agree(t, keys, body, &page)
	})
}
