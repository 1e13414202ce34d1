package transform

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
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

// twinMembers takes an object apart.
func twinMembers(object json.RawMessage) ([]twinMember, bool) {
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	var members []twinMember
	for d.More() {
		from := d.InputOffset()
		if _, err := d.Token(); err != nil {
			panic(err)
		}
		quote := bytes.TrimLeft(object[from:d.InputOffset()], ", \t\r\n")
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			panic(err)
		}
		members = append(members, twinMember{twinText(quote), quote, value})
	}
	return members, true
}

func twinList(list json.RawMessage) (elements []json.RawMessage, ok bool) {
	if list[0] != '[' {
		return nil, false
	}
	return elements, json.Unmarshal(list, &elements) == nil
}

var twinEscapes = regexp.MustCompile(`(?:\\u[0-9a-fA-F]{4})+|\\.`)

// twinText unescapes a quoted string.
func twinText(quote []byte) []byte {
	short := map[byte]string{'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t"}
	return twinEscapes.ReplaceAllFunc(quote[1:len(quote)-1], func(m []byte) []byte {
		if m[1] != 'u' {
			if s, ok := short[m[1]]; ok {
				return []byte(s)
			}
			return m[1:]
		}
		var units []rune
		for ; len(m) > 0; m = m[6:] {
			var u rune
			for _, c := range m[2:6] {
				u = u*16 + rune(strings.IndexByte("0123456789abcdef", c|0x20))
			}
			units = append(units, u)
		}
		var out []byte
		for i := 0; i < len(units); i++ {
			u := units[i]
			if i+1 < len(units) {
				if pair := utf16.DecodeRune(u, units[i+1]); pair != utf8.RuneError {
					out = append(out, string(pair)...)
					i++
					continue
				}
			}
			if utf16.IsSurrogate(u) {
				out = append(out, byte(0xE0+u/4096), byte(0x80+u/64%64), byte(0x80+u%64))
				continue
			}
			out = append(out, string(u)...)
		}
		return out
	})
}

func twinString(raw json.RawMessage) ([]byte, bool) {
	if raw[0] != '"' {
		return nil, false
	}
	return twinText(raw), true
}

var twinNumber = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,5})?$`)

// twinShape tells whether an object of attributes is well typed.
func twinShape(object json.RawMessage, depth int) bool {
	members, ok := twinMembers(object)
	for _, m := range members {
		ok = ok && twinTyped(m.value, depth)
	}
	return ok
}

func twinTyped(value json.RawMessage, depth int) bool {
	members, ok := twinMembers(value)
	if !ok || len(members) != 1 {
		return false
	}
	tag, content := string(members[0].name), members[0].value
	switch tag {
	case "S", "N", "B":
		text, ok := twinString(content)
		return ok && (tag != "N" || twinNumber.Match(text)) && (tag != "B" || twinBase64(text) != nil)
	case "BOOL", "NULL":
		return string(content) == "true" || string(content) == "false"
	case "SS", "NS", "BS":
		elements, ok := twinList(content)
		for _, e := range elements {
			ok = ok && twinTyped(json.RawMessage(`{"`+tag[:1]+`":`+string(e)+`}`), depth)
		}
		return ok
	case "L":
		elements, ok := twinList(content)
		ok = ok && depth < 64
		for _, e := range elements {
			ok = ok && twinTyped(e, depth+1)
		}
		return ok
	case "M":
		return depth < 64 && twinShape(content, depth+1)
	}
	return false
}

// twinBase64 decodes, nil if it cannot.
func twinBase64(text []byte) []byte {
	data, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil || bytes.ContainsAny(text, "\r\n") {
		return nil
	}
	return append([]byte{}, data...)
}

func twinKey(value json.RawMessage, t KeyType) (v twinValue, ok bool) {
	if !twinTyped(value, 0) {
		return v, false
	}
	members, _ := twinMembers(value)
	if string(members[0].name) != string(rune(t)) {
		return v, false
	}
	text := twinText(members[0].value)
	v.Bytes = string(text)
	switch t {
	case 'S':
		v.Exact = utf8.Valid(text)
	case 'N':
		v.Dec = twinDecimal(string(text))
		v.Exact = v.Dec == string(text)
		if !v.Exact || v.Dec == "0" {
			v.Dec = "" // as 16 zero bytes
		}
	case 'B':
		data := twinBase64(text)
		v.Bytes, v.Exact = string(data), base64.StdEncoding.EncodeToString(data) == string(text)
	}
	return v, true
}

// twinDecimal is the canonical text of a number if it is a decimal(38,9).
func twinDecimal(text string) string {
	if i := strings.IndexAny(text, "eE"); i >= 0 && len(text)-i > 5 {
		return "" // only zero could still fit, and its canonical text is not this
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return ""
	}
	units := new(big.Rat).Mul(r, big.NewRat(1e9, 1))
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil)
	if !units.IsInt() || units.Num().CmpAbs(limit) >= 0 {
		return ""
	}
	return strings.TrimSuffix(strings.TrimRight(r.FloatString(9), "0"), ".")
}

// twinEpoch is a JSON number of seconds in microseconds.
func twinEpoch(raw json.RawMessage) (int64, bool) {
	if raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') || !twinNumber.Match(raw) {
		return 0, false
	}
	r, ok := new(big.Rat).SetString(string(raw))
	if !ok {
		return 0, false
	}
	r.Mul(r, big.NewRat(1e6, 1))
	micros := new(big.Int).Quo(r.Num(), r.Denom()) // towards zero
	if micros.Sign() < 0 || micros.Cmp(big.NewInt(253402300800*1e6)) >= 0 {
		return 0, false
	}
	return micros.Int64(), true
}

var twinSize = regexp.MustCompile(`^[0-9]{1,18}$`)

// twinFields collects the known fields that are not null; not ok if raw is no
// object or has one of them twice.
func twinFields(raw json.RawMessage, known ...string) (map[string]json.RawMessage, bool) {
	members, ok := twinMembers(raw)
	fields := map[string]json.RawMessage{}
	for _, m := range members {
		for _, k := range known {
			if string(m.name) == k && string(m.value) != "null" {
				ok = ok && fields[k] == nil
				fields[k] = m.value
			}
		}
	}
	return fields, ok
}

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
		if !ok {
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
	for _, image := range []string{"Keys", "NewImage", "OldImage"} {
		if f[image] != nil && !twinShape(f[image], 0) {
			return reject
		}
	}
	r.Keys, r.New, r.Old = string(f["Keys"]), string(f["NewImage"]), string(f["OldImage"])
	if (r.Op == "REMOVE") != (r.New == "") {
		return reject
	}

	// The key.
	attrs := []KeyAttr{keys.Hash}
	if keys.Range.Name != "" {
		attrs = append(attrs, keys.Range)
	}
	given, _ := twinMembers(f["Keys"])
	if len(given) != len(attrs) {
		return reject
	}
	values := make([]twinValue, 2)
	for i, a := range attrs {
		found := false
		for _, m := range given {
			if string(m.name) == a.Name {
				if values[i], found = twinKey(m.value, a.Type); !found {
					return reject
				}
			}
		}
		if !found {
			return reject
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
			return r
		}
	} else {
		image, _ := twinMembers(f["NewImage"])
		for i, a := range attrs {
			n := 0
			for _, m := range image {
				if string(m.name) == a.Name {
					v, ok := twinKey(m.value, a.Type)
					if !ok || v.Bytes != values[i].Bytes {
						return reject
					}
					n++
				}
			}
			if n != 1 {
				return reject
			}
		}
		for _, m := range image {
			if !isExact(m.name) {
				rest = append(rest, string(m.quote)+":"+string(m.value))
			}
		}
	}
	r.Rest = canonicalOrTwice("{" + strings.Join(rest, ",") + "}")
	return r
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
