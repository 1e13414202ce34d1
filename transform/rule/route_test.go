package rule

import (
	"errors"
	"math/rand/v2"
	"testing"

	"dynamolake/transform"
	"dynamolake/transform/schema"
)

func TestWhatADatasetGetsOfAChange(t *testing.T) {
	const nothing = transform.Op(0)
	for _, c := range []struct {
		op       transform.Op
		old, now Match
		want     transform.Op
	}{
		{transform.Insert, No, Yes, transform.Insert},
		{transform.Insert, No, No, nothing},
		{transform.Snapshot, No, Yes, transform.Snapshot},
		{transform.Snapshot, No, No, nothing},
		{transform.Modify, Yes, Yes, transform.Modify},
		{transform.Modify, No, Yes, transform.Insert},
		{transform.Modify, Yes, No, transform.Remove},
		{transform.Modify, No, No, nothing},
		{transform.Modify, Unknown, Yes, transform.Modify},
		{transform.Modify, Unknown, No, transform.Remove},
		{transform.Remove, Yes, No, transform.Remove},
		{transform.Remove, Unknown, No, transform.Remove},
		{transform.Remove, No, No, nothing},
		{transform.Op('?'), Yes, Yes, nothing},
	} {
		op, write := Decide(c.op, c.old, c.now)
		if write != (c.want != nothing) || write && op != c.want {
			t.Errorf("%s, before %s, now %s: %s, %t; want %s", c.op, c.old, c.now, op, write, c.want)
		}
	}
}

func TestAnAppendOnlyDatasetRefusesUpdates(t *testing.T) {
	for _, c := range []struct {
		op      transform.Op
		deletes schema.Policy
		want    Fate
	}{
		{transform.Insert, schema.Drop, Write},
		{transform.Snapshot, schema.Drop, Write},
		{transform.Modify, schema.Keep, Refuse},
		{transform.Remove, schema.Keep, Write},
		{transform.Remove, schema.Drop, Skip},
	} {
		if got := Append(c.op, c.deletes); got != c.want {
			t.Errorf("%s with deletes %s: %s, want %s", c.op, c.deletes, got, c.want)
		}
	}
}

const threeDatasets = `
datasets:
  - name: orders
    filter: keys.pk.startsWith("order#")
  - name: open
    filter: has(item.status) && item.status == "open"
  - name: events
    filter: item.pk.startsWith("event#")
    mode: append_only
    deletes: drop
`

func TestChangesGoToTheirDatasets(t *testing.T) {
	r := compile(t, threeDatasets, Options{})
	const open, closed, bare = `{"status":{"S":"open"}}`, `{"status":{"S":"closed"}}`, `{}`
	for _, c := range []struct {
		name     string
		op       transform.Op
		key      string
		now, old string
		want     string
		taken    bool
	}{
		{"a new order", transform.Insert, "order#1", open, "", "INSERT INSERT -", true},
		{"an order that closes", transform.Modify, "order#1", closed, open, "MODIFY REMOVE -", true},
		{"and opens again", transform.Modify, "order#1", open, closed, "MODIFY INSERT -", true},
		{"that stays closed", transform.Modify, "order#1", closed, bare, "MODIFY - -", true},
		{"that closes, without an old image", transform.Modify, "order#1", closed, "", "MODIFY REMOVE -", true},
		{"a removal", transform.Remove, "order#1", "", open, "REMOVE REMOVE -", true},
		{"a removal without an old image", transform.Remove, "order#1", "", "", "REMOVE REMOVE -", true},
		{"a removal of what was closed", transform.Remove, "order#1", "", closed, "REMOVE - -", true},
		{"an item that nobody takes", transform.Insert, "user#1", bare, "", "- - -", false},
		{"an item that nobody takes any more", transform.Modify, "user#1", bare, open, "- REMOVE -", false},
		{"a removal of what nobody took", transform.Remove, "user#1", "", bare, "- - -", true},
		{"an event", transform.Insert, "event#1", bare, "", "- - INSERT", true},
		{"an event that changes", transform.Modify, "event#1", bare, bare, "- - refuse", true},
		{"an event that is removed", transform.Remove, "event#1", "", bare, "- - -", true},
	} {
		routes, taken, err := r.Route(nil, change(t, c.op, c.key, c.now, c.old))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := ""
		for i, route := range routes {
			if i > 0 {
				got += " "
			}
			switch route.Fate {
			case Write:
				got += route.Op.String()
			case Refuse:
				got += "refuse"
			default:
				got += "-"
			}
		}
		if got != c.want || taken != c.taken {
			t.Errorf("%s: %s, taken %t; want %s, %t", c.name, got, taken, c.want, c.taken)
		}
	}
}

// TestTheCurrentStateIsThatOfTheFilter plays histories of an item, with and without old
// images, from a snapshot on or from the start, and looks what the dataset's last row says.
func TestTheCurrentStateIsThatOfTheFilter(t *testing.T) {
	states := []string{"", `{"status":{"S":"open"}}`, `{"status":{"S":"closed"}}`, `{"other":{"N":"1"}}`}
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 7))
		d := compile(t, threeDatasets, Options{}).Datasets[1]
		images := seed%2 == 0
		state, held := 0, false
		play := func(op transform.Op, now, old string) {
			if !images {
				old = ""
			}
			route, err := d.Route(change(t, op, "order#1", now, old))
			if err != nil {
				t.Fatal(err)
			}
			if route.Fate == Write {
				held = route.Op != transform.Remove
			}
		}
		for range 1 + random.IntN(8) {
			next := random.IntN(len(states))
			switch {
			case state == 0 && next == 0:
				continue
			case state == 0:
				play(transform.Insert, states[next], "")
			case next == 0:
				play(transform.Remove, "", states[state])
			default:
				play(transform.Modify, states[next], states[state])
			}
			state = next
		}
		if held != (state == 1) {
			t.Fatalf("seed %d: the dataset holds the item: %t, its state is %q", seed, held, states[state])
		}
	}
}

func TestASnapshotHasItsKeyInItsItem(t *testing.T) {
	var p transform.Page
	line := `{"Item":{"pk":{"S":"order#1"},"sk":{"N":"1"},"x":{"S":"y"}}}`
	if err := transform.NewDecoder(testKeys).DecodeExport([]byte(line), transform.ViewFull, &p); err != nil || len(p.Changes) != 1 {
		t.Fatal(err, p.Rejects)
	}
	d := compile(t, "datasets:\n  - name: all\n    filter: keys.pk == \"order#1\" && keys.size() == 2 && !(\"x\" in keys)\n", Options{}).Datasets[0]
	route, err := d.Route(&p.Changes[0])
	if err != nil || route.Fate != Write || route.Op != transform.Snapshot {
		t.Errorf("%+v, %v", route, err)
	}
}

func TestAFailingFilterRejectsTheRecord(t *testing.T) {
	r := compile(t, "datasets:\n  - name: all\n    filter: item.status == \"open\"\n  - name: b\n    filter: keys.pk\n", Options{})
	_, _, err := r.Route(nil, change(t, transform.Insert, "a", `{"secret":{"S":"content"}}`, ""))
	var failure *Failure
	if want := "filter of dataset all: no such key: status; ask has() first where it may be missing"; !errors.As(err, &failure) || err.Error() != want {
		t.Errorf("got %v", err)
	}
	if _, err := r.Datasets[1].Route(change(t, transform.Insert, "a", `{}`, "")); err == nil || err.Error() != "filter of dataset b: gives no bool" {
		t.Errorf("got %v", err)
	}
}
