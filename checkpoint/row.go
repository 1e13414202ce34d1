package checkpoint

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Attributes of a lease row: those of the Java Kinesis Client Library 3, then
// ours, which it leaves alone.
const (
	attrKey      = "leaseKey"
	attrOwner    = "leaseOwner"
	attrHolder   = "checkpointOwner"
	attrCounter  = "leaseCounter"
	attrAt       = "checkpoint"
	attrAtSub    = "checkpointSubSequenceNumber"
	attrSwitches = "ownerSwitchesSinceCheckpoint"
	attrParents  = "parentShardId"
	attrChildren = "childShardIds"
	attrLowHash  = "startingHashKey"
	attrHighHash = "endingHashKey"
	attrEntity   = "entityType"
	attrOf       = "streamName" // in a lease table of several streams only,
	attrShard    = "shardId"    // as these two are

	attrStart      = "startTime"
	attrCreated    = "created"
	attrParentGone = "parentGone"
	attrCurrentTo  = "currentTo"
	attrGap        = "gap"
	attrEpoch      = "epoch"
	attrOlderTo    = "olderTo"
	attrRowsIn     = "rowsIn"
	attrStream     = "stream"
)

// attrPending are what a two-phase checkpoint of the Java library leaves; every
// plain checkpoint removes them.
func attrPending() []string {
	return []string{"pendingCheckpoint", "pendingCheckpointSubSequenceNumber", "pendingCheckpointState"}
}

type item = map[string]types.AttributeValue

// Row is one row of the lease table.
type Row struct {
	Key        string // the shard id
	Of         string // identifier of the stream, which the lease key begins with where a lease table serves several tables; else ""
	Owner      string // "" when nobody has it
	Holder     string // the old owner, who still has it while a Java hand-over is under way; else ""
	Counter    int64  // raised by every write
	Checkpoint Checkpoint
	Switches   int64 // owners since the last checkpoint
	Parents    []string
	Children   []string  // known once the shard ended
	ParentGone bool      // no parent needs to be waited for
	CurrentTo  time.Time // all of the shard up to here is durable; zero if unknown
	Gap        string    // JSON of the gap that halted the shard, else ""

	// Epoch is the highest in which files of this shard may have rows; 0 while reading it
	// has never begun. OlderTo is the time of the last row that an older epoch may
	// have; zero if none has one.
	Epoch   int64
	OlderTo time.Time
	// RowsIn is the highest epoch that files of this shard are known to have rows in. Of a shard that
	// has not ended a file may still come under Epoch, from a writer that was given up.
	RowsIn int64
	Stream string // label of the stream that the shard is of, "" if unknown
}

// in is who has the lease now, "" if nobody.
func (r Row) in() string {
	if r.Holder != "" {
		return r.Holder
	}
	return r.Owner
}

// unmoved tells whether nobody has written a row since it was read, or since it was written like that.
func (r Row) unmoved(since Row) bool {
	return r.Counter == since.Counter && r.Checkpoint.text() == since.Checkpoint.text()
}

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func num(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}
func yes() types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: true} }

// set must not be empty: DynamoDB has no empty sets.
func set(ss []string) types.AttributeValue { return &types.AttributeValueMemberSS{Value: ss} }

func (c Checkpoint) text() string {
	if c.Seq != "" {
		return c.Seq
	}
	return c.Sentinel
}

func checkpointOf(text string) Checkpoint {
	if isSeq(text) {
		return Checkpoint{Seq: text}
	}
	return Checkpoint{Sentinel: text}
}

