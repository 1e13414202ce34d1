package consumer

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"dynamolake/checkpoint/ledger"
	"dynamolake/transform"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// Restoring says what of a table's stream rejects is to become rows in a place of its own.
type Restoring struct {
	Store  writer.Store
	Table  Table
	Prefix string // of the table's part of the lake, which is only read
	Place  string // prefix of the place
	Worker string
	// Datasets are those of the place.
	Datasets *dataset.Live
	// Of is the table's ledger, Ledger the place's.
	Of     *ledger.Ledger
	Ledger *ledger.Store
}

// rejected is an object under rejects/stream/.
type rejected struct {
	key, dataset string        // dataset is the one that refused it; empty where it is nobody's
	seq          transform.Seq // zero while it is not told
	size         int64
}

// Restore takes every record in a table's rejects/stream/ through the datasets of the place again. What now
// passes becomes rows in chains of its shard, what does not a reject of the place, with the reason
// there is now. A record that one dataset refused goes to that one only. Called again it goes on where it
// was. It returns how many objects it read.
func Restore(ctx context.Context, r Restoring) (read int64, err error) {
	shards := map[string][]rejected{}
	prefix := r.Prefix + "rejects/stream/"
	for o, err := range r.Store.List(ctx, prefix) {
		if err != nil {
			return 0, err
		}
		shard := path.Base(path.Dir(o.Key))
		name, of, _ := strings.Cut(strings.TrimSuffix(path.Base(o.Key), ".json"), "@")
		at := rejected{key: o.Key, dataset: of, size: o.Size}
		if len(name) == 40 {
			at.seq, _ = transform.ParseSeq(name)
		}
		shards[shard] = append(shards[shard], at)
		read++
	}
	for shard, list := range shards {
		s := restoration{Restoring: r, shard: shard, decoder: transform.NewDecoder(r.Table.Keys), chains: map[string]*restoredChain{}}
		if err := s.run(ctx, list); err != nil {
			return 0, fmt.Errorf("restore rejects of shard %s: %w", shard, err)
		}
	}
	return read, nil
}

// restoration is one shard of it.
type restoration struct {
	Restoring
	shard   string
	decoder *transform.Decoder
	links   []writer.Link // of the table's own chains
	chains  map[string]*restoredChain
}

// restoredChain is that of a dataset in the place.
type restoredChain struct {
	*writer.Chain
	cursor transform.Seq
}

const (
	restoreRecords = 500
	restoreBytes   = 16 << 20
)

