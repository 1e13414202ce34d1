package transform

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// The twin decodes pages slowly, with encoding/json, regexp and math/big, and
// shares no code with the decoder. The two must agree on every input.

// twinPage is what both sides must agree on, in comparable form.
type twinPage struct {
	Next        string
	Last        string
	LastCreated int64
	Records     []twinRecord
}

type twinRecord struct {
	Reject  bool
	Raw     string
	Seq     string
	Created int64
	Size    int64
	EventID string
	Keys    string
	New     string
	Old     string
	Op      string
	TTL     bool
	Hash    twinValue
	Range   twinValue
	// Rest is canonical: the decoder's cuts the service's bytes, the twin's is
	// put together anew. It is empty for no _rest, "twice" if an attribute
	// name occurs twice, when there is no canonical form.
	Rest string
}

type twinValue struct {
	Bytes string
	Dec   string
	Exact bool
}

type twinMember struct {
	name  []byte // unescaped
	quote json.RawMessage
	value json.RawMessage
}

var errTwin = errors.New("twin refuses")

func twinDecode(body []byte, keys KeySchema) (p twinPage, err error) {
	body = bytes.TrimLeft(body, " \t\r\n")
	if !json.Valid(body) {
		return p, errTwin
	}
	fields, ok := twinFields(body, "Records", "NextShardIterator")
	if !ok || len(fields) == 0 {
		return p, errTwin
	}
	if raw := fields["NextShardIterator"]; raw != nil {
		text, ok := twinString(raw)
		if !ok {
			return p, errTwin
		}
		p.Next = string(text)
	}
	last := new(big.Int)
	if raw := fields["Records"]; raw != nil {
		list, ok := twinList(raw)
		if !ok {
			return p, errTwin
		}
		for _, raw := range list {
			r := twinDecodeRecord(raw, keys)
			if seq, ok := new(big.Int).SetString(r.Seq, 10); ok && seq.Cmp(last) > 0 {
				last, p.LastCreated = seq, r.Created
			}
			if r.Reject {
				r.Created = 0
			}
			p.Records = append(p.Records, r)
		}
	}
	p.Last = last.String()
	slices.SortStableFunc(p.Records, func(a, b twinRecord) int {
		return map[bool]int{true: 1}[a.Reject] - map[bool]int{true: 1}[b.Reject]
	})
	return p, nil
}

var twinSeq = regexp.MustCompile(`^[0-9]{1,40}$`)

func twinDecodeRecord(raw json.RawMessage, keys KeySchema) twinRecord {
	reject := twinRecord{Reject: true, Raw: string(raw), Seq: "0"}

	// What a reject still tells.
	var seqs []json.RawMessage
	members, _ := twinMembers(raw)
	for _, m := range members {
		if string(m.name) == "dynamodb" {
			inner, _ := twinMembers(m.value)
			for _, f := range inner {
				switch string(f.name) {
				case "SequenceNumber":
					seqs = append(seqs, f.value)
				case "ApproximateCreationDateTime":
					reject.Created, _ = twinEpoch(f.value)
				}
			}
		}
	}
	if len(seqs) == 1 && seqs[0][0] == '"' {
		if text := twinText(seqs[0]); twinSeq.Match(text) && strings.Trim(string(text), "0") != "" {
			reject.Seq = strings.TrimLeft(string(text), "0")
		}
	}
	if reject.Seq == "0" {
		reject.Created = 0
	}

	if !utf8.Valid(raw) {
		return reject
	}
	outer, ok := twinFields(raw, "dynamodb", "eventID", "eventName", "userIdentity")
	if !ok || outer["dynamodb"] == nil || outer["eventName"] == nil {
		return reject
	}
	f, ok := twinFields(outer["dynamodb"], "ApproximateCreationDateTime", "Keys", "NewImage", "OldImage", "SequenceNumber", "SizeBytes")
	if !ok || reject.Seq == "0" || f["Keys"] == nil {
		return reject
	}
	r := twinRecord{Seq: reject.Seq}
	op, ok := twinString(outer["eventName"])
	if r.Op = string(op); !ok || r.Op != "INSERT" && r.Op != "MODIFY" && r.Op != "REMOVE" {
		return reject
	}
	if id := outer["eventID"]; id != nil {
		text, ok := twinString(id)
		if !ok || !utf8.Valid(text) {
			return reject
		}
		r.EventID = string(text)
	}
	if user := outer["userIdentity"]; user != nil {
		members, ok := twinMembers(user)
		if !ok {
			return reject
		}
		said := map[string]string{}
		for _, m := range members {
			switch name := string(m.name); name {
			case "Type", "type", "PrincipalId", "principalId":
				if string(m.value) == "null" {
					continue
				}
				text, ok := twinString(m.value)
				if !ok {
					return reject
				}
				said[strings.ToLower(name)] = string(text)
			}
		}
		r.TTL = r.Op == "REMOVE" && said["type"] == "Service" && said["principalid"] == "dynamodb.amazonaws.com"
	}
	if t := f["ApproximateCreationDateTime"]; t != nil {
		if r.Created, ok = twinEpoch(t); !ok {
			return reject
		}
	}
	if n := f["SizeBytes"]; n != nil {
		if !twinSize.Match(n) || json.Unmarshal(n, &r.Size) != nil {
			return reject
		}
	}
	if !twinSettle(&r, f, keys) {
		return reject
	}
	return r
}

