// Package typeditems makes random items for a schema's columns, for tests: most values fit, some do not, some are missing,
// and there are attributes that no column is of.
package typeditems

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"dynamolake/transform/schema"
)

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// EveryType is a schema with a column of every type, in every place.
const EveryType = `
version: 7
datasets:
  - name: all
    columns:
      - {name: text, type: string}
      - {name: status, type: string}
      - {name: int, type: int64}
      - {name: dec9, type: "decimal(9,2)"}
      - {name: dec18, type: "decimal(18,6)"}
      - {name: dec38, type: "decimal(38,9)"}
      - {name: whole38, type: "decimal(38,0)"}
      - {name: dec20, type: "decimal(20,20)"}
      - {name: rounded, type: double}
      - {name: flag, type: bool}
      - {name: bytes, type: binary}
      - {name: at_iso, type: "timestamp(iso,3)"}
      - {name: at_seconds, type: timestamp(seconds)}
      - {name: at_millis, type: timestamp(millis)}
      - {name: at_micros, type: timestamp(micros)}
      - {name: day_iso, type: date(iso)}
      - {name: day_seconds, type: date(seconds)}
      - {name: plain, type: json}
      - {name: strings, type: set<string>}
      - {name: numbers, type: "set<decimal(38,9)>"}
      - {name: binaries, type: set<binary>}
      - {name: ints, type: list<int64>}
      - {name: flags, type: list<bool>}
      - {name: days, type: list<date(iso)>}
      - {name: grid, type: list<list<string>>}
      - {name: plains, type: list<json>}
      - name: lines
        type: list<struct>
        fields:
          - {name: sku, type: string}
          - {name: n, from: count, type: int64}
          - {name: tags, type: set<string>}
      - name: box
        type: struct
        fields:
          - {name: x, type: string}
          - {name: y, type: "decimal(9,2)"}
          - {name: doubles, type: list<double>}
          - {name: inner, type: struct, fields: [{name: z, type: bool}, {name: l, type: "list<decimal(38,9)>"}]}
      - {name: city, from: address.city, type: string}
      - {name: dotted, from: [address, "zip.code"], type: string}
`

// Items makes items for columns.
type Items struct{ *rand.Rand }

// Pick is one of them.
func Pick[T any](g Items, from ...T) T { return from[g.IntN(len(from))] }

// Item is an item with a key (pk S, sk N) as DynamoDB JSON, and that key.
func (g Items) Item(pk string, sk int, columns []schema.Column) (image, keys string) {
	keys = fmt.Sprintf(`"pk":{"S":%s},"sk":{"N":"%d"}`, quoted(pk), sk)
	members := []string{keys}
	var address []string
	for i := range columns {
		c := &columns[i]
		if g.IntN(6) == 0 {
			continue
		}
		value := g.value(&c.Type)
		if len(c.From) == 2 {
			address = append(address, quoted(c.From[1])+":"+value)
		} else {
			members = append(members, quoted(c.From[0])+":"+value)
		}
	}
	if g.IntN(3) > 0 {
		address = append(address, `"more":`+g.hostile())
	}
	if address != nil {
		members = append(members, `"address":{"M":{`+strings.Join(address, ",")+`}}`)
	}
	for i := range g.IntN(3) {
		members = append(members, fmt.Sprintf(`"no column %d":%s`, i, g.hostile()))
	}
	g.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return "{" + strings.Join(members, ",") + "}", "{" + keys + "}"
}

// hostile is a value of any type.
func (g Items) hostile() string {
	return Pick(g, `{"NULL":true}`, `{"S":""}`, `{"S":"1"}`, `{"S":"\u0000\ud83d\ude00\"\\"}`, `{"S":"lone \ud800"}`, `{"N":"1.0"}`, `{"N":"-0"}`, `{"N":"1E+100"}`,
		`{"N":"12345678901234567890123456789012345678"}`, `{"B":""}`, `{"B":"AB=="}`, `{"BOOL":false}`, `{"SS":["a"]}`, `{"NS":["1","1E2"]}`, `{"BS":["AA=="]}`,
		`{"L":[]}`, `{"L":[{"NULL":true}]}`, `{"M":{}}`, `{"M":{"a":{"L":[{"M":{"":{"S":"x"}}}]}}}`, `{"S":"2026-11-23"}`, `{"N":"1700000000"}`)
}

