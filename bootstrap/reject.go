package bootstrap

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"

	"dynamolake/transform"
	"dynamolake/writer"
)

// reject is the object of a line that makes no sense, or that a dataset refuses.
type reject struct {
	Reason   string          `json:"reason"`
	Export   string          `json:"export"`
	DataFile string          `json:"data_file"`
	Line     int64           `json:"line"`              // from 1
	Dataset  string          `json:"dataset,omitempty"` // that refuses it; none where it is nobody's
	Record   json.RawMessage `json:"record,omitempty"`
	Base64   []byte          `json:"base64,omitempty"` // a line that is not JSON
}

// rejects keeps those of one data file until the file is known to be what the manifest says, or they
// become too many to keep.
type rejects struct {
	export, dataFile string

	held      []reject
	bytes     int
	count     int64 // all
	nobodys   int64 // that are of no dataset: lines that make no sense among them
	senseless int64
}

const (
	heldRejects = 4 << 20
	// senseless is after how many lines, none of which made sense, the file is not read on.
	senseless = 1000
)

// stray is a change that is to be a reject.
type stray struct {
	change  int    // which one of a page
	dataset string // that refuses it; none where it is nobody's
	reason  string
}

// placed finds the changes that a dataset refused, which are in the order of the page.
func placed(list []stray, changes []transform.Change, dataset string, refused []writer.Refusal) []stray {
	i := 0
	for _, r := range refused {
		for i < len(changes) && textOf(&changes[i]) != textOf(&r.Change) {
			i++
		}
		list = append(list, stray{i, dataset, r.Reason})
	}
	return list
}

// textOf is where a change's text is, which no other change has.
func textOf(c *transform.Change) *byte {
	if len(c.New) > 0 {
		return &c.New[0]
	}
	return &c.Keys[0]
}

// add takes those of a page; lines is the text of the page, which begins with the
// given line. None may be lost on the way.
func (r *rejects) add(lines []byte, line int64, found []transform.Reject, strays []stray) error {
	slices.SortStableFunc(strays, func(a, b stray) int { return cmp.Compare(a.change, b.change) })
	for change := 0; len(lines) > 0 && len(found)+len(strays) > 0; line++ {
		text, rest, _ := bytes.Cut(lines, []byte{'\n'})
		lines = rest
		switch {
		case len(bytes.Trim(text, " \t\r")) == 0:
		case len(found) > 0 && &found[0].Raw[0] == &text[0]:
			r.senseless++
			r.hold(text, line, "", found[0].Reason)
			found = found[1:]
		default:
			for len(strays) > 0 && strays[0].change == change {
				r.hold(text, line, strays[0].dataset, strays[0].reason)
				strays = strays[1:]
			}
			change++
		}
	}
	if n := len(found) + len(strays); n > 0 {
		return fmt.Errorf("%d rejects have no line in %s", n, r.dataFile)
	}
	return nil
}

// hold keeps one.
func (r *rejects) hold(text []byte, line int64, dataset, reason string) {
	j := reject{Reason: reason, Export: r.export, DataFile: r.dataFile, Line: line, Dataset: dataset}
	if json.Valid(text) {
		j.Record = bytes.Clone(text)
	} else {
		j.Base64 = bytes.Clone(text)
	}
	r.held, r.bytes, r.count = append(r.held, j), r.bytes+len(text), r.count+1
	if dataset == "" {
		r.nobodys++
	}
}

// key is a name that a replay lands on.
func (j *reject) key(tablePrefix string) string {
	key := fmt.Sprintf("%s%d", rejectPrefix(tablePrefix, j.Export, j.DataFile), j.Line)
	if j.Dataset != "" {
		key += "@" + j.Dataset
	}
	return key + ".json"
}

// put writes what is held.
func (r *rejects) put(ctx context.Context, w *workshop) error {
	for _, j := range r.held {
		if err := w.putReject(ctx, j); err != nil {
			return err
		}
	}
	r.held, r.bytes = nil, 0
	return nil
}

// putReject writes one, unless it is there.
func (w *workshop) putReject(ctx context.Context, j reject) error {
	added, err := writer.PutReject(ctx, w.Store, j.key(w.prefix()), j)
	if err == nil && added {
		err = w.rejected()
	}
	return err
}

// TooManyRejects: more records went to rejects/ than [Options.MaxRejects] tolerates.
type TooManyRejects struct{ Prefix string }

func (e *TooManyRejects) Error() string {
	return "more records than --max-rejects are in " + e.Prefix + "rejects/; see what is wrong with them, then move them away or raise it"
}

// Lasting is as for [Advice].
func (*TooManyRejects) Lasting() bool { return true }

// rejected counts a reject that was not there.
func (w *workshop) rejected() error {
	if n := w.newRejects.Add(1); w.MaxRejects >= 0 && n > w.MaxRejects {
		return &TooManyRejects{w.prefix()}
	}
	return nil
}

// rejectPrefix is what the rejects of a data file have in common, up to the line.
func rejectPrefix(tablePrefix, export, dataFile string) string {
	return tablePrefix + "rejects/exports/" + export + "/" + path.Base(dataFile) + "-"
}
