package transform

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestRealExports reads what AWS wrote.
func TestRealExports(t *testing.T) {
	const root = "../../shared/fixtures/real-export/AWSDynamoDB/"
	keys := KeySchema{Hash: KeyAttr{"pk", 'S'}, Range: KeyAttr{"sk", 'S'}}
	for folder, c := range map[string]struct {
		view View
		want map[Op]int
	}{
		"01768385930622-efd1a093/data": {ViewFull, map[Op]int{Snapshot: 3}},
		"data":                         {ViewNewAndOld, map[Op]int{Insert: 7, Modify: 2, Remove: 2}},
	} {
		files, err := filepath.Glob(root + folder + "/*.json.gz")
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 0 {
			t.Skip("no real exports here: they may not be copied into the repository")
		}
		got := map[Op]int{}
		for _, file := range files {
			var p Page
			agreeOnLines(t, keys, gunzip(t, file), c.view, &p)
			if len(p.Rejects) != 0 {
				t.Errorf("%s: %s", file, p.Rejects[0].Reason)
			}
			for i := range p.Changes {
				got[p.Changes[i].Op]++
				if at := time.UnixMicro(p.Changes[i].Created); c.view != ViewFull && at.Year() != 2026 {
					t.Errorf("%s: written at %s", file, at)
				}
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", folder, got, c.want)
		}
	}
}

func gunzip(t *testing.T, path string) []byte {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
