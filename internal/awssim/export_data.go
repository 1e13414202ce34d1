package awssim

import (
	"bytes"
	"compress/gzip"
	"encoding/base32"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// An exportFile is one object of data, of one partition of the table.
type exportFile struct {
	key   string
	body  []byte // gzip
	items int
}

type exportLine struct {
	place uint64 // in the file
	text  []byte
}

// Bytes billed: tables by the whole mebibyte, so that small ones are free as in
// AWS; increments never for less than 10 MB.
const (
	billedStep  = 1 << 20
	billedLeast = 10_000_000
)

// exportData works out what an export holds, from the changes kept as of now.
func (c *Cloud) exportData(e *export) []exportFile {
	id := hashKey(c.cfg.Seed, value{s: e.arn})
	files := make([]exportFile, len(e.t.lines))
	var whole [][]item
	if e.full {
		whole = c.itemsAt(e.t, e.to.UnixMicro())
	}
	size := 0
	for i := range files {
		var lines []exportLine
		add := func(k item, write func(rng *rand.Rand) []byte) {
			place := hashKey(id, value{s: k.String()})
			lines = append(lines, exportLine{place, write(rand.New(rand.NewPCG(id, place)))})
		}
		if e.full {
			for _, it := range whole[i] {
				if !e.filter.takes(it) {
					continue
				}
				size += it.size()
				k := e.t.keyPart(it)
				it = e.filter.cut(it)
				add(k, func(rng *rand.Rand) []byte { return e.itemLine(scrambled(it, rng, true)) })
			}
		} else {
			for _, ch := range e.t.lines[i].changed(e.from.UnixMicro(), e.to.UnixMicro()) {
				if !e.filter.takesChange(ch) {
					continue
				}
				size += ch.old.size() + ch.new.size()
				ch.old, ch.new = e.filter.cut(ch.old), e.filter.cut(ch.new)
				add(e.t.keyItem(ch.k), func(rng *rand.Rand) []byte { return e.changeLine(ch, rng) })
			}
		}
		files[i] = exportFile{key: e.dataKey(mix(id, uint64(i)), mix(^id, uint64(i))), body: packed(lines), items: len(lines)}
	}
	if e.billed = size / billedStep * billedStep; !e.full {
		e.billed = max(size, billedLeast)
	}
	rand.New(rand.NewPCG(id, 0)).Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
	return files
}

// dataKey names a file after a random UUID. Incremental exports share a folder.
func (e *export) dataKey(a, b uint64) string {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:], a&^0xf000|0x4000)
	binary.BigEndian.PutUint64(id[8:], b&^(3<<62)|1<<63)
	name := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(id[:])) + ".json.gz"
	if e.format == "ION" {
		name = strings.TrimSuffix(name, ".json.gz") + ".ion.gz"
	}
	if e.full {
		return e.key(e.id, "data", name)
	}
	return e.key("data", name)
}

// emptyGzip is what AWS writes for an empty partition; Go's own is three bytes longer.
const emptyGzip = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// packed is the file of the lines, in an order that is not that of the keys.
func packed(lines []exportLine) []byte {
	if len(lines) == 0 {
		return []byte(emptyGzip)
	}
	slices.SortFunc(lines, func(a, b exportLine) int {
		switch {
		case a.place < b.place:
			return -1
		case a.place > b.place:
			return 1
		}
		return bytes.Compare(a.text, b.text)
	})
	var out bytes.Buffer
	z := gzip.NewWriter(&out) // its header has no time, and 255 for the system, as AWS's
	for _, l := range lines {
		_, _ = z.Write(l.text) // a buffer takes all
	}
	_ = z.Close()
	return out.Bytes()
}

// itemLine is a line of a full export.
func (e *export) itemLine(it item) []byte {
	if e.format == "ION" {
		b := append([]byte("$ion_1_0 {Item:"), it.appendIon(nil)...)
		return append(b, "}\n"...)
	}
	out := body{'{'}
	out.item("Item", it)
	return append(out, "}\n"...)
}

// changeLine is a line of an incremental export.
func (e *export) changeLine(ch change, rng *rand.Rand) []byte {
	keys := e.t.keyItem(ch.k)
	micros := strconv.FormatInt(ch.micros, 10)
	old, next := scrambled(ch.old, rng, false), scrambled(ch.new, rng, false)
	if e.view == "NEW_IMAGE" {
		old = nil
	}
	if e.format == "ION" {
		b := keys.appendIon([]byte("$ion_1_0 {Record:{Keys:"))
		b = append(b, ",Metadata:{WriteTimestampMicros:"...)
		b = append(b, micros...)
		b = append(b, ".}"...)
		if old != nil {
			b = old.appendIon(append(b, ",OldImage:"...))
		}
		if next != nil {
			b = next.appendIon(append(b, ",NewImage:"...))
		}
		return append(b, "}}\n"...)
	}
	out := body{'{'}
	out.name("Metadata")
	out = append(out, `{"WriteTimestampMicros":{"N":"`...)
	out = append(out, micros...)
	out = append(out, `"}}`...)
	out.item("Keys", keys)
	out.item("OldImage", old)
	out.item("NewImage", next)
	return append(out, "}\n"...)
}

// scrambled is a copy whose sets are in any order, and its attributes too where
// that is asked for. It is for printing: nothing can be found in it.
func scrambled(it item, rng *rand.Rand, attrs bool) item {
	if it == nil {
		return nil
	}
	out := slices.Clone(it)
	for i := range out {
		out[i].v = scrambledValue(out[i].v, rng, attrs)
	}
	if attrs {
		rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	}
	return out
}

func scrambledValue(v value, rng *rand.Rand, attrs bool) value {
	switch {
	case v.isSet():
		v.l = slices.Clone(v.l)
		rng.Shuffle(len(v.l), func(i, j int) { v.l[i], v.l[j] = v.l[j], v.l[i] })
	case v.t == kindMap:
		v.m = scrambled(v.m, rng, attrs)
	case v.t == kindList:
		v.l = slices.Clone(v.l)
		for i := range v.l {
			v.l[i] = scrambledValue(v.l[i], rng, attrs)
		}
	}
	return v
}
