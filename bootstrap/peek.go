package bootstrap

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/klauspost/compress/gzip"

	"dynamolake/transform"
)

// Peeked is what was looked at of an export.
type Peeked struct {
	TableARN string
	Full     bool
	Items    int64 // of the export, as its manifest counts
	Seen     int64 // lines that were read, those that make no sense among them
	Rejects  int64 // those
}

// errEnough ends the reading of a data file of which enough was seen.
var errEnough = errors.New("enough was seen")

// Peek gives up to most lines of an export to take, from the beginnings of all of its data files: DynamoDB spreads the
// items over them by a hash. from is as in [Import]; the client is asked only for s3://. take may not keep the changes.
// A data file that is not read to its end is not checked against its checksum.
func Peek(ctx context.Context, client *s3.Client, keys transform.KeySchema, from string, most int64, take func([]transform.Change) error) (Peeked, error) {
	place, path, err := placeOf(client, from)
	if err != nil {
		return Peeked{}, err
	}
	m, at, err := readManifest(ctx, place, path)
	if err != nil {
		return Peeked{}, err
	}
	p := Peeked{TableARN: m.TableARN, Full: m.full(), Items: m.Items}
	files, decoder := filled(m.Files), transform.NewDecoder(keys)
	for i, f := range files {
		quota := (most - p.Seen + int64(len(files)-i) - 1) / int64(len(files)-i)
		if quota <= 0 {
			break
		}
		err := m.peek(ctx, at, f, decoder, func(page *transform.Page) error {
			p.Seen += int64(len(page.Changes) + len(page.Rejects))
			p.Rejects += int64(len(page.Rejects))
			if err := take(page.Changes); err != nil {
				return err
			}
			if quota--; quota == 0 {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			return p, fmt.Errorf("look into %s: %w", at.address(f.Key), err)
		}
	}
	return p, nil
}

// filled are the files that have items.
func filled(files []dataFile) (some []dataFile) {
	for _, f := range files {
		if f.Items > 0 {
			some = append(some, f)
		}
	}
	return some
}

// peek gives the lines of a data file to take, each as a page of its own, which is overwritten by the next, until take fails. An error
// that is an [unlike] tells that the file is no good.
func (m *manifest) peek(ctx context.Context, at raw, f dataFile, decoder *transform.Decoder, take func(*transform.Page) error) error {
	body := &resuming{ctx: ctx, from: at, key: f.Key}
	defer body.close()
	unzipped, err := gzip.NewReader(body)
	if err != nil {
		return broken(body, err)
	}
	lines, page := bufio.NewScanner(m.unpacked(unzipped)), &transform.Page{}
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	for lines.Scan() {
		if err := decoder.DecodeExport(lines.Bytes(), m.view(), page); err != nil {
			return err
		}
		if err := take(page); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return broken(body, err)
	}
	return nil
}

// placeOf tells where an export lies whose summary has that address.
func placeOf(client *s3.Client, from string) (place func(moved) raw, path string, err error) {
	scheme, path, _ := strings.Cut(from, "://")
	switch bucket, key, _ := strings.Cut(path, "/"); {
	case scheme == "s3" && bucket != "" && key != "" && client != nil:
		return func(m moved) raw { return inBucket{client, bucket, m} }, key, nil
	case scheme == "file" && strings.HasPrefix(path, "/"):
		return func(m moved) raw { return inFolder{m} }, path, nil
	}
	return nil, "", &Advice{What: fmt.Sprintf("read export %q", from), Fix: "give the address of a manifest-summary.json: s3://bucket/.../manifest-summary.json or file:///.../manifest-summary.json"}
}
