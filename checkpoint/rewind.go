package checkpoint

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Target is where a checkpoint is to go back to: at or before a sequence number, to before
// everything that changed at a time or later, or, when both are zero, as far as there is anything.
type Target struct {
	Seq string
	At  time.Time
}

// Rewound is a lease row, and what a rewind makes of it.
type Rewound struct {
	Row        Row // as it was read
	To         Checkpoint
	ParentGone bool
	CurrentTo  time.Time
	// Stays says why the row stays as it is; "" if it does not.
	Stays string
	// Walked is how many files lie behind To. They are in the lake, and are not written again.
	Walked int
	// Rereads tells that the chains end before the checkpoint: the stream is read again, after From.
	Rereads bool
	From    string
}

// Rewind says what a row becomes. chains are those of all datasets that the shard is written to.
// written tells whether a shard has files in the lake. An error says in one line why the row must
// not be moved, and what to do.
//
// A session that begins at the new checkpoint walks the chains to their ends, so what is in the lake is
// never written again, and a rewind of a whole lake changes nothing but the walk. What is
// missing at the end of a chain is what it brings back.
func Rewind(row Row, rows map[string]Row, chains []Chain, to Target, written func(shard string) (bool, error)) (Rewound, error) {
	re := Rewound{Row: row, To: row.Checkpoint, ParentGone: row.ParentGone, CurrentTo: row.CurrentTo}
	refuse := func(format string, args ...any) (Rewound, error) {
		return Rewound{}, fmt.Errorf("shard %s: %w", row.Key, fmt.Errorf(format, args...))
	}
	if row.Checkpoint.Seq == "" && !row.ended() {
		re.Stays = "it is at its beginning"
		return re, nil
	}
	at, err := position(chains, to)
	if err != nil {
		return refuse("%w", err)
	}
	from, whole := resumed(chains, at)
	switch {
	case row.ended() && whole:
		re.Stays = "all of the shard is in the lake"
		return re, nil
	case row.Gap != "":
		return refuse("it halts at a gap; decide on that first: start the fleet with --on-gap=continue")
	case !row.ended() && !seqBefore(at, row.Checkpoint.Seq):
		re.Stays = "it is there, or before, already"
		return re, nil
	}
	if at, err = younger(row, chains, at); err != nil {
		return refuse("%w", err)
	}
	if !row.ended() && !seqBefore(at, row.Checkpoint.Seq) {
		re.Stays = "the files before it are of an older epoch, and in the lake"
		return re, nil
	}
	re.Rereads, re.From = row.ended() || seqBefore(from, row.Checkpoint.Seq), from
	if re.Rereads {
		re.CurrentTo = newest(chains, from)
	}
	if row.ended() {
		if child, err := readOn(row, rows, written); err != nil {
			return refuse("%w", err)
		} else if child != "" {
			return refuse("it has ended, and its child %s has files already: what is missing of it would come behind what followed it; repair it by dynamolake bootstrap --again", child)
		}
	}
	re.To = Checkpoint{Seq: at, Start: row.Checkpoint.Start, Created: row.Checkpoint.Created}
	if at == "" {
		re.begin(rows)
	}
	for _, c := range chains {
		for _, l := range c.Links {
			if !seqBefore(l.After, at) {
				re.Walked++
			}
		}
	}
	return re, nil
}

// Began is the time of the oldest record that the shard may have for the lake; zero if unknown.
func (re Rewound) Began() time.Time {
	began := re.Row.Checkpoint.Start
	if born, ok := birth(re.Row.Key); ok && born.After(began) {
		began = born
	}
	return began
}

// begin makes it a row whose reading has never begun, with the beginning that it had. Where no
// parent has a row any more none is waited for, as none was.
func (re *Rewound) begin(rows map[string]Row) {
	if re.To.Sentinel = TrimHorizon; !re.To.Start.IsZero() {
		re.To.Sentinel = AtTimestamp
	}
	known := slices.ContainsFunc(re.Row.Parents, func(p string) bool { _, ok := rows[p]; return ok })
	re.ParentGone = re.ParentGone || len(re.Row.Parents) > 0 && !known
}

// position finds the boundary for a target.
func position(chains []Chain, to Target) (string, error) {
	stops := boundaries(chains)
	if len(stops) == 0 {
		return "", errors.New("its chains have no position in common, or two files of one overlap; run dynamolake verify and put that right first")
	}
	found, ok := "", false
	for _, p := range stops {
		switch {
		case to.Seq != "" && seqBefore(to.Seq, p):
		case !to.At.IsZero() && reaches(chains, p, to.At):
		case to == (Target{}) && ok:
		default:
			found, ok = p, true
		}
	}
	if apart := brokenAt(chains); apart != "" && (!ok || to == (Target{})) {
		return "", fmt.Errorf("its files do not follow one another after %s: one is missing; bring it back, or move the files behind it out of changes/, else they would be written twice", apart)
	}
	if !ok {
		return "", fmt.Errorf("there is no file boundary that early; the earliest position is %s", shown(stops[0]))
	}
	return found, nil
}

// reaches tells whether the files up to a position have a row of that time or later. Records carry their time
// rounded down to the second.
func reaches(chains []Chain, p string, at time.Time) bool {
	return !newest(chains, p).Before(at.Truncate(time.Second)) // zero if none has a row
}

// newest is the time of the youngest row in files that end at or before a position.
func newest(chains []Chain, p string) (t time.Time) {
	for _, c := range chains {
		for _, l := range c.Links {
			if !seqBefore(p, l.End) && l.Newest.After(t) {
				t = l.Newest
			}
		}
	}
	return t
}

func brokenAt(chains []Chain) string {
	for _, c := range chains {
		if r := c.run(); r.apart != "" {
			return r.apart
		}
	}
	return ""
}

// younger moves a position up behind files of an older epoch than the row has: a session that walks
// past one takes it for late, and has its time exported again. From there it sees as much.
func younger(row Row, chains []Chain, at string) (string, error) {
	floor := ""
	empty := false
	for _, c := range chains {
		empty = empty || len(c.Links) == 0
		for _, l := range c.Links {
			if !l.Newest.IsZero() && l.Epoch < row.Epoch && seqBefore(floor, l.End) {
				floor = l.End
			}
		}
	}
	if !seqBefore(at, floor) {
		return at, nil
	}
	for _, p := range boundaries(chains) {
		if !seqBefore(p, floor) && !empty {
			return p, nil
		}
	}
	return "", fmt.Errorf("files after %s are of an older epoch than the shard is at, and would be exported again; the earliest position is %s", shown(at), shown(floor))
}

// readOn finds a child of an ended shard that has files.
func readOn(row Row, rows map[string]Row, written func(string) (bool, error)) (string, error) {
	children := slices.Clone(row.Children)
	for key, r := range rows {
		if slices.Contains(r.Parents, row.Key) {
			children = append(children, key)
		}
	}
	slices.Sort(children)
	for _, c := range slices.Compact(children) {
		if has, err := written(c); err != nil || has {
			return c, err
		}
	}
	return "", nil
}

func shown(position string) string {
	if position == "" {
		return TrimHorizon
	}
	return position
}
