package awssim

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// An iterator is a place in a shard, written into its own text: the cloud keeps
// none, so they survive whatever their holder does with them.
type iterator struct {
	arn, shard string
	at         int // index of the next record
	empties    int // empty pages since the last record
	issued     time.Time
}

func (it iterator) String() string {
	place := fmt.Sprintf("%s %d %d %d", it.shard, it.at, it.empties, it.issued.UnixNano())
	return it.arn + "|1|" + base64.RawURLEncoding.EncodeToString([]byte(place))
}

func parseIterator(s string) (iterator, error) {
	arn, place, ok := strings.Cut(s, "|1|")
	raw, err := base64.RawURLEncoding.DecodeString(place)
	it := iterator{arn: arn}
	var nanos int64
	if n, _ := fmt.Sscanf(string(raw), "%s %d %d %d", &it.shard, &it.at, &it.empties, &nanos); !ok || err != nil || n != 4 {
		return it, invalid("Invalid ShardIterator")
	}
	it.issued = time.Unix(0, nanos)
	return it, nil
}

// iteratorTarget is where an iterator leads, "" if it is not one.
func iteratorTarget(s string) (arn, shard string) {
	it, err := parseIterator(s)
	if err != nil {
		return "", ""
	}
	return it.arn, it.shard
}
