package advise

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

// tie is an importance that makes two patterns lead.
func tie(t *testing.T) Importance {
	var found Importance
	every(func(im Importance) {
		if found == nil && len(Weigh(im).Leaders(func(Pattern) bool { return false })) == 2 {
			found = Importance{}
			for d, n := range im {
				found[d] = n
			}
		}
	})
	if found == nil {
		t.Fatal("there is none")
	}
	return found
}

func TestTheRecommendationSaysWhy(t *testing.T) {
	t.Run("most points", func(t *testing.T) {
		a := New(facts(), plan())
		if want := "stream export, with 70 points"; a.Why != want || !slices.Equal(a.Recommended, []Pattern{Stream}) {
			t.Errorf("%q, %v", a.Why, a.Recommended)
		}
	})
	t.Run("the best is ruled out", func(t *testing.T) {
		f := facts()
		f.View = Known("KEYS_ONLY", "test")
		if got, want := New(f, plan()).Why, "incremental export, with 64 points; stream export would have as many or more, and is ruled out"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
	t.Run("all are ruled out", func(t *testing.T) {
		f, p := facts(), plan()
		f.View, p.FreshWithin = Known("KEYS_ONLY", "test"), time.Minute
		a := New(f, p)
		if a.Why != "none: each pattern is ruled out" || len(a.Recommended) != 0 || len(a.Steps) != 0 {
			t.Errorf("%q, %v, %v", a.Why, a.Recommended, a.Steps)
		}
	})
	t.Run("a tie is told, with the cheapest, and is not broken", func(t *testing.T) {
		p := plan()
		p.Importance = tie(t)
		a := New(facts(), p)
		if len(a.Recommended) != 2 || !strings.HasPrefix(a.Why, "a tie: ") || !strings.Contains(a.Why, "is the cheapest") {
			t.Errorf("%q, %v", a.Why, a.Recommended)
		}
		for _, r := range a.Recommended {
			if !slices.ContainsFunc(a.Steps, func(s Step) bool { return s.Pattern == r }) {
				t.Errorf("no steps for %s", r)
			}
		}
		f := facts()
		f.Bytes = Unknown[int64]("test")
		if why := New(f, p).Why; strings.Contains(why, "cheapest") {
			t.Errorf("costs are not known, and it says %q", why)
		}
	})
}

func TestSteps(t *testing.T) {
	for _, c := range []struct {
		name    string
		pattern Pattern
		change  func(*Facts, *Plan)
		want    []string
	}{
		{"a stream that is all set", Stream, func(*Facts, *Plan) {}, []string{
			"dynamolake consume --table orders --lake s3://BUCKET/PREFIX --flush-interval=20s",
			"dynamolake bootstrap --table orders --lake s3://BUCKET/PREFIX",
		}},
		{"what is off is turned on first", Stream, func(f *Facts, p *Plan) {
			f.View, f.PITR, p.Lake = Known(StreamOff, "x"), Known(false, "x"), "s3://b/p"
		}, []string{
			"aws dynamodb update-continuous-backups --region eu-west-1 --table-name orders --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true",
			"aws dynamodb update-table --region eu-west-1 --table-name orders --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES",
			"dynamolake consume --table orders --lake s3://b/p --flush-interval=20s",
			"dynamolake bootstrap --table orders --lake s3://b/p",
		}},
		{"full exports", Full, func(*Facts, *Plan) {}, []string{
			"dynamolake bootstrap --table orders --lake s3://BUCKET/PREFIX --no-stream",
			"dynamolake bootstrap --table orders --lake s3://BUCKET/PREFIX --no-stream --again",
		}},
		{"windows, without a table, into a folder", Incremental, func(f *Facts, p *Plan) { f.Table, f.Region, p.Lake = "", "", "file:///lake" }, []string{
			"dynamolake bootstrap --table TABLE --lake file:///lake --no-stream --export-bucket=BUCKET",
			"dynamolake incremental --table TABLE --lake file:///lake --follow --window=1h --export-bucket=BUCKET",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, p := facts(), plan()
			c.change(&f, &p)
			var got []string
			for _, s := range Steps(c.pattern, f, p) {
				got = append(got, s.Command)
				if s.Why == "" || s.Pattern != c.pattern {
					t.Errorf("%+v", s)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestAdviceAsJSON(t *testing.T) {
	text, err := json.Marshal(New(facts(), plan()))
	if err != nil {
		t.Fatal(err)
	}
	var a struct {
		Plan   map[string]any
		Matrix struct{ Totals []Total }
		Costs  []struct{ Monthly *float64 }
		Steps  []Step
	}
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	if a.Plan["window_seconds"] != 3600.0 || a.Matrix.Totals[2].Points != 70 || len(a.Costs) != 3 || a.Costs[0].Monthly == nil || len(a.Steps) != 2 {
		t.Errorf("%s", text)
	}
}
