package writer_test

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/google/go-cmp/cmp"

	"dynamolake/transform"
	"dynamolake/writer"
)

var (
	windowFrom = time.Date(2023, 11, 14, 22, 0, 0, 0, time.UTC)
	windowTo   = windowFrom.Add(time.Hour)
)

func exportInfo(view transform.View) writer.ExportInfo {
	info := writer.ExportInfo{
		ARN: "arn:aws:dynamodb:eu-west-1:1:table/tab/export/01700000000000-0a1b2c3d", From: windowFrom, To: windowTo,
		Epoch: 7, DataFile: "exports/AWSDynamoDB/data/abc.json.gz", DataMD5: "y+zg5fVeudb3R3DOQ+RKgA==", Items: 99, Writer: "host ä/1",
	}
	if view == transform.ViewFull {
		info.From = time.Time{}
	}
	return info
}

// encodeExport returns the export's file of a kind, added in parts, by a file
// writer that was used before, and what should be read from it.
func encodeExport(t *testing.T, k kind, view transform.View) ([]byte, rows) {
	t.Helper()
	full := view == transform.ViewFull
	p := writer.DecodeExport(t, k.keys, writer.ExportLines(full, k.records...), view)
	want := wantRows(k, p.Changes, func(c *transform.Change) []any {
		row := []any{c.Op.String(), nil, fmt.Sprint(windowTo.UnixMicro()), nil, nil, "full", "7", "false"}
		if !full {
			row[2], row[5] = fmt.Sprint(c.Created), "incremental"
		}
		return row
	})
	e := writer.NewEncoder(writer.Schema{Keys: k.keys, OldImage: k.old, Table: "tab", Dataset: "all", Version: 3})
	var body []byte
	for range 2 {
		body, _ = writeExport(t, e, exportInfo(view), p.Changes)
	}
	return body, want
}

func writeExport(t *testing.T, e *writer.Encoder, info writer.ExportInfo, changes []transform.Change) ([]byte, writer.ExportStats) {
	t.Helper()
	var out bytes.Buffer
	x := e.Export(&out, info)
	for len(changes) > 0 {
		n := min(len(changes), 1+len(changes)/3)
		if err := x.Add(changes[:n]); err != nil {
			t.Fatal(err)
		}
		changes = changes[n:]
	}
	stats, err := x.Close()
	if err != nil {
		t.Fatal(err)
	}
	if stats.Bytes != int64(out.Len()) {
		t.Errorf("%d bytes, said to be %d", out.Len(), stats.Bytes)
	}
	return out.Bytes(), stats
}

func TestTheFooterOfAnExportsFile(t *testing.T) {
	keys := transform.KeySchema{Hash: attr("pk", 'S')}
	e := writer.NewEncoder(writer.Schema{Keys: keys, Table: "tab", Dataset: "all", Version: 3})
	record := func(n int) writer.Record {
		key := fmt.Sprintf(`{"pk":{"S":"%d"}}`, n)
		return writer.NewRecord(n, 'I', 1_700_000_000, key, key, "")
	}
	changes := writer.DecodeExport(t, keys, writer.ExportLines(false, record(3), record(1), record(2)), transform.ViewNew).Changes
	body, stats := writeExport(t, e, exportInfo(transform.ViewNew), changes)
	if stats.Rows != 3 || stats.MinTS != 1_700_000_000_000_001 || stats.MaxTS != 1_700_000_000_000_003 {
		t.Errorf("%+v", stats)
	}
	want := map[string]string{
		"format": "1", "source": "incremental", "table": "tab", "dataset": "all", "epoch": "7", "schema": "3",
		"keys": `[{"column":"pk","attribute":"pk","type":"S"}]`, "rows": "3", "items": "99",
		"min-ts": "1700000000000001", "max-ts": "1700000000000003", "writer": "host%20%C3%A4%2F1",
		"export": "arn:aws:dynamodb:eu-west-1:1:table/tab/export/01700000000000-0a1b2c3d",
		"from":   "2023-11-14T22:00:00Z", "to": "2023-11-14T23:00:00Z",
		"data-file": "exports/AWSDynamoDB/data/abc.json.gz", "data-md5": "y+zg5fVeudb3R3DOQ+RKgA==",
	}
	if diff := cmp.Diff(want, footerOf(t, body)); diff != "" {
		t.Errorf("incremental (-want +got):\n%s", diff)
	}
	info := exportInfo(transform.ViewNew)
	meta := map[string]string{}
	for _, name := range []string{"format", "source", "dataset", "epoch", "export", "items", "data-md5", "schema", "writer"} {
		meta[name] = want[name]
	}
	if diff := cmp.Diff(meta, e.ExportMeta(info)); diff != "" {
		t.Errorf("object metadata (-want +got):\n%s", diff)
	}

	body, stats = writeExport(t, e, exportInfo(transform.ViewFull), nil)
	if stats.Rows != 0 || stats.MinTS != 0 || stats.MaxTS != 0 {
		t.Errorf("%+v", stats)
	}
	want["source"], want["from"], want["rows"], want["min-ts"], want["max-ts"] = "full", "", "0", "0", "0"
	if diff := cmp.Diff(want, footerOf(t, body)); diff != "" {
		t.Errorf("full, empty (-want +got):\n%s", diff)
	}
}

// footerOf reads with another library.
func footerOf(t *testing.T, body []byte) map[string]string {
	t.Helper()
	r, err := file.NewParquetReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for g := range r.NumRowGroups() {
		if n := len(r.MetaData().RowGroups[g].SortingColumns); n > 0 {
			t.Errorf("row group %d says that it is sorted, by %d columns", g, n)
		}
	}
	got := map[string]string{}
	kv := r.MetaData().KeyValueMetadata()
	for i, k := range kv.Keys() {
		got[k[len("dynamolake."):]] = kv.Values()[i]
	}
	return got
}

// TestExportsFilesOfOneEncoderAtOnce: more of them open than there are processors.
func TestExportsFilesOfOneEncoderAtOnce(t *testing.T) {
	keys := transform.KeySchema{Hash: attr("pk", 'S')}
	e := writer.NewEncoder(writer.Schema{Keys: keys, Table: "tab", Dataset: "all"})
	changes := writer.DecodeExport(t, keys, writer.ExportLines(true, writer.LargeRecords(1, 1, 500)...), transform.ViewFull).Changes
	want, _ := writeExport(t, e, exportInfo(transform.ViewFull), changes)
	for range 2 {
		var files []*writer.ExportFile
		outs := make([]bytes.Buffer, 3*runtime.GOMAXPROCS(0))
		for i := range outs {
			files = append(files, e.Export(&outs[i], exportInfo(transform.ViewFull)))
		}
		for _, part := range [][]transform.Change{changes[:200], changes[200:]} {
			for _, x := range files {
				if err := x.Add(part); err != nil {
					t.Fatal(err)
				}
			}
		}
		for i, x := range files {
			if _, err := x.Close(); err != nil || !bytes.Equal(outs[i].Bytes(), want) {
				t.Errorf("file %d: %d bytes, want %d equal ones; %v", i, outs[i].Len(), len(want), err)
			}
			if err := x.Add(changes); err == nil {
				t.Error("a row is added to a closed file")
			}
		}
	}
}
