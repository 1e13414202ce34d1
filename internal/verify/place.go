package verify

import (
	"strconv"
	"strings"
	"time"

	"dynamolake/checkpoint/ledger"
	"dynamolake/transform"
	"dynamolake/writer"
)

// role is what an object's name says that it is.
type role int

const (
	roleUnknown  role = iota
	roleLink          // changes/<dataset>/shard_day=<day>/<shard>/after-<cursor>.parquet
	roleWindow        // changes/<dataset>/window=<from>_<to>/<name>.parquet
	roleSnapshot      // snapshot/<dataset>/export=<id>/<name>.parquet
	roleReject        // rejects/stream/<shard>/<name>.json, rejects/exports/<id>/<name>.json; <name>@<dataset>.json
	roleGap           // _ledger/gaps/<shard>/after-<cursor>.json, and after-<cursor>-continued.json
	roleRecord        // _ledger/exports/<id>.json
	roleSchema        // _ledger/schemas/<version>.yaml
	roleLedger        // _ledger/ledger.json
	roleReplay        // _ledger/replay.json
)

// place is an object's name, taken apart.
type place struct {
	role     role
	prefix   string        // of the chain, window or snapshot, with the slash at its end
	dataset  string        // of a reject only where it is that of one dataset
	shard    string        // of a link, a gap, and a reject of the stream
	after    transform.Seq // of a link and a gap
	from, to time.Time     // of a window
	export   string        // id, of a snapshot, a record, and a reject of an export
	version  int           // of a schema
}

// parsePlace reads a name relative to the table's prefix. A name must be the one that its
// parts make: another spelling of the same cursor would be a second place in the
// chain.
func parsePlace(prefix, key string) place {
	parts := strings.Split(strings.TrimPrefix(key, prefix), "/")
	switch {
	case len(parts) == 5 && parts[0] == "changes":
		p := place{role: roleLink, dataset: parts[1], shard: parts[3], prefix: writer.ChainPrefix(prefix, parts[1], parts[3])}
		after, ok := parseAfter(parts[4], ".parquet")
		p.after = after
		if ok && key == p.prefix+parts[4] {
			return p
		}
	case len(parts) == 4 && parts[0] == "changes" && strings.HasSuffix(parts[3], ".parquet"):
		times, ok := strings.CutPrefix(parts[2], "window=")
		a, b, two := strings.Cut(times, "_")
		from, err1 := writer.ParseTimeName(a)
		to, err2 := writer.ParseTimeName(b)
		if ok && two && err1 == nil && err2 == nil {
			return place{role: roleWindow, dataset: parts[1], prefix: writer.WindowPrefix(prefix, parts[1], from, to), from: from, to: to}
		}
	case len(parts) == 4 && parts[0] == "snapshot" && strings.HasSuffix(parts[3], ".parquet"):
		if id, ok := strings.CutPrefix(parts[2], "export="); ok && id != "" {
			return place{role: roleSnapshot, dataset: parts[1], prefix: writer.SnapshotPrefix(prefix, parts[1], id), export: id}
		}
	case len(parts) == 4 && parts[0] == "rejects" && strings.HasSuffix(parts[3], ".json"):
		name := strings.TrimSuffix(parts[3], ".json")
		dataset := name[strings.LastIndexByte(name, '@')+1:]
		if dataset == name {
			dataset = ""
		}
		switch parts[1] {
		case "stream":
			return place{role: roleReject, shard: parts[2], dataset: dataset}
		case "exports":
			return place{role: roleReject, export: parts[2], dataset: dataset}
		}
	case len(parts) == 4 && parts[0] == "_ledger" && parts[1] == "gaps":
		if after, ok := parseAfter(strings.Replace(parts[3], "-continued.json", ".json", 1), ".json"); ok {
			return place{role: roleGap, shard: parts[2], after: after}
		}
	case len(parts) == 3 && parts[0] == "_ledger" && parts[1] == "exports":
		if id, ok := strings.CutSuffix(parts[2], ".json"); ok && id != "" {
			return place{role: roleRecord, export: id}
		}
	case len(parts) == 3 && parts[0] == "_ledger" && parts[1] == "schemas":
		version, err := strconv.Atoi(strings.TrimSuffix(parts[2], ".yaml"))
		if err == nil && version > 0 && key == prefix+schemaKey(version) {
			return place{role: roleSchema, version: version}
		}
	case key == prefix+ledger.ReplayKey:
		return place{role: roleReplay}
	case key == prefix+ledger.Key:
		return place{role: roleLedger}
	}
	return place{}
}

func parseAfter(name, extension string) (transform.Seq, bool) {
	digits, ok := strings.CutPrefix(name, "after-")
	digits, is := strings.CutSuffix(digits, extension)
	after, err := transform.ParseSeq(digits)
	return after, ok && is && err == nil && after.String() == digits
}

// folders of a table's part of the lake that hold files, in the order in which they are looked
// through. What AWS exported, under exports/, is not the lake's.
var folders = []string{"changes/", "snapshot/", "rejects/"}
