package awssim

import (
	"strconv"
	"time"
)

// A body is a JSON object being written, member by member.
type body []byte

func (b *body) name(name string) {
	if len(*b) > 1 {
		*b = append(*b, ',')
	}
	*b = append(*b, '"')
	*b = append(*b, name...)
	*b = append(*b, '"', ':')
}

// item adds an item; nothing when there is none.
func (b *body) item(name string, it item) {
	if it == nil {
		return
	}
	b.name(name)
	*b = it.append(*b)
}

func (b *body) items(name string, list []item) {
	b.name(name)
	*b = append(*b, '[')
	for i, it := range list {
		if i > 0 {
			*b = append(*b, ',')
		}
		*b = it.append(*b)
	}
	*b = append(*b, ']')
}

func (b *body) int(name string, n int) {
	b.name(name)
	*b = strconv.AppendInt(*b, int64(n), 10)
}

func (b *body) text(name, s string) {
	b.name(name)
	*b = appendString(*b, s)
}

// orNull adds a text, or null when there is none.
func (b *body) orNull(name string, s *string) {
	if s == nil {
		b.name(name)
		*b = append(*b, "null"...)
		return
	}
	b.text(name, *s)
}

// time adds epoch seconds.
func (b *body) time(name string, t time.Time) {
	b.name(name)
	*b = appendTime(*b, t)
}

// consumed adds ConsumedCapacity if the request asks for it.
func (b *body) consumed(in node, table string, units float64) {
	if want := in.get("ReturnConsumedCapacity").text(); want == "" || want == "NONE" {
		return
	}
	b.name("ConsumedCapacity")
	*b = append(*b, `{"CapacityUnits":`...)
	*b = strconv.AppendFloat(*b, units, 'f', -1, 64)
	*b = appendField(*b, "TableName", table)
	*b = append(*b, '}')
}