func (s *restoration) run(ctx context.Context, list []rejected) error {
	if err := s.known(ctx); err != nil {
		return err
	}
	list, err := s.unnamed(ctx, list)
	if err != nil {
		return err
	}
	slices.SortStableFunc(list, func(a, b rejected) int { return cmp.Or(a.seq.Compare(b.seq), cmp.Compare(a.dataset, b.dataset)) })
	for len(list) > 0 {
		n, size := 0, int64(0)
		// Objects of one record stay together.
		for n < len(list) && (n < restoreRecords && size < restoreBytes || list[n].seq == list[n-1].seq) {
			size += list[n].size
			n++
		}
		if err := s.some(ctx, list[:n]); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// known reads which epochs the table's own files of the shard have.
func (s *restoration) known(ctx context.Context) error {
	datasets := map[string]bool{dataset.All: true}
	latest, err := dataset.NewCatalog(s.Store, s.Prefix).Latest(ctx)
	if err != nil {
		return err
	}
	if latest != nil {
		for i := range latest.Datasets {
			datasets[latest.Datasets[i].Name] = true
		}
	}
	for name := range datasets {
		links, err := writer.NewChain(s.Store, writer.ChainPrefix(s.Prefix, name, s.shard)).Links(ctx)
		if err != nil {
			return err
		}
		s.links = append(s.links, links...)
	}
	return nil
}

// epoch is the one that the change has in the table's own lake, or would have.
func (s *restoration) epoch(seq transform.Seq) int64 {
	for _, l := range s.links {
		if l.After.Compare(seq) < 0 && seq.Compare(l.End) <= 0 && l.Epoch != 0 {
			return l.Epoch
		}
	}
	epoch := int64(1)
	for _, e := range s.Of.Epochs {
		if e.Source == ledger.Stream {
			epoch = e.Number
		}
	}
	return epoch
}

// rejectedRecord is what an object in rejects/stream/ has.
type rejectedRecord struct {
	Reason string          `json:"reason"`
	Record json.RawMessage `json:"record"`
	Base64 []byte          `json:"base64"`
}

func (s *restoration) records(ctx context.Context, list []rejected) ([]rejectedRecord, error) {
	keys := make([]string, len(list))
	for i := range list {
		keys[i] = list[i].key
	}
	return writer.ReadRejects[rejectedRecord](ctx, s.Store, keys)
}

// unnamed finds out the places of records whose sequence number nobody could tell. Those of which that is still
// so are rejects again.
func (s *restoration) unnamed(ctx context.Context, list []rejected) ([]rejected, error) {
	var page transform.Page
	var told []rejected
	for _, r := range list {
		if !r.seq.IsZero() {
			told = append(told, r)
			continue
		}
		records, err := s.records(ctx, []rejected{r})
		if err != nil {
			return nil, err
		}
		if err := s.decode(records, &page); err != nil {
			return nil, err
		}
		switch {
		case len(page.Changes) == 1:
			r.seq = page.Changes[0].Seq
			told = append(told, r)
			continue
		case len(page.Rejects) == 0: // not even JSON
			page.Rejects = []transform.Reject{{Raw: records[0].Base64, Reason: records[0].Reason}}
		}
		if err := writer.PutRejects(ctx, s.Store, s.Place, s.shard, page.Rejects); err != nil {
			return nil, err
		}
	}
	return told, nil
}

// decode reads records as an answer of the stream.
func (s *restoration) decode(records []rejectedRecord, page *transform.Page) error {
	var texts [][]byte
	for _, r := range records {
		if len(r.Record) > 0 {
			texts = append(texts, r.Record)
		}
	}
	body := slices.Concat([]byte(`{"NextShardIterator":"-","Records":[`), bytes.Join(texts, []byte{','}), []byte(`]}`))
	return s.decoder.Decode(body, page)
}

// some takes a few records, all objects of one together.
func (s *restoration) some(ctx context.Context, list []rejected) error {
	wanted := map[transform.Seq][]string{} // the datasets that are to have it; an empty name: all
	var firsts []rejected
	for _, r := range list {
		if wanted[r.seq] == nil {
			firsts = append(firsts, r)
		}
		wanted[r.seq] = append(wanted[r.seq], r.dataset)
	}
	records, err := s.records(ctx, firsts)
	if err != nil {
		return err
	}
	var page transform.Page
	if err := s.decode(records, &page); err != nil {
		return err
	}
	if err := writer.PutRejects(ctx, s.Store, s.Place, s.shard, page.Rejects); err != nil {
		return err
	}
	set := s.Datasets.Set()
	var homeless []writer.Refusal
	gone := map[string][]writer.Refusal{}
	for _, c := range page.Changes {
		for _, name := range wanted[c.Seq] {
			if name == "" {
				if why := set.Homeless(&c); why != "" {
					homeless = append(homeless, writer.Refusal{Change: c, Reason: why})
				}
			} else if _, err := set.Part(name); err != nil {
				gone[name] = append(gone[name], writer.Refusal{Change: c, Reason: "the schema has no dataset " + name})
			}
		}
	}
	gone[""] = homeless
	for name, refused := range gone {
		if _, err := writer.PutRefused(ctx, s.Store, s.Place, s.shard, name, refused); err != nil {
			return err
		}
	}
	for _, name := range set.Names() {
		var changes []transform.Change
		for _, c := range page.Changes {
			if slices.Contains(wanted[c.Seq], "") || slices.Contains(wanted[c.Seq], name) {
				changes = append(changes, c)
			}
		}
		if err := s.write(ctx, name, changes); err != nil {
			return err
		}
	}
	return nil
}

// write puts changes into a dataset's chain, those of each epoch into files of their own.
func (s *restoration) write(ctx context.Context, name string, changes []transform.Change) error {
	c := s.chains[name]
	if c == nil {
		c = &restoredChain{Chain: writer.NewChain(s.Store, writer.ChainPrefix(s.Place, name, s.shard))}
		var err error
		if c.cursor, _, err = c.Tip(ctx, transform.Seq{}); err != nil {
			return err
		}
		s.chains[name] = c
	}
	for len(changes) > 0 {
		epoch, n := s.epoch(changes[0].Seq), 1
		for n < len(changes) && s.epoch(changes[n].Seq) == epoch {
			n++
		}
		if err := s.epochOf(ctx, epoch); err != nil {
			return err
		}
		if err := s.files(ctx, c, name, epoch, changes[:n]); err != nil {
			return err
		}
		changes = changes[n:]
	}
	return nil
}

// epochOf sees to it that the place's ledger knows an epoch before there are rows of it.
func (s *restoration) epochOf(ctx context.Context, number int64) error {
	of := ledger.Epoch{Number: number, Source: ledger.Stream, StreamARN: s.Table.StreamARN}
	if e := s.Of.Epoch(number); e != nil {
		of = *e
	}
	_, err := s.Ledger.Update(ctx, func(l *ledger.Ledger) error {
		l.Restore(of, s.Of.Begin())
		return nil
	})
	return err
}

func (s *restoration) files(ctx context.Context, c *restoredChain, name string, epoch int64, changes []transform.Change) error {
	b := writer.NewBatch(c.cursor)
	b.Add(nil, &transform.Page{Changes: changes, Next: "-", Last: changes[len(changes)-1].Seq}, time.Time{})
	for {
		slice, due := b.Cut(time.Time{}, writer.Limits{}, true)
		if !due {
			return nil
		}
		file, err := s.encode(ctx, name, epoch, slice)
		if err != nil {
			return err
		}
		if _, err := writer.PutRefused(ctx, s.Store, s.Place, s.shard, name, file.Refused); err != nil {
			return err
		}
		link, _, err := c.Commit(ctx, file)
		if err != nil {
			return err
		}
		c.cursor = link.End
		b.Advance(link.End)
	}
}

func (s *restoration) encode(ctx context.Context, name string, epoch int64, slice writer.Slice) (writer.File, error) {
	info := writer.Info{Stream: s.Table.StreamARN, Shard: s.shard, Epoch: epoch, Writer: s.Worker}
	for learned := false; ; learned = true {
		newest := s.Datasets.Set()
		set, err := s.Datasets.At(ctx, newest.Version, writer.SourceStream)
		if err != nil {
			return writer.File{}, err
		}
		part, err := set.Part(name)
		if err != nil {
			return writer.File{}, err
		}
		file, err := part.Encoder.Encode(slice, info)
		if err != nil || !file.Fresh || learned {
			return file, err
		}
		if changed, err := s.Datasets.Learn(ctx, newest, name, slice.Changes()); err != nil || !changed {
			return file, err
		}
	}
}
