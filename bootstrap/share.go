package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"dynamolake/writer"
)

// share is what a data file gives to one dataset.
type share struct {
	*part
	done  *recordedFile
	there bool // its Parquet file is in the lake
	// As long as that is being written:
	up      writer.Upload
	file    *writer.ExportFile
	refused int64
}

// missing are the shares that are not in the lake yet; what is there is counted.
func (c *conversion) missing(ctx context.Context, shares []share) (todo []*share, err error) {
	var rejected map[string]int64 // by dataset
	for i := range shares {
		s := &shares[i]
		if s.there {
			continue
		}
		o, err := c.w.Store.Head(ctx, s.done.Parquet)
		if errors.Is(err, writer.ErrNotFound) {
			todo = append(todo, s)
			continue
		}
		if err != nil {
			return nil, err
		}
		if items := o.Meta["items"]; items != "" && items != strconv.FormatInt(s.done.Items, 10) || o.Meta["data-md5"] != "" && o.Meta["data-md5"] != s.done.MD5 {
			return nil, &Damaged{s.done.Parquet, fmt.Sprintf("it says that it is made of %s items with MD5 %s, the manifest says %d with %s", items, o.Meta["data-md5"], s.done.Items, s.done.MD5)}
		}
		// Whatever is refused is in rejects/ before any Parquet file is there.
		if rejected == nil {
			if rejected, err = c.rejected(ctx, s.done.DataFile); err != nil {
				return nil, err
			}
		}
		if s.done.Rows, err = c.rowsThere(ctx, s, o, rejected); err != nil {
			return nil, err
		}
		s.done.Size, s.done.Rejects, s.there = o.Size, rejected[s.Name], true
		if s.first {
			s.done.Rejects += rejected[""]
		}
	}
	return todo, nil
}

// rowsThere is how many rows a Parquet file has that another has written: as cheaply as that can be told.
func (c *conversion) rowsThere(ctx context.Context, s *share, o writer.Object, rejected map[string]int64) (int64, error) {
	if rows, err := strconv.ParseInt(o.Meta["rows"], 10, 64); err == nil { // of a folder
		return rows, nil
	}
	if s.all {
		return s.done.Items - rejected[s.Name] - rejected[""], nil
	}
	rows, _, err := c.w.footer(ctx, s.done.Parquet)
	return rows, err
}

// rejected counts the rejects of a data file by dataset; those of none have no name.
func (c *conversion) rejected(ctx context.Context, dataFile string) (map[string]int64, error) {
	count := map[string]int64{}
	prefix := rejectPrefix(c.w.prefix(), c.x.ID(), dataFile)
	for o, err := range c.w.Store.List(ctx, prefix) {
		if err != nil {
			return nil, err
		}
		_, name, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(o.Key, prefix), ".json"), "@")
		count[name]++
	}
	return count, nil
}

// begin opens the Parquet file of each share.
func (c *conversion) begin(ctx context.Context, f dataFile, todo []*share) error {
	info := writer.ExportInfo{
		ARN: c.x.ARN, From: c.x.From, To: c.x.To, Epoch: c.epoch.Number,
		DataFile: f.Key, DataMD5: f.MD5, Items: f.Items, Writer: c.w.Worker,
	}
	for _, s := range todo {
		up, err := c.w.Store.Create(ctx, s.done.Parquet, s.Encoder.ExportMeta(info))
		if err != nil {
			return err
		}
		s.up, s.file, s.refused = up, s.Encoder.Export(up, info), 0
	}
	return nil
}

// drop gives up what is not committed.
func drop(ctx context.Context, todo []*share) {
	for _, s := range todo {
		if s.up != nil {
			s.up.Abort(ctx) //nolint:errcheck // what matters is why; after Commit it does nothing
			s.up, s.file = nil, nil
		}
	}
}

// complete closes the files, makes the rejects durable, and then gives the files their names, one by one. Where another
// worker was first, what that one wrote is what is there.
func (c *conversion) complete(ctx context.Context, f dataFile, todo []*share, bad *rejects) error {
	for _, s := range todo {
		stats, err := s.file.Close()
		if err != nil {
			return err
		}
		if took := stats.Rows + s.refused + bad.nobodys; s.all && took != f.Items || took > f.Items {
			return fmt.Errorf("%d rows and %d rejects of %d items in dataset %s", stats.Rows, took-stats.Rows, f.Items, s.Name)
		}
		s.done.Rows, s.done.Size = stats.Rows, stats.Bytes
		if s.done.Rejects = s.refused; s.first {
			s.done.Rejects += bad.nobodys
		}
	}
	if err := bad.put(ctx, c.w); err != nil {
		return err
	}
	for _, s := range todo {
		err := s.up.Commit(ctx)
		if err != nil && !errors.Is(err, writer.ErrExists) {
			return err
		}
		s.there = err == nil
	}
	return nil
}
