package writer_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dynamolake/transform"
	"dynamolake/writer"
)

// readOwn reads with the writer's own reader. What it does not tell is taken from
// want.
func readOwn(t *testing.T, body []byte, want rows) rows {
	t.Helper()
	f, err := writer.OpenRows(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	got := rows{Columns: want.Columns}
	text := func(b []byte) any {
		if b == nil {
			return nil
		}
		return string(b)
	}
	n := 0
	for r, err := range f.All(t.Context(), writer.AllFields) {
		if err != nil {
			t.Fatal(err)
		}
		if n == len(want.Values) {
			t.Fatal("more rows than were written")
		}
		row := []any{r.Op.String(), nil, nil, text(r.Shard), want.Values[n][4], r.Source, fmt.Sprint(r.Epoch), want.Values[n][7]}
		if !r.Seq.IsZero() {
			row[1] = r.Seq.String()
		}
		if r.TS != 0 {
			row[2] = fmt.Sprint(r.TS)
		}
		values := []transform.KeyValue{r.Hash, r.Range}
		for i, c := range f.Keys.Columns() {
			v := keyText(c.Type, values[i])
			if values[i].Exact && c.Type == 'B' {
				v = hex.EncodeToString(values[i].Bytes)
			}
			row = append(row, v)
		}
		if len(row)+2 == len(want.Columns) {
			row = append(row, text(r.Old))
		}
		got.Values = append(got.Values, append(row, text(r.Rest)))
		n++
	}
	if f.Rows != int64(n) || f.Meta["rows"] != fmt.Sprint(n) {
		t.Errorf("%d rows, said to be %d and %s", n, f.Rows, f.Meta["rows"])
	}
	return got
}

func TestOwnReader(t *testing.T) {
	for _, f := range everyFile(t) {
		t.Run(f.name, func(t *testing.T) {
			if diff := cmp.Diff(f.want, readOwn(t, f.body, f.want)); diff != "" {
				t.Errorf("(-written +read):\n%.3000s", diff)
			}
		})
	}
}

// counter counts what is read of a file.
type counter struct {
	io.ReaderAt
	n int
}

func (c *counter) ReadAt(b []byte, at int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(b, at)
	c.n += n
	return n, err
}

// largeFile is one of many pages and row groups, of items of 1 KB.
func largeFile(t testing.TB, rows int) []byte {
	keys := transform.KeySchema{Hash: attr("pk", 'S')}
	e := writer.NewEncoder(writer.Schema{Keys: keys, Table: "tab", Dataset: "all"})
	var out bytes.Buffer
	x := e.Export(&out, exportInfo(transform.ViewFull))
	p := writer.DecodeExport(t, keys, writer.ExportLines(true, writer.LargeRecords(1, 1, 2000)...), transform.ViewFull)
	for n := 0; n < rows; n += len(p.Changes) {
		if err := x.Add(p.Changes); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := x.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRowsAreReadOnlyAsFarAsAskedFor(t *testing.T) {
	const rows = 50_000
	body := largeFile(t, rows)
	for _, c := range []struct {
		fields writer.Fields
		most   int // thousandths of the file
	}{{writer.FieldKeys | writer.FieldOp | writer.FieldTS, 40}, {0, 10}, {writer.AllFields, 1020}} {
		r := &counter{ReaderAt: bytes.NewReader(body)}
		f, err := writer.OpenRows(r, int64(len(body)))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for row, err := range f.All(t.Context(), c.fields) {
			if err != nil {
				t.Fatal(err)
			}
			if (row.Rest != nil) != (c.fields&writer.FieldRest != 0) || row.Hash.Exact != (c.fields&writer.FieldKeys != 0) {
				t.Fatalf("fields %b: %+v", c.fields, row)
			}
			n++
		}
		if n != rows || r.n > len(body)*c.most/1000 {
			t.Errorf("fields %b: %d rows, %d bytes of %d", c.fields, n, r.n, len(body))
		}
	}
}

func TestReadingRowsStops(t *testing.T) {
	body := largeFile(t, 10_000)
	f, err := writer.OpenRows(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	for range f.All(t.Context(), writer.AllFields) {
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for _, err := range f.All(ctx, writer.FieldOp) {
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			break
		}
		n++
		cancel()
	}
	if n > 2000 {
		t.Errorf("%d rows after it was called off", n)
	}
}

// TestDamagedFiles give an error or the rows; never a panic, never other rows.
func TestDamagedFiles(t *testing.T) {
	k := kinds()[1]
	body, want := encodeExport(t, k, transform.ViewNewAndOld)
	read := func(body []byte) (n int, err error) {
		f, err := writer.OpenRows(bytes.NewReader(body), int64(len(body)))
		if err != nil {
			return 0, err
		}
		for r, err := range f.All(t.Context(), writer.AllFields) {
			if err != nil {
				return n, err
			}
			if n < len(want.Values) && r.Rest != nil && string(r.Rest) != want.Values[n][len(want.Columns)-1] {
				t.Errorf("row %d is another: %s", n, r.Rest)
			}
			n++
		}
		return n, nil
	}
	for cut := range len(body) {
		if _, err := read(body[:cut]); err == nil {
			t.Errorf("a file of %d of %d bytes is read", cut, len(body))
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 2_000 {
		damaged := bytes.Clone(body)
		for range 1 + random.IntN(3) {
			damaged[random.IntN(len(damaged))] ^= byte(1 << random.IntN(8))
		}
		_, _ = read(damaged)
	}
	if _, err := read([]byte("PAR1")); err == nil {
		t.Error("no file at all is read")
	}
}

func BenchmarkReadRows(b *testing.B) {
	const rows = 100_000
	body := largeFile(b, rows)
	for name, fields := range map[string]writer.Fields{"keys": writer.FieldKeys | writer.FieldOp | writer.FieldTS, "all": writer.AllFields} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f, err := writer.OpenRows(bytes.NewReader(body), int64(len(body)))
				if err != nil {
					b.Fatal(err)
				}
				for _, err := range f.All(b.Context(), fields) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
