package lakecheck

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"dynamolake/transform"
)

// Object is one Parquet file.
type Object struct {
	Key      string
	Dataset  string    // from the key
	Modified time.Time // as the store has it
	Size     int64     // bytes
	Shard    string
	After    transform.Seq // from the name
	End      transform.Seq // from the footer
	ShardEnd bool
	HasOld   bool // old images are kept
	Rows     []Row

	// Of an export's file, from the footer.
	Source   string // full or incremental; empty for a file of the stream
	Epoch    int64
	From, To time.Time // From is zero for a full export
	Export   string    // ARN
	DataFile string    // "overlap-<epoch>" for items that were deleted unseen
	// Err says why the object could not be decoded, or where its name, its
	// footer, the store's metadata and its rows disagree.
	Err error
}

// Row is one change as its columns hold it.
type Row struct {
	Op      string // INSERT, MODIFY or REMOVE; SNAPSHOT in a full export
	Seq     transform.Seq
	Created time.Time // zero where the service did not say; in an export when the item was last written
	Shard   string
	EventID string
	Source  string
	Epoch   int64
	TTL     bool
	Key     string  // canonical DynamoDB JSON of the primary key
	Image   string  // canonical DynamoDB JSON of the new image; empty for a REMOVE
	Old     *string // DynamoDB JSON as stored
	Rest    *string // DynamoDB JSON as stored
}

// decode fills o from the file and says what is wrong with it. Shard and After
// are set from the name before.
func (o *Object) decode(body []byte, meta map[string]string) error {
	f, err := readFile(body)
	if err != nil {
		return err
	}
	rowsErr := o.readRows(f)
	return errors.Join(o.readFooter(f), rowsErr, o.compareMeta(f, body, meta))
}

// readFooter takes the walk's part from the footer and holds the rest of it
// against the name and the rows.
func (o *Object) readFooter(f *parquetFile) error {
	var problems []error
	end, err := transform.ParseSeq(f.footer["end"])
	if err != nil {
		return fmt.Errorf("footer: end: %w", err)
	}
	o.End = end
	if o.ShardEnd, err = strconv.ParseBool(f.footer["shard-end"]); err != nil {
		return fmt.Errorf("footer: shard-end: %w", err)
	}
	for name, want := range map[string]string{
		"dataset": o.Dataset,
		"after":   o.After.String(),
		"shard":   o.Shard,
		"rows":    strconv.Itoa(f.rows),
	} {
		if got := f.footer[name]; got != want {
			problems = append(problems, fmt.Errorf("footer: %s is %q, the object has %q", name, got, want))
		}
	}
	return errors.Join(problems...)
}

// compareMeta holds the store's metadata, where it has any, against the footer.
func (o *Object) compareMeta(f *parquetFile, body []byte, meta map[string]string) error {
	var problems []error
	for _, name := range []string{"after", "end", "shard-end", "rows", "min-ts", "max-ts", "writer", "attempt"} {
		if got, ok := meta[name]; ok && got != f.footer[name] {
			problems = append(problems, fmt.Errorf("metadata: %s is %q, the footer has %q", name, got, f.footer[name]))
		}
	}
	sum := sha256.Sum256(body)
	if got, ok := meta["sha256"]; ok && got != hex.EncodeToString(sum[:]) {
		problems = append(problems, errors.New("metadata: sha256 is not that of the content"))
	}
	return errors.Join(problems...)
}

// readRows rebuilds every row. A row that cannot be rebuilt is kept without key
// and image, so that it is missed as content and not as a change.
func (o *Object) readRows(f *parquetFile) error {
	keys, err := f.keySchema()
	if err != nil {
		return err
	}
	for name, c := range f.columns {
		if _, meta := metadataColumns[name]; !meta && name != "_old" && c != f.hash && c != f.rng {
			return fmt.Errorf("the footer does not tell what column %q is", name)
		}
	}
	o.HasOld = f.columns["_old"] != nil
	text := func(name string, i int) string { return string(f.columns[name].bytesAt(i)) }
	maybe := func(name string, i int) *string {
		if b := f.columns[name].bytesAt(i); b != nil {
			s := string(b)
			return &s
		}
		return nil
	}
	var first error
	problem := func(i int, err error) {
		if first == nil {
			first = fmt.Errorf("row %d: %w", i, err)
		}
	}
	o.Rows = make([]Row, f.rows)
	for i := range o.Rows {
		r := &o.Rows[i]
		*r = Row{
			Op:      text("_op", i),
			Created: f.timeAt(i),
			Shard:   text("_shard", i),
			EventID: text("_event_id", i),
			Source:  text("_source", i),
			Epoch:   f.columns["_epoch"].intAt(i),
			TTL:     f.columns["_ttl"].boolAt(i),
			Old:     maybe("_old", i),
			Rest:    maybe("_rest", i),
		}
		if o.Source != "" {
			err = o.rowOfExport(r, maybe("_seq", i), maybe("_shard", i))
		} else {
			err = o.rowOfStream(r, text("_seq", i))
		}
		if err != nil {
			problem(i, err)
		}
		if err := r.rebuild(f, keys, i); err != nil {
			problem(i, err)
		}
	}
	return first
}

