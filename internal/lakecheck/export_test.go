package lakecheck_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dynamolake/internal/lakecheck"
	"dynamolake/transform"
	"dynamolake/writer"
)

// mixed is a lake of all three sources: a full export at minute 10, the stream around
// it, and a window for what the stream lost from minute 20 to 30.
//
//	epoch 2   full       minute 10
//	epoch 4   stream     minutes 0 to 20
//	epoch 5   windows    minutes 20 to 30
//	epoch 8   stream     from minute 30 on
type mixed struct {
	*world
	timeline lakecheck.Timeline
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func minute(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

// at makes the next thing happen to an item at a minute; an empty value removes it.
func (m *mixed) at(n int, name, value string) lakecheck.Record {
	image := ""
	if value != "" {
		image = fmt.Sprintf(`{"pk":{"S":%q},"v":{"S":%q}}`, name, value)
	}
	m.change(parent, fmt.Sprintf(`{"pk":{"S":%q}}`, name), image)
	r := &m.journal[len(m.journal)-1]
	r.At, r.Micros = minute(n), minute(n).UnixMicro()
	return *r
}

func newMixed(t *testing.T) *mixed {
	m := &mixed{world: newWorld(t, transform.KeySchema{Hash: transform.KeyAttr{Name: "pk", Type: 'S'}})}
	m.timeline = lakecheck.Timeline{Base: 2, Slack: time.Second, Epochs: []lakecheck.Epoch{
		{Number: 2, Source: "full", To: minute(10), Export: "seed"},
		{Number: 4, Source: "stream", From: minute(0), To: minute(20)},
		{Number: 5, Source: "incremental", From: minute(20), To: minute(30)},
		{Number: 8, Source: "stream", From: minute(30)},
	}}
	a, b := m.at(5, "a", "1"), m.at(6, "b", "1")
	c := m.at(15, "c", "1")
	m.epoch = 4
	m.commit(parent, "", false, a, b, c)
	m.at(21, "a", "2") // these five are lost
	m.at(22, "a", "3")
	m.at(23, "gone", "1")
	m.at(24, "gone", "")
	m.at(25, "c", "")
	d := m.at(35, "d", "1")
	m.epoch = 8
	m.commit(parent, c.Seq, false, d)
	m.export("seed", 2, time.Time{}, minute(10), `{"Item":{"pk":{"S":"a"},"v":{"S":"1"}}}`, `{"Item":{"v":{"S":"1"},"pk":{"S":"b"}}}`)
	m.export("repair", 5, minute(20), minute(30),
		line(22, "a", `,"NewImage":{"pk":{"S":"a"},"v":{"S":"3"}},"OldImage":{"pk":{"S":"a"},"v":{"S":"1"}}`),
		line(25, "c", `,"OldImage":{"pk":{"S":"c"},"v":{"S":"1"}}`))
	return m
}

func line(n int, name, images string) string {
	return fmt.Sprintf(`{"Metadata":{"WriteTimestampMicros":{"N":"%d"}},"Keys":{"pk":{"S":%q}}%s}`, minute(n).UnixMicro(), name, images)
}

// export writes an export of one file, and its record.
func (m *mixed) export(id string, epoch int64, from, to time.Time, lines ...string) {
	m.t.Helper()
	source, prefix, view := "full", writer.SnapshotPrefix(tablePrefix, "all", id), transform.ViewFull
	if !from.IsZero() {
		source, prefix, view = "incremental", writer.WindowPrefix(tablePrefix, "all", from, to), transform.ViewNewAndOld
	}
	var page transform.Page
	if err := transform.NewDecoder(m.keys).DecodeExport([]byte(strings.Join(lines, "\n")), view, &page); err != nil {
		m.t.Fatal(err)
	}
	if len(page.Rejects) > 0 {
		m.t.Fatal(page.Rejects[0].Reason)
	}
	info := writer.ExportInfo{ARN: "arn:aws:dynamodb:::table/orders/export/" + id, From: from, To: to, Epoch: epoch, DataFile: "data/" + id + ".json.gz", Items: int64(len(lines))}
	var out bytes.Buffer
	e := m.encoder.Export(&out, info)
	if err := e.Add(page.Changes); err != nil {
		m.t.Fatal(err)
	}
	if _, err := e.Close(); err != nil {
		m.t.Fatal(err)
	}
	key := prefix + writer.ExportFileName(info.DataFile)
	m.store.put(key, writer.File{Body: out.Bytes(), Meta: m.encoder.ExportMeta(info)})
	rec := map[string]any{
		"export": id, "source": source, "epoch": epoch, "to": to,
		"files": []any{map[string]any{"parquet": key, "rows": len(lines)}},
	}
	if !from.IsZero() {
		rec["from"] = from
	}
	body, err := json.Marshal(rec)
	if err != nil {
		m.t.Fatal(err)
	}
	m.store.put(tablePrefix+"_ledger/exports/"+id+".json", writer.File{Body: body})
}

func (m *mixed) prove() lakecheck.Report {
	m.t.Helper()
	lake, err := lakecheck.Read(m.t.Context(), m.store, tablePrefix)
	if err != nil {
		m.t.Fatal(err)
	}
	return lakecheck.Truth{Journal: m.journal, Items: m.items, Timeline: &m.timeline}.Check(lake)
}

// again writes the window anew, with other lines.
func (m *mixed) again(lines ...string) {
	m.export("repair", 5, minute(20), minute(30), lines...)
}

func TestDamageOfExportsIsCaught(t *testing.T) {
	a := line(22, "a", `,"NewImage":{"pk":{"S":"a"},"v":{"S":"3"}},"OldImage":{"pk":{"S":"a"},"v":{"S":"1"}}`)
	c := line(25, "c", `,"OldImage":{"pk":{"S":"c"},"v":{"S":"1"}}`)
	window := writer.WindowPrefix(tablePrefix, "all", minute(20), minute(30)) + "repair.parquet"
	for _, test := range []struct {
		name   string
		damage func(m *mixed)
		want   lakecheck.Report
		says   string
	}{
		{"no damage", func(*mixed) {}, lakecheck.Report{}, ""},
		{"an item is missing in a window", func(m *mixed) { m.again(a) }, lakecheck.Report{Lost: 1, WrongItems: 1}, "is missing in the export from"},
		{
			"an item of a window is not what it was",
			func(m *mixed) { m.again(strings.Replace(a, `"3"`, `"4"`, 1), c) },
			lakecheck.Report{WrongContent: 1, WrongItems: 1},
			`want {"pk":{"S":"a"},"v":{"S":"3"}}`,
		},
		{"an old image is another", func(m *mixed) { m.again(strings.Replace(a, `"1"`, `"9"`, 1), c) }, lakecheck.Report{WrongContent: 1}, "old image"},
		{"a row is of another time", func(m *mixed) {
			m.again(a, strings.Replace(c, fmt.Sprint(minute(25).UnixMicro()), fmt.Sprint(minute(25).UnixMicro()+1), 1))
		}, lakecheck.Report{WrongContent: 1}, "it is of"},
		{"an item is in a window twice", func(m *mixed) { m.again(a, a, c) }, lakecheck.Report{Doubled: 1}, "is there twice"},
		{"an item that never was", func(m *mixed) {
			m.again(a, c, line(26, "z", `,"NewImage":{"pk":{"S":"z"}}`))
		}, lakecheck.Report{Unknown: 1, WrongItems: 1}, "not in the journal's account"},
		{"an item is missing in a snapshot", func(m *mixed) {
			m.export("seed", 2, time.Time{}, minute(10), `{"Item":{"pk":{"S":"a"},"v":{"S":"1"}}}`)
		}, lakecheck.Report{Lost: 1}, "is missing in the export"},
		{"a window's file is gone", func(m *mixed) { delete(m.store.objects, window) }, lakecheck.Report{Lost: 2, WrongContent: 1, WrongItems: 2}, "is not there"},
		{"a window's record is gone", func(m *mixed) {
			delete(m.store.objects, tablePrefix+"_ledger/exports/repair.json")
		}, lakecheck.Report{Lost: 6, Orphans: 1, WrongItems: 2}, "no record of an export names it"},
		{"a window ends early, and the ledger does not say so", func(m *mixed) {
			delete(m.store.objects, window)
			m.export("repair", 5, minute(20), minute(25), a)
		}, lakecheck.Report{Lost: 2, WrongItems: 1}, "windows up to"},
		{"the ledger does not know an epoch", func(m *mixed) { m.timeline.Epochs[3].Number = 12 }, lakecheck.Report{WrongContent: 1}, "knows no such epoch"},
		{"the ledger claims for the stream what a window has", func(m *mixed) { m.timeline.Epochs[1].To = minute(22) }, lakecheck.Report{Lost: 1}, "the ledger says that the stream has it"},
		{"the stream has lost what nothing covers", func(m *mixed) { m.at(36, "e", "1") }, lakecheck.Report{Lost: 1, WrongItems: 1}, "says that the stream has it"},
		{"another full export is the base", func(m *mixed) { m.timeline.Base = 3 }, lakecheck.Report{}, ""},
		{"the base is above the window", func(m *mixed) { m.timeline.Base = 8 }, lakecheck.Report{WrongItems: 2}, "not in the lake"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMixed(t)
			test.damage(m)
			got := m.prove()
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreFields(lakecheck.Report{}, "Items", "Changes", "Compacted", "Seeded", "Files", "Problems")); diff != "" {
				t.Errorf("report (-want +got):\n%s\n%s", diff, strings.Join(got.Problems, "\n"))
			}
			if !strings.Contains(strings.Join(got.Problems, "\n"), test.says) {
				t.Errorf("problems:\n%s\nwant them to say %q", strings.Join(got.Problems, "\n"), test.says)
			}
		})
	}
	if r := newMixed(t).prove(); r.Compacted != 5 || r.Changes != 4 || r.Items != 3 || r.Files != 4 {
		t.Errorf("report: %+v", r)
	}
}
