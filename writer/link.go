package writer

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"dynamolake/transform"
)

// FormatVersion is the version of the file format that docs/format.md describes.
const FormatVersion = 1

// Link is one object of a shard's chain: what it covers and who wrote it.
type Link struct {
	Key   string        // relative to the lake
	After transform.Seq // the cursor its writer stood at; the object's name
	End   transform.Seq // everything up to here is in the chain
	// ShardEnd: the shard holds nothing after End, and nothing follows this link.
	ShardEnd bool
	Rows     int64
	Epoch    int64 // as in the column _epoch; 0 if the object does not tell
	Schema   int   // version of the table's schema; 0 for none, or if the object does not tell
	// MinTS and MaxTS bound _ts, in microseconds since 1970; zero without rows.
	MinTS, MaxTS int64
	Writer       string // worker id, as escaped for object metadata
	Attempt      string // unique to one call of Encode
	SHA256       string // of the object's content, lower-case hex
	Size         int64  // bytes
}

// LinkError: an object stands in the chain, but not what it covers. Nobody can
// carry on after it until a person has looked: going on would lose or double rows.
type LinkError struct {
	Key     string
	Problem string
}

func (e *LinkError) Error() string {
	return fmt.Sprintf("chain object %s: %s; restore the object or its metadata, the shard cannot go on before", e.Key, e.Problem)
}

// meta is the object metadata of l: ASCII, and well under S3's 2 KB.
func (l Link) meta() map[string]string {
	return map[string]string{
		"format":    strconv.Itoa(FormatVersion),
		"after":     l.After.String(),
		"end":       l.End.String(),
		"shard-end": strconv.FormatBool(l.ShardEnd),
		"rows":      strconv.FormatInt(l.Rows, 10),
		"min-ts":    strconv.FormatInt(l.MinTS, 10),
		"max-ts":    strconv.FormatInt(l.MaxTS, 10),
		"schema":    strconv.Itoa(l.Schema),
		"writer":    l.Writer,
		"attempt":   l.Attempt,
		"sha256":    l.SHA256,
	}
}

// parseLink reads the metadata of an object that is named after the given cursor.
func parseLink(o Object, after transform.Seq) (Link, error) {
	l := Link{Key: o.Key, Size: o.Size}
	var bad []string
	seq := func(name string) transform.Seq {
		s, err := transform.ParseSeq(o.Meta[name])
		if err != nil {
			bad = append(bad, name)
		}
		return s
	}
	num := func(name string) int64 {
		n, err := strconv.ParseInt(o.Meta[name], 10, 64)
		if err != nil || n < 0 {
			bad = append(bad, name)
		}
		return n
	}
	version := num("format")
	l.After, l.End = seq("after"), seq("end")
	l.Rows, l.MinTS, l.MaxTS = num("rows"), num("min-ts"), num("max-ts")
	l.Epoch, _ = strconv.ParseInt(o.Meta["epoch"], 10, 64)
	l.Schema, _ = strconv.Atoi(o.Meta["schema"])
	end, err := strconv.ParseBool(o.Meta["shard-end"])
	if err != nil {
		bad = append(bad, "shard-end")
	}
	l.ShardEnd = end
	l.Writer, l.Attempt, l.SHA256 = o.Meta["writer"], o.Meta["attempt"], o.Meta["sha256"]
	if l.Attempt == "" {
		bad = append(bad, "attempt")
	}
	if len(l.SHA256) != 64 {
		bad = append(bad, "sha256")
	}
	switch order := l.End.Compare(l.After); {
	case len(bad) > 0:
		return Link{}, &LinkError{o.Key, "no usable metadata for " + strings.Join(bad, ", ")}
	case version != FormatVersion:
		return Link{}, &LinkError{o.Key, fmt.Sprintf("format version %d, this program knows %d", version, FormatVersion)}
	case l.After != after:
		return Link{}, &LinkError{o.Key, "its metadata says after " + l.After.String()}
	case order < 0 || order == 0 && !l.ShardEnd:
		return Link{}, &LinkError{o.Key, "it ends at " + l.End.String() + ", which does not go beyond its start"}
	}
	return l, nil
}

// escape makes any text fit for object metadata: ASCII, bounded.
func escape(s string) string {
	s = url.PathEscape(s)
	if len(s) > 256 {
		s = s[:256]
	}
	return s
}
