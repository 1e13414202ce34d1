package dataset_test

import (
	"errors"
	"testing"

	"dynamolake/transform/schema"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

func TestAVersionIsHadForEachSource(t *testing.T) {
	store, err := writer.NewFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	catalog := dataset.NewCatalog(store, "1/r/t/")
	live, err := dataset.Open(t.Context(), catalog, nil, options(), schema.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	first := live.Set()
	if _, err := live.Learn(t.Context(), first, "all", each(page(t, `INSERT 1 "a":{"S":"x"}`))); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		version int
		source  string
		columns int // -1: there is no plan
	}{
		{2, writer.SourceStream, 1},
		{2, writer.SourceFull, 1},
		{1, writer.SourceFull, 0},
		{1, writer.SourceStream, 0},
		{0, writer.SourceFull, -1},
		{2, writer.SourceIncremental, 1},
		{1, writer.SourceIncremental, 0}, // more than are kept
		{2, writer.SourceFull, 1},
	} {
		set, err := live.At(t.Context(), c.version, c.source)
		if err != nil {
			t.Fatal(err)
		}
		columns := -1
		if plan := set.Parts[0].Plan; plan != nil {
			columns = len(plan.Columns)
		}
		if set.Version != c.version || columns != c.columns {
			t.Errorf("version %d for %s is version %d with %d columns, want %d", c.version, c.source, set.Version, columns, c.columns)
		}
		again, err := live.At(t.Context(), c.version, c.source)
		if err != nil || again != set {
			t.Errorf("version %d for %s was made again: %v", c.version, c.source, err)
		}
	}
	if set, _ := live.At(t.Context(), 2, writer.SourceStream); set != live.Set() {
		t.Error("the newest is not shared")
	}
	if _, err := live.At(t.Context(), 3, writer.SourceFull); !errors.Is(err, writer.ErrNotFound) {
		t.Errorf("a version that is not there: %v", err)
	}
}

func TestAFixedSetHasNoOtherVersion(t *testing.T) {
	live := dataset.Fixed(dataset.Whole(options()))
	if set, err := live.At(t.Context(), 0, writer.SourceFull); err != nil || set != live.Set() {
		t.Errorf("its own version: %v", err)
	}
	if _, err := live.At(t.Context(), 1, writer.SourceFull); !errors.Is(err, dataset.ErrFixed) {
		t.Errorf("another one: %v", err)
	}
}
