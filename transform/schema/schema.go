package schema

import "strings"

// Schema is what a table's rows look like, in all of its datasets.
type Schema struct {
	Version   int    // raised by each evolution; 0 for a file that a person wrote
	Unmatched Policy // of items that no dataset takes: Reject or Drop
	Lookups   []Lookup
	Datasets  []Dataset
	Note      string // a comment at the top
	// Unread: of a file with problems: there is more in it, lookups for one, that could not be read.
	Unread bool
}

// Policy is what happens to what is not wanted.
type Policy byte

// The policies; the zero Policy means that the file does not say.
const (
	Reject Policy = iota + 1
	Drop
	Keep
)

func (p Policy) String() string { return [...]string{"", "reject", "drop", "keep"}[p] }

// Lookup is a small file that expressions look things up in.
type Lookup struct {
	Name string
	File string
	Line int
}

// Dataset is one of the parts that a table is split into. Each has its own
// columns, files and chains.
type Dataset struct {
	Name   string
	Filter *Expr // nil takes every item
	// AppendOnly refuses changes of items that are there, as rejects, and writes no
	// old images. Deletes says whether deletes are kept or dropped then.
	AppendOnly bool
	Deletes    Policy
	Columns    []Column
	// What is not to be seen in the lake, in columns nor in _rest: gone, replaced by a
	// word, replaced by a salted hash.
	Drop, Redact, Hash []Path
	// How attributes that get a column by themselves are named and split.
	Rename    []Rename
	Flatten   []Path
	Partition []Partition // hints
	// NewAttributes tells whether an attribute without a column gets one, up to
	// MaxColumns leaf columns of the dataset, whatever they are of.
	NewAttributes bool
	MaxColumns    int
	LastID        int // the highest field id that was ever given
	Note          string
	Line          int
	Unread        bool           // of a file with problems: there is more in it, columns for one, that could not be read
	Lines         map[string]int // of keys that have no place of their own, and of what is in them: "hash", "hash ssn"
}

// At is the line of a key, or of a name in it; that of the dataset where the file does not say.
func (d *Dataset) At(key string) int {
	if line := d.Lines[key]; line > 0 {
		return line
	}
	return d.Line
}

// Column is one column: of an attribute, or computed.
type Column struct {
	Name     string // unique in the dataset, also when case is ignored
	From     Path   // of the attribute; nil if computed, and empty where a file with problems does not tell
	Expr     *Expr  // nil unless computed
	Type     Type
	Required bool   // an item that leaves it null is a reject; in Parquet it is optional, for a removal leaves all null
	ID       int    // Parquet field id; 0 until numbered
	Note     string // a comment in front of it
	Line     int
}

// Path is an attribute, and the names of the maps' fields inside it.
type Path []string

// String is the path for people: with dots, which may also be in the names.
func (p Path) String() string { return strings.Join(p, ".") }

// Rename names the column of an attribute that gets one by itself.
type Rename struct{ Attr, Column string }

// Partition is a hint how a reader's table could be partitioned.
type Partition struct {
	Transform string // identity, year, month, day, hour, bucket, truncate
	N         int    // of bucket and truncate
	Column    string
	Line      int
}

// Expr is an expression of package rule, and where the file has it.
type Expr struct {
	Text string
	// Line and Col are where its first character is. When it is written with | each
	// line of it stands at Col of its own line; else Col is 0 beyond the first.
	Line, Col int
	Block     bool
}

// Where is the line of the file that has the expression's line, both from 1.
func (e *Expr) Where(line int) int {
	if e.Block {
		return e.Line + line - 1
	}
	return e.Line
}

// Dataset returns the dataset of that name, or nil.
func (s *Schema) Dataset(name string) *Dataset {
	for i := range s.Datasets {
		if s.Datasets[i].Name == name {
			return &s.Datasets[i]
		}
	}
	return nil
}

// column returns the column of that name, whatever its case, or nil.
func (d *Dataset) column(name string) *Column {
	for i := range d.Columns {
		if strings.EqualFold(d.Columns[i].Name, name) {
			return &d.Columns[i]
		}
	}
	return nil
}

// leaves is how many leaf columns the dataset's columns take.
func (d *Dataset) leaves() int {
	n := 0
	for i := range d.Columns {
		n += d.Columns[i].Type.leaves()
	}
	return n
}