// rowOfStream is what rows of the stream alone have.
func (o *Object) rowOfStream(r *Row, seq string) (err error) {
	if r.Seq, err = transform.ParseSeq(seq); err != nil {
		return fmt.Errorf("_seq: %w", err)
	}
	switch {
	case len(seq) != transform.SeqDigits:
		return fmt.Errorf("_seq %q is not padded to %d digits", seq, transform.SeqDigits)
	case r.Shard != o.Shard:
		return fmt.Errorf("_shard is %q", r.Shard)
	case r.Source != stream:
		return fmt.Errorf("_source is %q", r.Source)
	}
	return nil
}

// rebuild puts the image and the key together again.
func (r *Row) rebuild(f *parquetFile, keys transform.KeySchema, i int) error {
	rest, err := r.whole(f, i)
	if err != nil {
		return fmt.Errorf("rebuild %s: %w", r.Seq, err)
	}
	hash, rng := f.key(f.hash, i), f.key(f.rng, i)
	item, err := transform.RebuildItem(keys, hash, rng, rest)
	if err != nil {
		return fmt.Errorf("rebuild %s: %w", r.Seq, err)
	}
	key, err := keyOf(keys, hash, rng, item)
	if err != nil {
		return fmt.Errorf("rebuild %s: %w", r.Seq, err)
	}
	switch {
	case r.Op != transform.Remove.String():
		r.Image = string(item)
	case string(item) != key:
		return fmt.Errorf("rebuild %s: a REMOVE holds more than its key", r.Seq)
	}
	r.Key = key
	return nil
}

// whole is _rest with what the attribute columns have.
func (r *Row) whole(f *parquetFile, i int) ([]byte, error) {
	var rest object
	var err error
	if r.Rest != nil {
		if len(f.attrs) == 0 {
			return []byte(*r.Rest), nil
		}
		if rest, err = readObject([]byte(*r.Rest)); err != nil {
			return nil, fmt.Errorf("_rest: %w", err)
		}
	}
	for j := range f.attrs {
		a := &f.attrs[j]
		t, err := a.assemble(i)
		if err == nil && t != nil && r.Op == transform.Remove.String() {
			err = errors.New("a REMOVE has a value")
		}
		if err == nil && t != nil && len(a.From) > 0 {
			var value map[string]any
			if value, err = t.render(); err == nil {
				err = rest.put(a.From, value)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", a.Column, err)
		}
	}
	if r.Rest == nil {
		return nil, nil
	}
	return rest.text(), nil
}

// keyOf is the item's key alone, in canonical form.
func keyOf(keys transform.KeySchema, hash, rng transform.KeyValue, item []byte) (string, error) {
	if hash.Exact && (rng.Exact || !keys.HasRange()) {
		key, err := transform.RebuildItem(keys, hash, rng, []byte("{}"))
		return string(key), err
	}
	var attrs map[string]json.RawMessage
	if err := json.Unmarshal(item, &attrs); err != nil {
		return "", err
	}
	key := map[string]json.RawMessage{keys.Hash.Name: attrs[keys.Hash.Name]}
	if keys.HasRange() {
		key[keys.Range.Name] = attrs[keys.Range.Name]
	}
	for name, value := range key {
		if value == nil {
			return "", fmt.Errorf("there is no key attribute %q", name)
		}
	}
	text, err := json.Marshal(key)
	if err != nil {
		return "", err
	}
	return canonical(string(text))
}

// canonical is transform.Canonical of an image that may be absent.
func canonical(image string) (string, error) {
	if image == "" {
		return "", nil
	}
	b, err := transform.Canonical([]byte(image))
	return string(b), err
}
