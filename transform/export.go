package transform

import (
	"bytes"
	"fmt"
	"math"
	"unicode/utf8"
)

// View is what an export was asked for. The manifest tells; the lines do not.
type View byte

// The views. There is no default: the wrong one turns updates into inserts.
const (
	ViewFull      View = 'F' // all items, of a full export
	ViewNewAndOld View = 'B' // incremental, NEW_AND_OLD_IMAGES
	ViewNew       View = 'N' // incremental, NEW_IMAGE: inserts cannot be told from updates
)

// DecodeExport reads lines of a data file of an export, as DYNAMODB_JSON, into p,
// which aliases them from then on. Any number of whole lines will do, and the
// last one need not end. A line that makes no sense goes to p.Rejects, also when
// it is no JSON: the file's checksum has vouched for its bytes, so the next line
// is sound. Lines of white space are skipped. An error is the caller's mistake,
// and p is empty then.
//
// A line of a full export is a [Snapshot]. A line of an incremental export tells
// how the item's state at the window's end came to be: without NewImage it is a
// [Remove]; with ViewNewAndOld it is an [Insert] without OldImage and a [Modify]
// with both; with ViewNew it is a Modify, for nobody can tell.
//
// As in [Decoder.Decode], unknown fields are skipped, null counts as missing, and a
// field of ours that occurs twice makes no sense. Metadata may be missing. A
// line of a full export in an incremental one makes no sense, nor does the reverse.
func (d *Decoder) DecodeExport(lines []byte, view View, p *Page) error {
	p.reset()
	switch view {
	case ViewFull, ViewNewAndOld, ViewNew:
	default:
		return fmt.Errorf("decode lines of an export: unknown view %d", view)
	}
	if len(lines) > math.MaxInt32 {
		return fmt.Errorf("decode lines of an export: %d bytes are more than can be taken at a time", len(lines))
	}
	s := scanner{page: p, utf8: utf8.Valid(lines)}
	for from := 0; from < len(lines); {
		end := len(lines)
		if n := bytes.IndexByte(lines[from:], '\n'); n >= 0 {
			end = from + n
		}
		// The scanner sees no further than the line, so that one which is broken
		// off cannot run into the next.
		s.b = lines[:end]
		if i := s.space(from); i < end {
			s.take(from, i, view, &d.keys)
		}
		from = end + 1
	}
	return nil
}

// take reads the line that s.b ends with into the page; i is where its text begins.
func (s *scanner) take(from, i int, view View, keys *KeySchema) {
	c := s.page.add()
	if s.alone(s.line(i, view, keys, c)) >= 0 {
		return
	}
	s.page.drop()
	why, at := s.why, s.at
	if s.alone(s.skip(i, 0)) < 0 {
		why, at = "not JSON: "+s.why, s.at
	}
	s.page.Rejects = append(s.page.Rejects, Reject{
		Raw:    s.b[from:len(s.b):len(s.b)],
		Reason: fmt.Sprintf("%s at byte %d of the line", why, at-from),
	})
}

// alone checks that nothing but white space follows.
func (s *scanner) alone(i int) int {
	if i < 0 {
		return i
	}
	if i = s.space(i); i != len(s.b) {
		return s.fail(i, "more text behind the line's object")
	}
	return i
}
