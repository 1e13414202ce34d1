package writer

import (
	"errors"
	"strings"
	"testing"
)

func TestLinksAreAllFilesOfAChain(t *testing.T) {
	store := newMemStore()
	put := func(f File) {
		if err := store.PutNew(t.Context(), linkKey(testPrefix(), f.Link.After), f.Body, f.Meta); err != nil {
			t.Fatal(err)
		}
	}
	put(encodeRange(t, 0, 1, 3, false))
	put(encodeRange(t, 5, 6, 9, true)) // what was between is missing
	if err := store.PutNew(t.Context(), testPrefix()+"notes.txt", []byte("of somebody"), nil); err != nil {
		t.Fatal(err)
	}
	links, err := NewChain(store, testPrefix()).Links(t.Context())
	if err != nil || len(links) != 2 {
		t.Fatalf("%+v, %v", links, err)
	}
	for i, want := range []struct {
		after, end int
		last       bool
	}{{0, 3, false}, {5, 9, true}} {
		if l := links[i]; l.After != seqOf(want.after) || l.End != seqOf(want.end) || l.ShardEnd != want.last || l.Epoch != 7 {
			t.Errorf("link %d is %+v, want %+v", i, l, want)
		}
	}

	if err := store.PutNew(t.Context(), linkKey(testPrefix(), seqOf(3)), []byte("damaged"), nil); err != nil {
		t.Fatal(err)
	}
	var broken *LinkError
	if _, err := NewChain(store, testPrefix()).Links(t.Context()); !errors.As(err, &broken) || !strings.Contains(err.Error(), linkKey(testPrefix(), seqOf(3))) {
		t.Errorf("a file that says nothing of itself: %v", err)
	}
}

func TestLinksOfNoChain(t *testing.T) {
	if links, err := NewChain(newMemStore(), testPrefix()).Links(t.Context()); err != nil || len(links) != 0 {
		t.Errorf("%v, %v", links, err)
	}
}
