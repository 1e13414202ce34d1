package checkpoint

import (
	"slices"
	"strings"
)

// Scope names a table among those that one lease table serves. The zero Scope is of a lease table
// that serves one: its keys are shard ids.
type Scope struct{ Region, Account, Table string }

// name is how a worker's row tells of the table. No part can have a $ or a colon.
func (s Scope) name() string {
	if s == (Scope{}) {
		return ""
	}
	return strings.Join([]string{s.Region, s.Account, s.Table}, "$")
}

// rank spreads what is left over, a lease or a task, over the workers: one that comes first for one table
// is last for another. Where there is one table the id decides.
func (s Scope) rank(worker string) uint64 {
	if s == (Scope{}) {
		return 0
	}
	return mix(hash(s.name()) ^ hash(worker))
}

// stream is the identifier of the table's stream of a label, as the Java adapter for DynamoDB
// Streams writes it where it reads several.
func (s Scope) stream(label string) string {
	if s == (Scope{}) {
		return ""
	}
	return s.Account + ":" + s.name() + "$" + strings.ReplaceAll(label, ":", "_") + ":1"
}

// has tells whether a row is of this table.
func (s Scope) has(r Row) bool {
	return s == (Scope{}) && r.Of == "" || s != (Scope{}) && r.Of == s.stream(labelIn(r.Of))
}

// labelIn is the label in a stream's identifier, as the ARN has it; "" if there is none.
func labelIn(of string) string {
	parts := strings.Split(of, "$")
	if len(parts) != 4 {
		return ""
	}
	label, _, _ := strings.Cut(parts[3], ":")
	return strings.ReplaceAll(label, "_", ":")
}

// key is the row's lease key.
func (r Row) key() string {
	if r.Of == "" {
		return r.Key
	}
	return r.Of + ":" + r.Key
}

// parseKey parts a lease key into the stream's identifier, "" for a plain key, and the shard.
func parseKey(key string) (of, shard string) {
	if i := strings.LastIndex(key, ":"); i >= 0 {
		return key[:i], key[i+1:]
	}
	return "", key
}

// of is a worker as the keepers of a table see it, and whether it serves that table. One of the
// Java library says nothing of tables, nor does one that serves the only table of a lease table.
func (w Worker) of(s Scope) (Worker, bool) {
	if s == (Scope{}) {
		return w, len(w.Tables) == 0
	}
	w.Leaving = w.Leaving || slices.Contains(w.Handing, s.name())
	return w, w.Beat == 0 || slices.Contains(w.Tables, s.name())
}

// only narrows what was read to the table of a name, "" for all. In a lease table that serves one
// table all is that table's.
func (t Table) only(name string) Table {
	t.Multi = slices.ContainsFunc(t.Leases, func(r Row) bool { return r.Of != "" }) ||
		slices.ContainsFunc(t.Workers, func(w Worker) bool { return w.Tables != nil })
	if !t.Multi || name == "" {
		return t
	}
	t.Leases = slices.DeleteFunc(t.Leases, func(r Row) bool {
		parts := strings.Split(r.Of, "$")
		return len(parts) != 4 || parts[2] != name
	})
	var workers []Worker
	for _, w := range t.Workers {
		is := func(table string) bool { return strings.HasSuffix(table, "$"+name) }
		w.Leaving = w.Leaving || slices.ContainsFunc(w.Handing, is)
		if w.Beat == 0 || slices.ContainsFunc(w.Tables, is) {
			workers = append(workers, w)
		}
	}
	t.Workers = workers
	return t
}
