package bootstrap

import (
	"bufio"
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"

	"dynamolake/transform"
)

// unlike: a data file is not what the manifest says. It may have been the connection.
type unlike struct{ problem string }

func (u *unlike) Error() string { return u.problem }

// bench is what reading a data file works with, kept for the next.
type bench struct {
	lines []byte
	page  transform.Page
	in    *bufio.Reader
	unzip gzip.Reader
}

var benches = sync.Pool{New: func() any { return &bench{in: bufio.NewReaderSize(nil, 256<<10)} }}

// read converts a data file into some datasets in one go, and returns how many items it told of. Where another worker
// has written a Parquet file meanwhile, that one is not there yet as far as its share says.
func (c *conversion) read(ctx context.Context, f dataFile, todo []*share) (int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	b := benches.Get().(*bench)
	defer benches.Put(b)
	defer drop(ctx, todo)
	if err := c.begin(ctx, f, todo); err != nil {
		return 0, err
	}
	bad := &rejects{export: c.x.ID(), dataFile: f.Key}
	items, err := c.text(ctx, f, b, func(lines []byte, line int64) (int64, error) {
		if err := c.w.decoder.DecodeExport(lines, c.view, &b.page); err != nil {
			return 0, err
		}
		if todo[0].first { // else it was done before
			if err := c.olds.check(b.page.Changes); err != nil {
				return 0, err
			}
		}
		stray := c.strays(b.page.Changes)
		for _, s := range todo {
			if err := s.file.Add(b.page.Changes); err != nil {
				return 0, err
			}
			refused := s.file.Refused()
			s.refused += int64(len(refused))
			stray = placed(stray, b.page.Changes, s.Name, refused)
		}
		if len(b.page.Rejects)+len(stray) > 0 {
			if err := bad.add(lines, line, b.page.Rejects, stray); err != nil {
				return 0, err
			}
			if err := c.tolerable(ctx, f, bad, line, &b.page); err != nil {
				return 0, err
			}
		}
		return int64(len(b.page.Changes) + len(b.page.Rejects)), nil
	})
	if err == nil {
		err = c.complete(ctx, f, todo, bad)
	}
	if err != nil {
		c.tell(-items, 0, false) // it will be read again
		return 0, err
	}
	c.w.metrics.items.Add(float64(items))
	for _, s := range todo {
		if s.there {
			c.w.metrics.rejects.Add(float64(s.done.Rejects))
		}
	}
	return items, nil
}

// strays are the changes that no dataset takes.
func (c *conversion) strays(changes []transform.Change) (found []stray) {
	for i := range changes {
		if why := c.set.Homeless(&changes[i]); why != "" {
			found = append(found, stray{change: i, reason: why})
		}
	}
	return found
}

// tolerable writes rejects early where they are too many to keep, and ends the file
// where nothing in it makes sense.
func (c *conversion) tolerable(ctx context.Context, f dataFile, bad *rejects, line int64, p *transform.Page) error {
	if len(p.Changes) == 0 && bad.senseless >= senseless && bad.senseless >= line {
		return &Advice{
			What: "convert " + c.from.address(f.Key),
			Fix:  fmt.Sprintf("none of its first %d lines makes sense for the key of table %s; is it an export of this table?", bad.senseless, c.w.Table.Name),
			Err:  errors.New(p.Rejects[0].Reason),
		}
	}
	if bad.bytes < heldRejects {
		return nil
	}
	return bad.put(ctx, c.w)
}

// text streams the lines of a data file to f, which counts them, and then checks that
// it was all that the manifest says. line is that of the first, from 1.
func (c *conversion) text(ctx context.Context, f dataFile, b *bench, take func(lines []byte, line int64) (int64, error)) (items int64, err error) {
	body := &resuming{ctx: ctx, from: c.from, key: f.Key}
	defer body.close()
	sum := md5.New()
	b.in.Reset(io.TeeReader(body, sum))
	defer b.in.Reset(nil)
	if err := b.unzip.Reset(b.in); err != nil {
		return 0, broken(body, err)
	}
	line, told := int64(1), int64(0)
	var stop error // of take
	b.lines, err = eachLines(c.m.unpacked(&b.unzip), b.lines, func(lines []byte) error {
		n, err := take(lines, line)
		if stop = err; err != nil {
			return err
		}
		line += int64(bytes.Count(lines, []byte{'\n'}))
		items += n
		c.w.metrics.bytesIn.Add(float64(body.at - told))
		c.tell(n, body.at-told, false)
		told = body.at
		return nil
	})
	if err == nil || stop != nil && lasting(stop) {
		// Behind the gzip stream there is nothing, but the checksum counts; and before
		// anyone is told that the text makes no sense, it must be the right text.
		if _, rest := io.Copy(io.Discard, b.in); rest == nil && stop != nil && base64.StdEncoding.EncodeToString(sum.Sum(nil)) != f.MD5 {
			stop = &unlike{"its MD5 is not the manifest's"}
		} else if err == nil {
			err = rest
		}
	}
	switch got := base64.StdEncoding.EncodeToString(sum.Sum(nil)); {
	case stop != nil:
		return items, stop
	case err != nil:
		return items, broken(body, err)
	case got != f.MD5:
		return items, &unlike{fmt.Sprintf("its MD5 is %s, the manifest says %s", got, f.MD5)}
	case items != f.Items:
		return items, &unlike{fmt.Sprintf("it has %d lines, the manifest says %d", items, f.Items)}
	}
	return items, nil
}

// broken tells what the service did not deliver from what it delivered and is no good.
func broken(body *resuming, err error) error {
	if body.err != nil {
		return body.err
	}
	return &unlike{"it does not unpack: " + err.Error()}
}
