package ledger

import "time"

// RecordsPrefix is where the records of converted exports lie, under the table's prefix.
const RecordsPrefix = "_ledger/exports/"

// Record is the object that says how an export became rows. It is written once, by
// whoever was first, before the ledger calls the export converted.
type Record struct {
	Format int    `json:"format"`
	Export string `json:"export"`
	ARN    string `json:"arn"`
	Source Source `json:"source"`
	Epoch  int64  `json:"epoch"`
	// From is zero for a full export. Both are those of the ledger; Exact tells that the
	// manifest's time of a full export was not rounded for that.
	From  time.Time `json:"from,omitzero"`
	To    time.Time `json:"to"`
	Exact bool      `json:"exact"`

	Bucket   string `json:"bucket,omitempty"`
	Manifest string `json:"manifest"`
	Foreign  bool   `json:"foreign,omitempty"`
	Drop     bool   `json:"drop,omitempty"` // its objects are to be deleted
	View     string `json:"view,omitempty"`
	Layout   string `json:"layout"` // DYNAMODB_JSON or ION
	Schema   int    `json:"schema"` // version of the table's schema that all files have; 0: none

	Items   int64        `json:"items"` // as the manifest counts
	Rows    int64        `json:"rows"`  // of all Files
	Rejects int64        `json:"rejects"`
	Files   []RecordFile `json:"files"`
	// Overlaps hold the REMOVE rows of items that no window of the epoch mentions, a file for each
	// dataset that has some.
	Overlaps []RecordFile `json:"overlaps,omitempty"`
	// Checked and Mismatched count old images that were compared by Worker.
	Checked    int64 `json:"checked,omitempty"`
	Mismatched int64 `json:"mismatched,omitempty"`
	// Restored: its items are some lines that were in rejects/, and not all datasets take each of them.
	Restored  bool      `json:"restored,omitempty"`
	Worker    string    `json:"worker"`
	Converted time.Time `json:"converted"`
}

// RecordFile is what became of one data file in one dataset. A data file has as many as there are
// datasets, with the same Items.
type RecordFile struct {
	DataFile string `json:"data_file,omitempty"` // as the manifest has it
	MD5      string `json:"md5,omitempty"`
	Dataset  string `json:"dataset"`
	Items    int64  `json:"items"` // of the data file
	Rows     int64  `json:"rows"`
	// Rejects are the lines that are in rejects/ for this dataset; the first dataset also counts
	// those that make no sense, and those that no dataset takes.
	Rejects int64 `json:"rejects"`
	// Parquet is relative to the lake; empty where there are no items.
	Parquet string `json:"parquet,omitempty"`
	Size    int64  `json:"size,omitempty"`
}
