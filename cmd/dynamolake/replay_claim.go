package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"dynamolake/bootstrap"
	"dynamolake/checkpoint/ledger"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// Kinds of places.
const (
	ofStream   = "stream"
	ofExports  = "exports"
	ofRejects  = "rejects"
	ofSnapshot = "snapshot"
)

// claim is the object that says what a place is of, written before all else in it. Who comes with the
// same words goes on with it.
type claim struct {
	Format int    `json:"format"`
	Of     string `json:"of"`
	// The rest is of a replay of the stream. From is zero where it began with the oldest record, or at
	// checkpoints: those that were positions, by shard, and the shards that had been read to their end.
	From        time.Time         `json:"from,omitzero"`
	Checkpoints map[string]string `json:"checkpoints,omitempty"`
	Done        []string          `json:"done,omitempty"`
	Shards      []string          `json:"shards,omitempty"` // the only ones; none: all
	// Through is a time that all checkpoints had passed; zero if that is not known.
	Through time.Time `json:"through,omitzero"`
	// Until is when it was begun: it is done when each shard is read up to there.
	Until time.Time `json:"until,omitzero"`
	// Filter is of a snapshot: what it has of the table.
	Filter *bootstrap.Filter `json:"filter,omitempty"`
}

const claimFormat = 1

// same tells whether two are of the same replay, whenever it was begun.
func (c claim) same(other claim) bool {
	return c.Of == other.Of && c.From.Equal(other.From) && maps.Equal(c.Checkpoints, other.Checkpoints) &&
		slices.Equal(c.Done, other.Done) && slices.Equal(c.Shards, other.Shards) && c.Filter.Same(other.Filter)
}

// taken returns what the place is of already, nil if it is of nothing yet, or an error if that is another replay.
func (r *replay) taken(ctx context.Context, wanted claim) (*claim, error) {
	body, _, err := r.store.Get(ctx, r.place+ledger.ReplayKey)
	if errors.Is(err, writer.ErrNotFound) {
		return nil, nil
	}
	var have claim
	if err == nil {
		err = json.Unmarshal(body, &have)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", r.place+ledger.ReplayKey, err)
	case have.Format != claimFormat:
		return nil, fmt.Errorf("%s is of format %d, this program knows %d; use a newer dynamolake", r.place+ledger.ReplayKey, have.Format, claimFormat)
	case !have.same(wanted):
		return nil, fmt.Errorf("the place %s has something else already, of %s; give another --into, or delete the objects under %s", r.into, have, r.place)
	}
	return &have, nil
}

// take makes the place one of this replay, or goes on with it.
func (r *replay) take(ctx context.Context, wanted claim) error {
	wanted.Format = claimFormat
	have, err := r.taken(ctx, wanted)
	if err == nil && have != nil {
		err = r.sameSchema(ctx)
	}
	if err == nil && have == nil {
		body, _ := json.MarshalIndent(wanted, "", "  ") // strings and times: cannot fail
		err = r.store.PutNew(ctx, r.place+ledger.ReplayKey, append(body, '\n'), nil)
		if have = &wanted; errors.Is(err, writer.ErrExists) {
			have, err = r.taken(ctx, wanted)
		}
	}
	if err != nil {
		return err
	}
	r.claimed = *have
	return nil
}

// sameSchema refuses a schema file that is not the one which a place was made with: what is in it is not made anew, and
// it would look as if it were. Exports may come one by one, each under the schema of its day; see sameSchemaOf.
func (r *replay) sameSchema(ctx context.Context) error {
	if r.schema.schema == schemaInfer || r.schema.schema == schemaNone || r.span != "" || r.export != "" {
		return nil
	}
	latest, err := dataset.NewCatalog(r.store, r.place).Latest(ctx)
	if latest == nil || err != nil {
		return err // it has no rows yet
	}
	asked, err := r.schema.read(ctx, r.cfg)
	if err != nil {
		return err
	}
	if _, changed := asked.Adopt(latest); changed {
		return fmt.Errorf("the place %s was made with another --schema, and what is in it is not made anew; give another --into, or delete the objects under %s", r.into, r.place)
	}
	return nil
}

// sameSchemaOf is sameSchema for the one export that is to be converted, if that was begun or done in the place already.
func (r *replay) sameSchemaOf(ctx context.Context, x ledger.Record) error {
	if r.schema.schema == schemaInfer {
		return nil // whatever it has
	}
	version, begun, err := r.convertedWith(ctx, x)
	if err != nil || !begun {
		return err
	}
	same := version == 0
	if r.schema.schema != schemaNone {
		asked, err := r.schema.read(ctx, r.cfg)
		if err != nil {
			return err
		}
		if same = false; version > 0 {
			with, err := dataset.NewCatalog(r.store, r.place).Version(ctx, version)
			if err != nil {
				return err
			}
			_, changed := asked.Adopt(with)
			same = !changed
		}
	}
	if !same {
		return fmt.Errorf("export %s is in the place %s already: it was converted there with another --schema, and is not made anew; give another --into, or delete the objects under %s", x.Export, r.into, r.place)
	}
	return nil
}

// convertedWith is the version of the place's schema that an export has there; 0: none.
func (r *replay) convertedWith(ctx context.Context, x ledger.Record) (version int, begun bool, err error) {
	have, err := r.record(ctx, r.place+ledger.RecordsPrefix+x.Export+".json")
	if !errors.Is(err, writer.ErrNotFound) {
		return have.Schema, err == nil, err
	}
	l, err := r.ledger.Read(ctx)
	if err != nil {
		return 0, false, err
	}
	for i := range l.Epochs {
		for _, under := range l.Epochs[i].Exports {
			if under.ARN == x.ARN {
				return under.Schema, true, nil
			}
		}
	}
	return 0, false, nil
}

func (c claim) String() string {
	text := "the " + c.Of
	switch {
	case c.Of == ofSnapshot:
		return "the table, " + c.Filter.String()
	case c.Of != ofStream:
		return c.Of
	case len(c.Checkpoints)+len(c.Done) > 0:
		text += " from checkpoints"
	case c.From.IsZero():
		text += " from its oldest record"
	default:
		text += " from " + formatTime(c.From)
	}
	if len(c.Shards) > 0 {
		text += " in " + strings.Join(c.Shards, ", ")
	}
	return text
}
