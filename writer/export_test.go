package writer

// What the external tests share with the internal ones.
var (
	PageBody     = pageBody
	SeqOf        = seqOf
	LargeRecords = largeRecords
	ExportLines  = exportLines
	DecodeExport = decodeExport
)

// Record is one stream record as a test writes it down.
type Record = record

// NewRecord fills a record in.
func NewRecord(seq int, op byte, created int64, keys, img, old string) Record {
	return Record{seq: seq, op: opOf(op), created: created, keys: keys, new: img, old: old, ttl: op == 'R'}
}

// InGroups makes an export's file end a row group after so many bytes.
func InGroups(x *ExportFile, bytes int64) *ExportFile {
	x.w.groupBytes = bytes
	return x
}
