package bootstrap

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"

	"dynamolake/transform"
	"dynamolake/writer"
)

// reject is the object of a line that makes no sense.
type reject struct {
	Reason   string          `json:"reason"`
	Export   string          `json:"export"`
	DataFile string          `json:"data_file"`
	Line     int64           `json:"line"` // from 1
	Record   json.RawMessage `json:"record,omitempty"`
	Base64   []byte          `json:"base64,omitempty"` // a line that is not JSON
}

// rejects keeps the lines of one data file that make no sense, until the file is
// known to be what the manifest says, or they become too many to keep.
type rejects struct {
	held  []reject
	bytes int
	count int64
}

const (
	heldRejects = 4 << 20
	// senseless is after how many lines, none of which made sense, the file is not read on.
	senseless = 1000
)

// add takes those of a page; lines is the text of the page, which begins with the
// given line.
func (r *rejects) add(lines []byte, line int64, export, dataFile string, found []transform.Reject) {
	for len(found) > 0 && len(lines) > 0 {
		if raw := found[0].Raw; len(raw) > 0 && &raw[0] == &lines[0] {
			j := reject{Reason: found[0].Reason, Export: export, DataFile: dataFile, Line: line}
			if json.Valid(raw) {
				j.Record = bytes.Clone(raw)
			} else {
				j.Base64 = bytes.Clone(raw)
			}
			r.held, r.bytes, r.count = append(r.held, j), r.bytes+len(raw), r.count+1
			found = found[1:]
		}
		end := bytes.IndexByte(lines, '\n')
		if end < 0 {
			break
		}
		lines, line = lines[end+1:], line+1
	}
}

// put writes what is held under names that a replay lands on.
func (r *rejects) put(ctx context.Context, store writer.Store, tablePrefix string) error {
	for _, j := range r.held {
		var body bytes.Buffer
		text := json.NewEncoder(&body)
		text.SetEscapeHTML(false)
		if err := text.Encode(j); err != nil {
			return fmt.Errorf("write reject of line %d of %s: %w", j.Line, j.DataFile, err)
		}
		key := fmt.Sprintf("%s%d.json", rejectPrefix(tablePrefix, j.Export, j.DataFile), j.Line)
		if err := store.PutNew(ctx, key, body.Bytes(), nil); err != nil && !errors.Is(err, writer.ErrExists) {
			return fmt.Errorf("write reject of line %d of %s: %w", j.Line, j.DataFile, err)
		}
	}
	r.held, r.bytes = nil, 0
	return nil
}

// rejectPrefix is what the rejects of a data file have in common, up to the line.
func rejectPrefix(tablePrefix, export, dataFile string) string {
	return tablePrefix + "rejects/exports/" + export + "/" + path.Base(dataFile) + "-"
}
