package transform

import (
	"bytes"
	"encoding/json"
	"math/big"
	"slices"
	"unicode/utf8"
)

// twinDecodeExport is the twin's DecodeExport.
func twinDecodeExport(lines []byte, view View, keys KeySchema) twinPage {
	p := twinPage{Last: "0"}
	var rejects []twinRecord
	for line := range bytes.SplitSeq(lines, []byte("\n")) {
		if len(bytes.Trim(line, " \t\r\n")) == 0 {
			continue
		}
		if r, ok := twinLine(line, view, keys); ok {
			p.Records = append(p.Records, r)
		} else {
			rejects = append(rejects, twinRecord{Reject: true, Raw: string(line), Seq: "0"})
		}
	}
	p.Records = slices.Concat(p.Records, rejects)
	return p
}

func twinLine(line []byte, view View, keys KeySchema) (r twinRecord, ok bool) {
	if !json.Valid(line) || !utf8.Valid(line) {
		return r, false
	}
	f, ok := twinFields(line, "Item", "Metadata", "Keys", "NewImage", "OldImage")
	if view == ViewFull {
		f, ok = twinFields(line, "Item", "Keys", "NewImage", "OldImage")
	}
	incremental := f["Keys"] != nil || f["NewImage"] != nil || f["OldImage"] != nil
	if !ok || view == ViewFull && incremental || view != ViewFull && f["Item"] != nil {
		return r, false
	}
	r.Seq = "0"
	switch {
	case view == ViewFull:
		r.Op = "SNAPSHOT"
		if f["NewImage"] = f["Item"]; f["Item"] == nil || !twinShape(f["Item"], 0) {
			return r, false
		}
	case f["Keys"] == nil:
		return r, false
	case f["NewImage"] == nil:
		r.Op = "REMOVE"
	case f["OldImage"] == nil && view == ViewNewAndOld:
		r.Op = "INSERT"
	default:
		r.Op = "MODIFY"
	}
	if f["Metadata"] != nil {
		m, ok := twinFields(f["Metadata"], "WriteTimestampMicros")
		if !ok {
			return r, false
		}
		if w := m["WriteTimestampMicros"]; w != nil {
			if r.Created, ok = twinWritten(w); !ok {
				return r, false
			}
		}
	}
	return r, twinSettle(&r, f, keys)
}

// twinWritten reads a time as a number, a string, or a typed N.
func twinWritten(raw json.RawMessage) (int64, bool) {
	text := []byte(raw)
	switch raw[0] {
	case '{':
		members, _ := twinMembers(raw)
		if !twinTyped(raw, 0) || string(members[0].name) != "N" {
			return 0, false
		}
		text = twinText(members[0].value)
	case '"':
		text = twinText(raw)
	}
	if !twinNumber.Match(text) {
		return 0, false
	}
	n, ok := new(big.Rat).SetString(string(text))
	if !ok || !n.IsInt() || n.Sign() < 0 || n.Num().Cmp(big.NewInt(253402300800*1e6)) >= 0 {
		return 0, false
	}
	return n.Num().Int64(), true
}
