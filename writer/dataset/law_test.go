package dataset_test

import (
	"bytes"
	"encoding/base64"
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"dynamolake/transform"
	"dynamolake/transform/schema"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

var seeds = flag.Uint64("seeds", 60, "how many schemas with hostile items to try")

// wild makes items with values of all types under few names, and schemas for them.
type wild struct{ *rand.Rand }

func newWild(seed uint64) wild { return wild{rand.New(rand.NewPCG(seed, 11))} }

var wildNames = []string{"a", "b", "c", "d", "e", "a.b", "", "_rest", `quo"te`, "ünï 漢 😀", "A", "line\nend"}

var wildKeys = transform.KeySchema{Hash: transform.KeyAttr{Name: "pk", Type: 'S'}, Range: transform.KeyAttr{Name: "sk", Type: 'N'}}

func (w wild) name() string { return wildNames[w.IntN(len(wildNames))] }

func (w wild) text() string {
	at := time.UnixMicro(w.Int64N(4e15)).UTC()
	all := []string{
		"", "x", "1", "\x00\"\\", "漢😀", strings.Repeat("long", 40), at.Format("2006-01-02"), at.Format("2006-01-02T15:04:05.000Z"), at.Format("2006-01-02T15:04:05Z"), "2023-02-29",
	}
	return all[w.IntN(len(all))]
}

func (w wild) number() string {
	all := []string{
		"0", "-0", "1.0", "1E2", "-1", "0.1", "0.30000000000000004", "9223372036854775807", "9223372036854775808", "12345678901234567890123456789012345678", "1E-130",
		strconv.Itoa(w.IntN(2e9)), strconv.Itoa(w.IntN(1000)) + ".25", strconv.Itoa(w.IntN(20000) * 86400), "-0.000000001",
	}
	return all[w.IntN(len(all))]
}

// quote writes a JSON string; one in fifty has a lone surrogate.
func (w wild) quote(s string) string {
	q := strconv.QuoteToGraphic(s)
	q = strings.NewReplacer(`\x00`, `\u0000`, `\a`, `\u0007`).Replace(q)
	if w.IntN(50) == 0 {
		q = q[:len(q)-1] + `\ud83d"`
	}
	return q
}

func (w wild) bytes() string {
	if w.IntN(6) == 0 {
		return "AB==" // bits that are not used
	}
	return base64.StdEncoding.EncodeToString([]byte(w.text()))
}

func (w wild) many(one func() string) string {
	all := make([]string, w.IntN(4))
	for i := range all {
		all[i] = one()
	}
	return strings.Join(all, ",")
}

func (w wild) value(depth int) string {
	kind := w.IntN(12)
	if depth > 3 {
		kind = 4 + w.IntN(8)
	}
	switch kind {
	case 0, 1:
		return `{"M":{` + w.attributes(w.IntN(4), depth+1) + `}}`
	case 2:
		return `{"L":[` + w.many(func() string { return w.value(depth + 1) }) + `]}`
	case 3: // elements of one kind
		seed := w.Uint64()
		return `{"L":[` + w.many(func() string { return newWild(seed).value(depth + 1) }) + `]}`
	case 4:
		return `{"SS":[` + w.many(func() string { return w.quote(w.text()) }) + `]}`
	case 5:
		return `{"NS":[` + w.many(func() string { return `"` + w.number() + `"` }) + `]}`
	case 6:
		return `{"BS":[` + w.many(func() string { return `"` + w.bytes() + `"` }) + `]}`
	case 7:
		return []string{`{"NULL":true}`, `{"BOOL":true}`, `{"BOOL":false}`}[w.IntN(3)]
	case 8:
		return `{"B":"` + w.bytes() + `"}`
	case 9, 10:
		return `{"N":"` + w.number() + `"}`
	}
	return `{"S":` + w.quote(w.text()) + `}`
}

func (w wild) attributes(n, depth int) string {
	var all []string
	seen := map[string]bool{}
	for range n {
		if name := w.name(); !seen[name] {
			seen[name] = true
			q := strings.ReplaceAll(strconv.QuoteToGraphic(name), `\x00`, `\u0000`)
			all = append(all, q+":"+w.value(depth))
		}
	}
	return strings.Join(all, ",")
}

// record is an insert of an item with these attributes beside its key.
func record(n int, attributes string) string {
	key := fmt.Sprintf(`"pk":{"S":"p%d"},"sk":{"N":"%d"}`, n%3, n)
	if attributes != "" {
		attributes = "," + attributes
	}
	return fmt.Sprintf(`{"eventName":"INSERT","dynamodb":{"Keys":{%s},"SequenceNumber":"%d","NewImage":{%s%s}}}`, key, n+1, key, attributes)
}

var wildTypes = []string{
	"string", "int64", "double", "decimal(38,9)", "decimal(9,2)", "decimal(18,6)", "bool", "binary", "timestamp(iso,3)", "timestamp(seconds)", "date(iso)", "date(seconds)", "json",
	"list<string>", "list<json>", "list<double>", "list<list<string>>", "set<string>", "set<decimal(38,9)>", "set<binary>", "struct", "list<struct>",
}

// declared is a schema that a person might have written for such items: some fit, most do not. Half of them
// split the table in two.
func (w wild) declared() string {
	columns := func() string {
		var b strings.Builder
		taken := map[string]bool{}
		for i, n := 0, w.IntN(9); i < n; i++ {
			from := w.name()
			if taken[from] {
				continue
			}
			taken[from] = true
			typ := wildTypes[w.IntN(len(wildTypes))]
			path := strconv.Quote(from)
			if w.IntN(4) == 0 {
				path += ", " + strconv.Quote(w.name())
			}
			fmt.Fprintf(&b, "      - {name: c%d, from: [%s], type: %q", i, path, typ)
			if strings.HasSuffix(typ, "struct") || strings.HasSuffix(typ, "struct>") {
				fmt.Fprintf(&b, ", fields: [{name: f, from: a, type: %q}, {name: g, from: %q, type: struct, fields: [{name: h, from: a, type: json}]}]", wildTypes[w.IntN(20)], wildNames[1+w.IntN(8)])
			}
			b.WriteString("}\n")
		}
		if b.Len() == 0 {
			return ""
		}
		return "    columns:\n" + b.String()
	}
	if w.IntN(2) == 0 {
		return "datasets:\n  - name: all\n" + columns()
	}
	return "datasets:\n  - name: with\n    filter: has(item.a)\n" + columns() + "  - name: without\n    filter: '!has(item.a)'\n" + columns()
}

// lawHolds writes the changes through each dataset of a schema, as a stream and as an export, and fails unless
// the files give each item back, once, type by type and digit by digit.
func lawHolds(t *testing.T, s *schema.Schema, body []byte, p *transform.Page) (inColumns int) {
	t.Helper()
	set, err := dataset.Compile(s, dataset.Options{Table: "t", Keys: wildKeys, Source: writer.SourceStream})
	if err != nil {
		t.Fatalf("%v\n%s", err, s.YAML(true))
	}
	batch := writer.NewBatch(transform.Seq{})
	batch.Add(body, p, time.Unix(0, 0))
	slice, _ := batch.Cut(time.Unix(0, 0), writer.Limits{}, true)
	var streams, exports [][]byte
	for _, part := range set.Parts {
		f, err := part.Encoder.Encode(slice, writer.Info{Shard: "shardId-1", Epoch: 4, Writer: "w"})
		if err != nil || len(f.Notes.Refused) > 0 {
			t.Fatalf("%v, refused %v\n%s", err, f.Notes.Refused, s.YAML(true))
		}
		streams = append(streams, f.Body)
		var out bytes.Buffer
		x := part.Encoder.Export(&out, writer.ExportInfo{To: time.Unix(1_700_000_000, 0)})
		if err := x.Add(p.Changes); err != nil {
			t.Fatal(err)
		}
		if _, err := x.Close(); err != nil {
			t.Fatal(err)
		}
		exports = append(exports, out.Bytes())
	}
	want := map[string]int{}
	for i := range p.Changes {
		text, err := transform.Canonical(p.Changes[i].New)
		if err != nil {
			return 0 // an attribute is there twice: no item
		}
		want[string(text)]++
	}
	for _, files := range [][][]byte{streams, exports} {
		left, rows := len(p.Changes), map[string]int{}
		for _, file := range files {
			x, err := writer.OpenRows(bytes.NewReader(file), int64(len(file)))
			if err != nil {
				t.Fatal(err)
			}
			for r, err := range x.All(t.Context(), writer.AllFields) {
				if err != nil {
					t.Fatal(err)
				}
				rest, err := x.Rebuild(r)
				if err != nil {
					t.Fatalf("%v\nrest %s\n%s", err, r.Rest, s.YAML(true))
				}
				item, err := transform.RebuildItem(x.Keys, r.Hash, r.Range, rest)
				if err != nil {
					t.Fatalf("%v\nrest %s", err, r.Rest)
				}
				if rows[string(item)]++; rows[string(item)] > want[string(item)] {
					t.Fatalf("an item that nobody wrote, or once too often:\n%s\nrest %s\n%s", item, r.Rest, s.YAML(true))
				}
				left--
				for i, cells := range r.Cells {
					if cells[0].Def == x.Plan.Leaves[i].MaxDef {
						inColumns++
					}
				}
			}
		}
		if left != 0 {
			t.Fatalf("%d items are in no file\n%s", left, s.YAML(true))
		}
	}
	return inColumns
}

// decoded passes records through the decoder. Those that it refuses are none of the law's.
func decoded(t *testing.T, records ...string) ([]byte, *transform.Page) {
	t.Helper()
	body := []byte(`{"NextShardIterator":"i","Records":[` + strings.Join(records, ",") + `]}`)
	p := new(transform.Page)
	if err := transform.NewDecoder(wildKeys).Decode(body, p); err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	return body, p
}

func numbered(t *testing.T, text []byte) *schema.Schema {
	t.Helper()
	s, err := schema.Parse(text)
	if err != nil {
		return nil // two columns of one attribute
	}
	s.Version = 1
	s.Number(nil)
	return s
}

func TestTheLawHoldsThroughEveryDatasetToParquetAndBack(t *testing.T) {
	items, inDeclared, inInferred, skipped := 0, 0, 0, 0
	for seed := range *seeds {
		w := newWild(seed)
		var records []string
		for i := range 40 {
			records = append(records, record(i, w.attributes(w.IntN(10), 0)))
		}
		body, p := decoded(t, records...)
		if len(p.Rejects) > 0 {
			t.Fatalf("seed %d: %s", seed, p.Rejects[0].Reason)
		}
		items += len(p.Changes)
		if s := numbered(t, []byte(w.declared())); s != nil {
			inDeclared += lawHolds(t, s, body, p)
		} else {
			skipped++
		}
		// Inferred from half of the items, the others come as a surprise.
		sample := new(schema.Sample)
		for i := range p.Changes[:len(p.Changes)/2] {
			sample.Observe(p.Changes[i].New)
		}
		s := numbered(t, schema.Infer(sample, wildKeys, schema.DefaultLimits).YAML(false))
		inInferred += lawHolds(t, s, body, p)
		// And grown by what they have: twice, for a struct's fields come with the second look.
		for range 2 {
			for i := range p.Changes {
				sample.Observe(p.Changes[i].New)
			}
			s, _ = s.Evolve(dataset.All, sample, wildKeys, schema.DefaultLimits)
			inInferred += lawHolds(t, s, body, p)
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("%d items; %d values in declared columns, %d in inferred ones; %d files were none", items, inDeclared, inInferred, skipped)
	if inDeclared < items/10 || inInferred < 2*items || skipped > int(*seeds)/2 {
		t.Error("the columns took next to nothing")
	}
}

func FuzzLaw(f *testing.F) {
	for seed := range uint64(40) {
		f.Add(newWild(seed).attributes(6, 0), seed)
	}
	f.Fuzz(func(t *testing.T, attributes string, seed uint64) {
		body := []byte(`{"NextShardIterator":"i","Records":[` + record(1, strings.TrimSpace(attributes)) + `]}`)
		p := new(transform.Page)
		if err := transform.NewDecoder(wildKeys).Decode(body, p); err != nil || len(p.Rejects) > 0 || len(p.Changes) != 1 {
			return
		}
		if s := numbered(t, []byte(newWild(seed).declared())); s != nil {
			lawHolds(t, s, body, p)
		}
		sample := new(schema.Sample)
		sample.Observe(p.Changes[0].New)
		lawHolds(t, numbered(t, schema.Infer(sample, wildKeys, schema.DefaultLimits).YAML(false)), body, p)
	})
}