func (g Items) value(t *schema.Type) string {
	if g.IntN(12) == 0 {
		return g.hostile()
	}
	many := func(one func() string) string {
		var all []string
		for range g.IntN(4) {
			all = append(all, one())
		}
		return strings.Join(all, ",")
	}
	switch t.Kind {
	case schema.List:
		return `{"L":[` + many(func() string { return g.value(t.Elem) }) + `]}`
	case schema.Set:
		tag := "NS"
		switch t.Elem.Kind {
		case schema.String:
			tag = "SS"
		case schema.Binary:
			tag = "BS"
		}
		return `{"` + tag + `":[` + many(func() string { return `"` + g.scalar(t.Elem) + `"` }) + `]}`
	case schema.Struct:
		var fields []string
		for i := range t.Fields {
			if g.IntN(4) > 0 {
				fields = append(fields, quoted(t.Fields[i].From)+":"+g.value(&t.Fields[i].Type))
			}
		}
		return `{"M":{` + strings.Join(fields, ",") + `}}`
	case schema.Bool:
		return `{"BOOL":` + Pick(g, "true", "false") + `}`
	case schema.JSON:
		return Pick(g, `{"S":"plain"}`, `{"N":"-1.5"}`, `{"NULL":true}`, `{"L":[]}`, `{"M":{"a":{"L":[{"N":"1"},{"BOOL":true}]}}}`, `{"BOOL":false}`)
	case schema.Binary:
		return `{"B":"` + g.scalar(t) + `"}`
	case schema.String:
		return `{"S":"` + g.scalar(t) + `"}`
	}
	if t.Form == schema.ISO {
		return `{"S":"` + g.scalar(t) + `"}`
	}
	return `{"N":"` + g.scalar(t) + `"}`
}

// scalar is the text of a value, as JSON has it between quotes.
func (g Items) scalar(t *schema.Type) string {
	at := time.UnixMicro(g.Int64N(4e15) - 2e15).UTC() // half of them before 1970
	switch t.Kind {
	case schema.String:
		return Pick(g, "", "shipped", "open", "closed", "\u00e9\u4e16\U0001f600", strings.Repeat("\u4e16", 100), strings.Repeat("\U0010FFFF", 30), fmt.Sprintf("%x", g.Uint64()))
	case schema.Binary:
		return base64.StdEncoding.EncodeToString([]byte(Pick(g, "", "\x00", strings.Repeat("\xFF", 100), fmt.Sprint(g.Uint32()))))
	case schema.Int64:
		return Pick(g, "0", "1", "-1", "9223372036854775807", "-9223372036854775808", fmt.Sprint(g.Int64()-g.Int64()))
	case schema.Double:
		return Pick(g, "0", "0.1", "-2.5", "123456789.25", "1E300", "0.1000000000000000055511151231257827")
	case schema.Decimal:
		digits := func(n int) string {
			b := []byte(strings.Repeat("9", n))
			for i := range b {
				if g.IntN(3) > 0 {
					b[i] = byte('1' + g.IntN(9))
				}
			}
			return string(b)
		}
		whole := Pick(g, "0", digits(max(0, min(t.Precision-t.Scale, 1+g.IntN(38)))))
		if whole == "" {
			whole = "0"
		}
		if t.Scale > 0 && g.IntN(3) > 0 {
			whole += "." + digits(1+g.IntN(t.Scale))
		}
		return Pick(g, "", "-") + whole
	case schema.Timestamp:
		switch t.Form {
		case schema.ISO:
			return at.Format("2006-01-02T15:04:05" + [...]string{"", 3: ".000", 6: ".000000"}[t.Digits] + "Z")
		case schema.Seconds:
			return Pick(g, "-62135596800", "253402300799", fmt.Sprint(at.Unix()))
		case schema.Millis:
			return fmt.Sprint(at.UnixMilli())
		}
		return fmt.Sprint(at.UnixMicro())
	}
	if t.Form == schema.ISO {
		return Pick(g, "0001-01-01", "9999-12-31", at.Format("2006-01-02"))
	}
	return fmt.Sprint(at.Unix() / 86400 * 86400)
}
