package page

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"dynamolake/checkpoint/ledger"
	"dynamolake/internal/fleet"
)

func TestThePageShowsAFleet(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	s := tell(t, false)
	body := get(New(s.options()), "/").Body.String()
	states := map[string]int{}
	for _, x := range s.report.Shards {
		states[shardClass[x.State]]++
		if !strings.Contains(body, "<title>"+x.ID+": "+x.State) {
			t.Errorf("shard %s is not drawn", x.ID)
		}
	}
	for class, n := range states {
		if got := strings.Count(body, `<g class="`+class+`">`); got != n {
			t.Errorf("%d shards are drawn as %s, want %d", got, class, n)
		}
	}
	if states["reading"] < 3 || states["ended"] < 3 {
		t.Errorf("the story has shards %v: it shows too little", states)
	}
	parents := 0
	for _, x := range s.report.Shards {
		for _, p := range x.Parents {
			for _, y := range s.report.Shards {
				if y.ID == p {
					parents++
				}
			}
		}
	}
	if got := strings.Count(body, `<path d="M`) - 2; parents == 0 || got != parents { // and the two curves
		t.Errorf("%d lines of descent are drawn, want %d", got, parents)
	}
	for _, w := range s.report.Workers {
		if !strings.Contains(body, "<td>"+w.ID) {
			t.Errorf("worker %s is not shown", w.ID)
		}
	}
	if !strings.Contains(body, `<span class="pill bad">no beat</span>`) || !strings.Contains(body, `<span class="pill good">reading</span>`) {
		t.Error("the dead worker and the living one are not shown as such")
	}
	for _, want := range []string{`class="seed"`, `class="whole"`, `class="compacted"`, "the last 24 hours", "None is open", "is <span class=\"pill good\">ready</span>"} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is missing; reasons %v", want, s.reasons)
		}
	}
	if len(s.history.Points()) < 60 {
		t.Errorf("%d points of the lag", len(s.history.Points()))
	}
	wellFormed(t, body)
}

func TestThePageShowsAGap(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	s := tell(t, true)
	if s.report.Fleet != fleet.Halted || len(s.report.Gaps) == 0 {
		t.Fatalf("the story has no gap: %s, %d losses", s.report.Fleet, len(s.report.Gaps))
	}
	body := get(New(s.options()), "/").Body.String()
	for _, want := range []string{`<span class="pill bad">` + fleet.Halted, `<g class="halted">`, "is not ready", "<b>gap</b>: shard ", "--on-gap=continue", "positions were lost"} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is missing; reasons %v", want, s.reasons)
		}
	}
	for _, g := range s.report.Gaps {
		if !strings.Contains(body, "<td>"+g.Shard+"<td>"+g.After) {
			t.Errorf("the loss in %s is not shown", g.Shard)
		}
	}
	// The same with a gap of the ledger that is open.
	s.report.Lake.Missing = []ledger.Gap{{Number: 7, State: ledger.GapRepairing, Reason: "trimmed"}}
	if body := get(New(s.options()), "/").Body.String(); !strings.Contains(body, `<td class="n">7<td><span class="pill bad">repairing</span>`) {
		t.Error("the open gap is not shown")
	}
}

// wellFormed reads each picture as XML: a browser forgives much, and shows nothing then.
func wellFormed(t *testing.T, body string) {
	t.Helper()
	pictures := 0
	for {
		_, rest, ok := strings.Cut(body, "<svg")
		if !ok {
			break
		}
		picture, after, ok := strings.Cut(rest, "</svg>")
		if !ok {
			t.Fatal("a picture does not end")
		}
		d := xml.NewDecoder(strings.NewReader("<svg" + picture + "</svg>"))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%v in\n<svg%s</svg>", err, picture)
			}
		}
		pictures, body = pictures+1, after
	}
	if pictures < 5 {
		t.Errorf("%d pictures", pictures)
	}
}
