package advise

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWhatIsRuledOut(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Facts, *Plan)
		want   []Pattern
	}{
		{"nothing, as things should be", func(*Facts, *Plan) {}, nil},
		{"a stream of keys", func(f *Facts, _ *Plan) { f.View = Known("KEYS_ONLY", "x") }, []Pattern{Stream}},
		{"a stream of old images", func(f *Facts, _ *Plan) { f.View = Known("OLD_IMAGE", "x") }, []Pattern{Stream}},
		{"not one of new images", func(f *Facts, _ *Plan) { f.View = Known("NEW_IMAGE", "x") }, nil},
		{"not one that is off: it can be turned on", func(f *Facts, _ *Plan) { f.View = Known(StreamOff, "x") }, nil},
		{"not one that is unknown", func(f *Facts, _ *Plan) { f.View = Unknown[string]("x") }, nil},
		{"exports of more than 100 TB", func(f *Facts, _ *Plan) { f.Bytes = Known(int64(100e12+1), "x") }, []Pattern{Full, Incremental}},
		{"not of 100 TB", func(f *Facts, _ *Plan) { f.Bytes = Known(int64(100e12), "x") }, nil},
		{"exports, where seconds count", func(_ *Facts, p *Plan) { p.FreshWithin = time.Minute }, []Pattern{Full, Incremental}},
		{"windows, where it is less than 15 min", func(_ *Facts, p *Plan) { p.FreshWithin = 15*time.Minute - time.Second }, []Pattern{Full, Incremental}},
		{"windows too, where an export does not fit in", func(_ *Facts, p *Plan) { p.FreshWithin = 19 * time.Minute }, []Pattern{Full, Incremental}},
		{"full exports only, where it is 20 min", func(_ *Facts, p *Plan) { p.FreshWithin = 20 * time.Minute }, []Pattern{Full}},
		{"nothing, where a day is soon enough", func(_ *Facts, p *Plan) { p.FreshWithin = 25 * time.Hour }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, p := facts(), plan()
			c.change(&f, &p)
			a := New(f, p)
			var got []Pattern
			for _, pattern := range Patterns() {
				if a.RuledOut(pattern) {
					got = append(got, pattern)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%v are ruled out, want %v", got, c.want)
			}
			for _, r := range a.Recommended {
				if slices.Contains(c.want, r) {
					t.Errorf("%s is ruled out and recommended", r)
				}
			}
			if i := slices.IndexFunc(a.Findings, func(f Finding) bool { return !f.RulesOut }); i >= 0 && slices.ContainsFunc(a.Findings[i:], func(f Finding) bool { return f.RulesOut }) {
				t.Errorf("what rules out does not come first: %+v", a.Findings)
			}
		})
	}
}

func TestWhatIsNoted(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*Facts, *Plan)
		pattern Pattern
		want    string
	}{
		{"small windows", func(f *Facts, _ *Plan) { f.Writes = Known(1.0, "x") }, Incremental, "less than 10 MB"},
		{"a window too long for the wish", func(_ *Facts, p *Plan) { p.FreshWithin = 30 * time.Minute }, Incremental, "a window of 1h does not keep that"},
		{"full exports too rare for the wish", func(_ *Facts, p *Plan) { p.FreshWithin = 6 * time.Hour }, Full, "every 24h does not keep that"},
		{"a flush too rare for the wish", func(_ *Facts, p *Plan) { p.FreshWithin = time.Second }, Stream, "every 20s"},
		{"no stream", func(f *Facts, _ *Plan) { f.View = Known(StreamOff, "x") }, Stream, "the stream is off"},
		{"an unknown stream", func(f *Facts, _ *Plan) { f.View = Unknown[string]("denied") }, Stream, "unknown: denied"},
		{"no recovery for exports", func(f *Facts, _ *Plan) { f.PITR = Known(false, "x") }, Incremental, "point-in-time recovery is off"},
		{"no recovery for a stream", func(f *Facts, _ *Plan) { f.PITR = Known(false, "x") }, Stream, "is lost"},
		{"an unknown recovery", func(f *Facts, _ *Plan) { f.PITR = Unknown[bool]("denied") }, "", "unknown: denied"},
		{"a table that was not counted yet", func(f *Facts, _ *Plan) { f.Bytes = Known(int64(0), "x") }, "", "AWS has not counted it yet"},
		{"prices of elsewhere", func(f *Facts, _ *Plan) { f.Region = "us-east-1" }, "", "prices are of eu-west-1"},
		{"a huge table's stream", func(f *Facts, _ *Plan) { f.Bytes = Known(int64(200e12), "x") }, Stream, "cannot begin with its items"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, p := facts(), plan()
			c.change(&f, &p)
			if findings := Rules(f.Complete(), p); !slices.ContainsFunc(findings, func(f Finding) bool {
				return f.Pattern == c.pattern && !f.RulesOut && strings.Contains(f.What, c.want)
			}) {
				t.Errorf("no note on %q with %q: %+v", c.pattern, c.want, findings)
			}
		})
	}
}
