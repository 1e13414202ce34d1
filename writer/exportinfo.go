package writer

import (
	"strconv"
	"time"
)

// ExportInfo is what a file of an export says of its origin, beside its rows.
type ExportInfo struct {
	ARN string // of the export
	// From and To are the window of an incremental export. For a full one From is
	// the zero time, and To the time of the export, which all rows have as _ts.
	From, To time.Time
	Epoch    int64  // goes to _epoch
	DataFile string // S3 key of the data file
	DataMD5  string // its checksum as the manifest has it, Base64
	Items    int64  // lines in it, as the manifest says
	Writer   string // worker id
}

// Full tells a full export from an incremental one.
func (i ExportInfo) Full() bool { return i.From.IsZero() }

// source is the word for _source.
func (i ExportInfo) source() []byte {
	if i.Full() {
		return sourceFull
	}
	return sourceIncremental
}

// ExportStats is what a complete file holds.
type ExportStats struct {
	Rows int64
	// MinTS and MaxTS bound _ts, in microseconds since 1970; zero without rows.
	MinTS, MaxTS int64
	Bytes        int64 // of the file
}

// ExportMeta is the object metadata of an export's file: what is known before its
// first byte.
func (e *Encoder) ExportMeta(info ExportInfo) map[string]string {
	return map[string]string{
		"format":   strconv.Itoa(FormatVersion),
		"source":   string(info.source()),
		"dataset":  escape(e.schema.Dataset),
		"epoch":    strconv.FormatInt(info.Epoch, 10),
		"export":   printable(info.ARN),
		"items":    strconv.FormatInt(info.Items, 10),
		"data-md5": printable(info.DataMD5),
		"schema":   strconv.Itoa(e.schema.Version),
		"writer":   escape(info.Writer),
	}
}

// exportFooter is the file's own metadata, in order.
func (e *Encoder) exportFooter(info ExportInfo, s ExportStats) [][2]string {
	from := ""
	if !info.Full() {
		from = info.From.UTC().Format(time.RFC3339Nano)
	}
	return e.withAttributes([][2]string{
		{"format", strconv.Itoa(FormatVersion)},
		{"source", string(info.source())},
		{"rows", strconv.FormatInt(s.Rows, 10)},
		{"min-ts", strconv.FormatInt(s.MinTS, 10)},
		{"max-ts", strconv.FormatInt(s.MaxTS, 10)},
		{"writer", escape(info.Writer)},
		{"table", e.schema.Table},
		{"dataset", e.schema.Dataset},
		{"export", info.ARN},
		{"from", from},
		{"to", info.To.UTC().Format(time.RFC3339Nano)},
		{"data-file", info.DataFile},
		{"data-md5", info.DataMD5},
		{"items", strconv.FormatInt(info.Items, 10)},
		{"epoch", strconv.FormatInt(info.Epoch, 10)},
		{"schema", strconv.Itoa(e.schema.Version)},
		{"keys", e.keys},
	})
}

// printable is a text that object metadata can hold as it is, or else escaped.
func printable(s string) string {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return escape(s)
		}
	}
	return s[:min(len(s), 1024)]
}
