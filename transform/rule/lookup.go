package rule

import (
	"bytes"
	"encoding/csv"
	"errors"
	"slices"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"dynamolake/transform/schema"
)

// table is a lookup file: a CSV whose first line names its columns and whose first column
// is the key.
type table struct {
	columns []string
	rows    map[string][]string
}

// maxLookup is how large a lookup file may be: it is in the memory of each worker.
const maxLookup = 16 << 20

func readTable(l schema.Lookup, file []byte, problems *schema.Problems) *table {
	if len(file) > maxLookup {
		problems.Add(l.Line, "lookup %s: %s has %d bytes, over %d", l.Name, l.File, len(file), maxLookup)
		return nil
	}
	t := &table{rows: map[string][]string{}}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\xEF\xBB\xBF"))))
	records, err := r.ReadAll()
	var bad *csv.ParseError
	switch {
	case errors.As(err, &bad):
		problems.Add(l.Line, "lookup %s: line %d of %s: %s", l.Name, bad.Line, l.File, bad.Err)
		return nil
	case err != nil:
		problems.Add(l.Line, "lookup %s: %s: %s", l.Name, l.File, err)
		return nil
	case len(records) == 0:
		problems.Add(l.Line, "lookup %s: %s has no line with the names of its columns", l.Name, l.File)
		return nil
	}
	t.columns = records[0]
	for i, record := range records[1:] {
		if t.rows[record[0]] != nil {
			problems.Add(l.Line, "lookup %s: record %d of %s has a key for the second time", l.Name, i+2, l.File)
			return nil
		}
		t.rows[record[0]] = record
	}
	return t
}

// tables are the lookups by name.
type tables map[string]*table

// lookup is lookup(table, key, column), whose names were checked.
func (t tables) lookup(args ...ref.Val) ref.Val {
	name, ok1 := args[0].(types.String)
	column, ok2 := args[2].(types.String)
	if !ok1 || !ok2 || t[string(name)] == nil {
		return types.NewErr("lookup without such a table")
	}
	key, ok := args[1].ConvertToType(types.StringType).(types.String)
	if !ok {
		return types.NewErr("the key of a lookup is no text and no number")
	}
	row := t[string(name)].rows[string(key)]
	if row == nil {
		return types.NullValue
	}
	at := slices.Index(t[string(name)].columns, string(column))
	if at < 0 {
		return types.NewErr("lookup without such a column")
	}
	return types.String(row[at])
}