// twinSettle reads Keys and images of fields f, or the Item of a Snapshot, into
// r, which has its operation already. It tells whether they make sense.
func twinSettle(r *twinRecord, f map[string]json.RawMessage, keys KeySchema) bool {
	for _, image := range []string{"Keys", "NewImage", "OldImage"} {
		if f[image] != nil && !twinShape(f[image], 0) {
			return false
		}
	}
	r.Keys, r.New, r.Old = string(f["Keys"]), string(f["NewImage"]), string(f["OldImage"])
	if (r.Op == "REMOVE") != (r.New == "") {
		return false
	}

	// The key.
	attrs := []KeyAttr{keys.Hash}
	if keys.Range.Name != "" {
		attrs = append(attrs, keys.Range)
	}
	source := f["Keys"]
	if r.Op == "SNAPSHOT" {
		source = f["NewImage"]
	}
	given, _ := twinMembers(source)
	if r.Op != "SNAPSHOT" && len(given) != len(attrs) {
		return false
	}
	values := make([]twinValue, 2)
	for i, a := range attrs {
		found := false
		for _, m := range given {
			if string(m.name) == a.Name {
				if values[i], found = twinKey(m.value, a.Type); !found {
					return false
				}
			}
		}
		if !found {
			return false
		}
	}
	r.Hash, r.Range = values[0], values[1]

	// _rest, and the key in the image.
	isExact := func(name []byte) bool {
		for i, a := range attrs {
			if string(name) == a.Name {
				return values[i].Exact
			}
		}
		return false
	}
	var rest []string
	if r.Op == "REMOVE" {
		for _, m := range given {
			if !isExact(m.name) {
				rest = append(rest, string(m.quote)+":"+string(m.value))
			}
		}
		if rest == nil {
			return true
		}
	} else {
		image, _ := twinMembers(f["NewImage"])
		for i, a := range attrs {
			n := 0
			for _, m := range image {
				if string(m.name) == a.Name {
					v, ok := twinKey(m.value, a.Type)
					if !ok || v.Bytes != values[i].Bytes {
						return false
					}
					n++
				}
			}
			if n != 1 {
				return false
			}
		}
		for _, m := range image {
			if !isExact(m.name) {
				rest = append(rest, string(m.quote)+":"+string(m.value))
			}
		}
	}
	r.Rest = canonicalOrTwice("{" + strings.Join(rest, ",") + "}")
	return true
}

func canonicalOrTwice(image string) string {
	c, err := Canonical([]byte(image))
	if err != nil && strings.Contains(err.Error(), "twice") {
		return "twice"
	}
	if err != nil {
		return err.Error()
	}
	return string(c)
}

// comparable puts the decoder's page into the twin's form, changes before rejects.
func comparable(p *Page) twinPage {
	t := twinPage{Next: p.Next, Last: unpadded(p.Last), LastCreated: p.LastCreated}
	for i := range p.Changes {
		c := &p.Changes[i]
		r := twinRecord{
			Seq: unpadded(c.Seq), Created: c.Created, Size: c.Size, EventID: string(c.EventID),
			Keys: string(c.Keys), New: string(c.New), Old: string(c.Old),
			Op: c.Op.String(), TTL: c.TTL,
			Hash: comparableValue(c.Hash), Range: comparableValue(c.Range),
		}
		if rest := c.AppendRest(nil); rest != nil {
			r.Rest = canonicalOrTwice(string(rest))
		}
		t.Records = append(t.Records, r)
	}
	for _, r := range p.Rejects {
		t.Records = append(t.Records, twinRecord{Reject: true, Raw: string(r.Raw), Seq: unpadded(r.Seq)})
	}
	return t
}

func comparableValue(v KeyValue) twinValue {
	t := twinValue{Bytes: string(v.Bytes), Exact: v.Exact}
	if v.Dec != [16]byte{} {
		t.Dec = FormatDecimal(v.Dec)
	}
	return t
}

func unpadded(s Seq) string {
	if s.IsZero() {
		return "0"
	}
	return strings.TrimLeft(s.String(), "0")
}
