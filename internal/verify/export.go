package verify

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"dynamolake/transform"
)

// Export is a full export of DynamoDB, as it lies where AWS put it or in a copy.
type Export struct {
	At      time.Time // the export's time
	Items   int64
	address string
	open    Opener
	base    string // of what stands before AWSDynamoDB/ in its objects' names
	keys    transform.KeySchema
	files   []dataFile
}

// Opener begins to read an object of an export.
type Opener func(ctx context.Context, key string) (io.ReadCloser, error)

type dataFile struct {
	Items int64  `json:"itemCount"`
	MD5   string `json:"md5Checksum"`
	Key   string `json:"dataFileS3Key"`
}

// root is the folder that all objects of an export are under.
const root = "AWSDynamoDB/"

// OpenExport reads the manifests of an export. summary is the key of its manifest-summary.json; address
// is for people.
func OpenExport(ctx context.Context, open Opener, summary, address string, keys transform.KeySchema) (*Export, error) {
	x := &Export{address: address, open: open, keys: keys}
	at := strings.LastIndex(summary, root)
	if at < 0 {
		return nil, fmt.Errorf("export %s: want the manifest-summary.json of an export, which lies under %s", address, root)
	}
	x.base = summary[:at]
	body, err := x.summed(ctx, summary)
	if err != nil {
		return nil, err
	}
	var m struct {
		Type     string    `json:"exportType"`
		Time     time.Time `json:"exportTime"`
		FilesKey string    `json:"manifestFilesS3Key"`
		Items    int64     `json:"itemCount"`
		Format   string    `json:"outputFormat"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, fmt.Errorf("export %s: its summary is not readable: %w", address, err)
	}
	switch {
	case m.Time.IsZero() || m.Type == "INCREMENTAL_EXPORT":
		return nil, fmt.Errorf("export %s: it is no full export, and only such a one holds the table", address)
	case m.Format != "DYNAMODB_JSON":
		return nil, fmt.Errorf("export %s: it is in %s; only exports in DYNAMODB_JSON can be compared", address, m.Format)
	}
	x.At, x.Items = m.Time.UTC(), m.Items
	if body, err = x.summed(ctx, x.place(m.FilesKey)); err != nil {
		return nil, err
	}
	for lines := json.NewDecoder(bytes.NewReader(body)); ; {
		var f dataFile
		err := lines.Decode(&f)
		if err == io.EOF {
			return x, nil
		}
		if err != nil {
			return nil, fmt.Errorf("export %s: %s is not readable: %w", address, m.FilesKey, err)
		}
		x.files = append(x.files, f)
	}
}

// place is where an object is that the manifest names: the whole may have been copied.
func (x *Export) place(key string) string {
	return x.base + key[max(strings.LastIndex(key, root), 0):]
}

// summed reads a manifest and checks it against the checksum beside it.
func (x *Export) summed(ctx context.Context, key string) ([]byte, error) {
	read := func(key string) ([]byte, error) {
		r, err := x.open(ctx, key)
		if err != nil {
			return nil, fmt.Errorf("export %s: %w", x.address, err)
		}
		defer r.Close()
		return io.ReadAll(r)
	}
	body, err := read(key)
	if err != nil {
		return nil, err
	}
	want, err := read(strings.TrimSuffix(key, ".json") + ".md5")
	if err != nil {
		return nil, err
	}
	if sum := md5.Sum(body); base64.StdEncoding.EncodeToString(sum[:]) != strings.TrimSpace(string(want)) {
		return nil, fmt.Errorf("export %s: %s is not what was written (MD5); bring it back", x.address, key)
	}
	return body, nil
}

func (x *Export) name() string { return "export " + x.address }

func (x *Export) each(ctx context.Context, progress func(int64), take func(key, item []byte) error) error {
	var items atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(segments)
	for _, f := range x.files {
		group.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			n, err := x.read(ctx, f, take)
			if err != nil {
				return fmt.Errorf("export %s: %s: %w", x.address, f.Key, err)
			}
			progress(items.Add(n))
			return nil
		})
	}
	return group.Wait()
}

// maxLine is far beyond an item of 400 KB, whatever its escapes.
const maxLine = 32 << 20

// read gives the items of a data file. It must be what the manifest says.
func (x *Export) read(ctx context.Context, f dataFile, take func(key, item []byte) error) (items int64, err error) {
	body, err := x.open(ctx, x.place(f.Key))
	if err != nil {
		return 0, err
	}
	defer body.Close()
	sum := md5.New()
	in := io.TeeReader(body, sum)
	if f.Items > 0 {
		if items, err = x.lines(in, take); err != nil {
			return items, err
		}
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return items, err
	}
	return items, f.verify(items, sum)
}

func (f dataFile) verify(items int64, sum hash.Hash) error {
	if got := base64.StdEncoding.EncodeToString(sum.Sum(nil)); got != f.MD5 {
		return fmt.Errorf("it is not what was written (MD5); bring it back as DynamoDB wrote it")
	}
	if items != f.Items {
		return fmt.Errorf("it has %d items, and its manifest counts %d", items, f.Items)
	}
	return nil
}

func (x *Export) lines(in io.Reader, take func(key, item []byte) error) (items int64, err error) {
	text, err := gzip.NewReader(in)
	if err != nil {
		return 0, err
	}
	decoder, page := transform.NewDecoder(x.keys), &transform.Page{}
	lines := bufio.NewScanner(text)
	lines.Buffer(make([]byte, 0, 1<<20), maxLine)
	for lines.Scan() {
		if err := decoder.DecodeExport(lines.Bytes(), transform.ViewFull, page); err != nil {
			return items, err
		}
		items += int64(len(page.Changes) + len(page.Rejects))
		for i := range page.Changes { // what is a reject here is one in the lake
			c := &page.Changes[i]
			key, err := transform.RebuildKey(x.keys, c.Hash, c.Range, c.New)
			if err != nil {
				return items, err
			}
			if err := take(key, c.New); err != nil {
				return items, err
			}
		}
	}
	return items, lines.Err()
}