// item is the row as it is created. What is empty is left out: the Java library
// refuses empty strings.
func (r Row) item() item {
	it := item{
		attrKey:      str(r.key()),
		attrCounter:  num(r.Counter),
		attrAt:       str(r.Checkpoint.text()),
		attrAtSub:    num(0),
		attrSwitches: num(r.Switches),
		attrLowHash:  str("0"), // shards of a table have no hash range; without one
		attrHighHash: str("1"), // the Java library's audit would fill it in
		attrEntity:   str("LEASE"),
	}
	if r.Of != "" {
		it[attrOf], it[attrShard] = str(r.Of), str(r.Key)
	}
	if r.Owner != "" {
		it[attrOwner] = str(r.Owner)
	}
	if r.Holder != "" {
		it[attrHolder] = str(r.Holder)
	}
	if len(r.Parents) > 0 {
		it[attrParents] = set(r.Parents)
	}
	if len(r.Children) > 0 {
		it[attrChildren] = set(r.Children)
	}
	if !r.Checkpoint.Start.IsZero() {
		it[attrStart] = num(r.Checkpoint.Start.UnixMilli())
	}
	if !r.Checkpoint.Created.IsZero() {
		it[attrCreated] = num(r.Checkpoint.Created.UnixMilli())
	}
	if r.ParentGone {
		it[attrParentGone] = yes()
	}
	if !r.CurrentTo.IsZero() {
		it[attrCurrentTo] = num(r.CurrentTo.UnixMilli())
	}
	if r.Gap != "" {
		it[attrGap] = str(r.Gap)
	}
	if r.Epoch != 0 {
		it[attrEpoch] = num(r.Epoch)
	}
	if !r.OlderTo.IsZero() {
		it[attrOlderTo] = num(r.OlderTo.UnixMilli())
	}
	if r.RowsIn != 0 {
		it[attrRowsIn] = num(r.RowsIn)
	}
	if r.Stream != "" {
		it[attrStream] = str(r.Stream)
	}
	return it
}

// isLease tells lease rows from the other entities that the Java library 3.5
// keeps in the same table.
func isLease(it item) bool {
	e := text(it, attrEntity)
	return e == "" || e == "LEASE"
}

func rowOf(it item) (Row, error) {
	of, shard := parseKey(text(it, attrKey))
	r := Row{
		Key:        shard,
		Of:         of,
		Owner:      text(it, attrOwner),
		Holder:     text(it, attrHolder),
		Checkpoint: checkpointOf(text(it, attrAt)),
		Parents:    texts(it, attrParents),
		Children:   texts(it, attrChildren),
		ParentGone: truth(it, attrParentGone),
		Gap:        text(it, attrGap),
		Stream:     cmp.Or(text(it, attrStream), labelIn(of)),
	}
	r.Epoch, _ = number(it, attrEpoch)
	r.RowsIn, _ = number(it, attrRowsIn)
	if ms, ok := number(it, attrOlderTo); ok {
		r.OlderTo = time.UnixMilli(ms).UTC()
	}
	r.Switches, _ = number(it, attrSwitches)
	if ms, ok := number(it, attrStart); ok {
		r.Checkpoint.Start = time.UnixMilli(ms).UTC()
	}
	if ms, ok := number(it, attrCreated); ok {
		r.Checkpoint.Created = time.UnixMilli(ms).UTC()
	}
	if ms, ok := number(it, attrCurrentTo); ok {
		r.CurrentTo = time.UnixMilli(ms).UTC()
	}
	var ok bool
	if r.Counter, ok = number(it, attrCounter); !ok || r.Key == "" || r.Checkpoint.text() == "" {
		return Row{}, fmt.Errorf("lease row %q: no %s or no %s", r.key(), attrCounter, attrAt)
	}
	return r, nil
}

func text(it item, attr string) string {
	s, _ := it[attr].(*types.AttributeValueMemberS)
	if s == nil {
		return ""
	}
	return s.Value
}

func texts(it item, attr string) []string {
	ss, _ := it[attr].(*types.AttributeValueMemberSS)
	if ss == nil {
		return nil
	}
	return slices.Sorted(slices.Values(ss.Value))
}

func number(it item, attr string) (int64, bool) {
	n, _ := it[attr].(*types.AttributeValueMemberN)
	if n == nil {
		return 0, false
	}
	v, err := strconv.ParseInt(n.Value, 10, 64)
	return v, err == nil
}

func truth(it item, attr string) bool {
	b, _ := it[attr].(*types.AttributeValueMemberBOOL)
	return b != nil && b.Value
}
