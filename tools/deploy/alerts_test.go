package deploy

import (
	"encoding/json"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

func rules(t *testing.T) []rulefmt.Rule {
	t.Helper()
	text, err := os.ReadFile("../../deploy/prometheus/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	groups, errs := rulefmt.Parse(text, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	for _, err := range errs {
		t.Error(err)
	}
	if groups == nil || len(groups.Groups) == 0 {
		t.Fatal("there are no rules")
	}
	return groups.Groups[0].Rules
}

func TestDashboardExpressionsParse(t *testing.T) {
	text, err := os.ReadFile("../../deploy/grafana/dashboards/dynamolake.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Templating struct{ List []struct{ Name string } }
		Panels     []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, v := range d.Templating.List {
		names = append(names, v.Name)
	}
	if want := []string{"datasource", "job", "namespace", "table"}; !slices.Equal(names, want) {
		t.Errorf("the variables are %v, want %v", names, want)
	}
	n := 0
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			n++
			expr := strings.NewReplacer("$__rate_interval", "1m", "$job", "dynamolake", "$namespace", "n", "$table", "orders").Replace(target.Expr)
			parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
			if err != nil {
				t.Errorf("panel %q: %v", p.Title, err)
				continue
			}
			// Of one fleet and one table: two of them in a sum or a minimum say nothing of either. A Prometheus outside Kubernetes has
			// no namespaces: the variable is empty then, which matches series without that label.
			parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
				v, is := node.(*parser.VectorSelector)
				if !is {
					return nil
				}
				labels := map[string]string{}
				for _, m := range v.LabelMatchers {
					labels[m.Name] = m.Value
				}
				if labels["job"] != "dynamolake" || labels["namespace"] != "n" || labels["table"] != "orders" {
					t.Errorf("panel %q mixes fleets: %s", p.Title, v)
				}
				return nil
			})
		}
	}
	if n < 20 {
		t.Errorf("%d expressions", n)
	}
}

// line is a series that goes from one value to another over the hours that are looked at.
type line struct {
	series       string
	from, to     float64
	begins, ends time.Duration // when it is there; ends is 0 where it does not end
}

// TestAlertsFire shows each alert a fleet that is well, and then the one thing it is for.
func TestAlertsFire(t *testing.T) {
	const on = `{job="dynamolake",instance="a"`
	well := func(metric, more string) line {
		value := map[string]float64{"up": 1, "dynamolake_consumer_headroom_seconds": 86390, "dynamolake_consumer_lag_seconds": 10}[metric]
		return line{series: metric + on + more + "}", from: value, to: value}
	}
	healthy := []line{well("up", "")}
	for _, metric := range []string{
		"dynamolake_consumer_headroom_seconds", "dynamolake_consumer_lag_seconds", "dynamolake_consumer_rejects_total", "dynamolake_bootstrap_rejects_total",
		"dynamolake_consumer_write_failures_total", "dynamolake_consumer_read_failures_total", "dynamolake_consumer_throttled_total", "dynamolake_leases_lost_total",
		"dynamolake_leases_fenced_total", "dynamolake_consumer_conflicts_total", "dynamolake_consumer_panics_total", "dynamolake_bootstrap_exports_failed_total",
		"dynamolake_bootstrap_old_images_mismatched_total", "dynamolake_bootstrap_damaged_reads_total",
	} {
		healthy = append(healthy, well(metric, ""))
	}
	for _, state := range []string{"open", "repairing", "closed", "lost"} {
		healthy = append(healthy, well("dynamolake_ledger_gaps", `,state="`+state+`"`))
	}
	for _, reason := range []string{"starting", "stalled"} {
		healthy = append(healthy, well("dynamolake_consumer_unready", `,reason="`+reason+`"`))
	}
	healthy = append(healthy, line{series: `dynamolake_table_up` + on + `,table="orders"}`, from: 1, to: 1})
	sick := map[string]line{
		"NoWorker":         {series: `up` + on + "}", from: 0, to: 0},
		"WorkerDown":       {series: `up` + on + "}", from: 0, to: 0},
		"HeadroomLow":      {series: `dynamolake_consumer_headroom_seconds` + on + "}", from: 21000, to: 21000},
		"HeadroomCritical": {series: `dynamolake_consumer_headroom_seconds` + on + "}", from: 3000, to: 3000},
		"LagHigh":          {series: `dynamolake_consumer_lag_seconds` + on + "}", from: 1000, to: 1000},
		"GapOpen":          {series: `dynamolake_ledger_gaps` + on + `,state="open"}`, from: 1, to: 1},
		"GapRepairSlow":    {series: `dynamolake_ledger_gaps` + on + `,state="repairing"}`, from: 1, to: 1},
		"GapLost":          {series: `dynamolake_ledger_gaps` + on + `,state="lost"}`, from: 1, to: 1},
		"Rejects":          {series: `dynamolake_consumer_rejects_total` + on + "}", from: 0, to: 20},
		"WriteFailures":    {series: `dynamolake_consumer_write_failures_total` + on + "}", from: 0, to: 1000},
		"ReadFailures":     {series: `dynamolake_consumer_read_failures_total` + on + "}", from: 0, to: 10000},
		"Throttled":        {series: `dynamolake_consumer_throttled_total` + on + "}", from: 0, to: 100000},
		"LeasesLost":       {series: `dynamolake_leases_lost_total` + on + "}", from: 0, to: 200},
		"Fenced":           {series: `dynamolake_leases_fenced_total` + on + "}", from: 0, to: 200},
		"Conflicts":        {series: `dynamolake_consumer_conflicts_total` + on + "}", from: 0, to: 400},
		"NotReady":         {series: `dynamolake_consumer_unready` + on + `,reason="stalled"}`, from: 1, to: 1},
		"TableDown":        {series: `dynamolake_table_up` + on + `,table="orders"}`, from: 0, to: 0},
		"Panics":           {series: `dynamolake_consumer_panics_total` + on + "}", from: 0, to: 20},
		"ExportsFailed":    {series: `dynamolake_bootstrap_exports_failed_total` + on + "}", from: 0, to: 20},
		"OldImagesDiffer":  {series: `dynamolake_bootstrap_old_images_mismatched_total` + on + "}", from: 0, to: 20},
		"DamagedReads":     {series: `dynamolake_bootstrap_damaged_reads_total` + on + "}", from: 0, to: 200},
	}
	seen := map[string]bool{}
	for _, r := range rules(t) {
		name := strings.TrimPrefix(r.Alert, "Dynamolake")
		seen[name] = true
		t.Run(name, func(t *testing.T) {
			if fires(t, r.Expr, time.Duration(r.For), healthy) {
				t.Error("it fires of a fleet that is well")
			}
			wrong, is := sick[name]
			if !is {
				t.Fatal("no line of sick shows it what it is for")
			}
			lines := []line{wrong}
			for _, l := range healthy {
				if l.series != wrong.series {
					lines = append(lines, l)
				}
			}
			if !fires(t, r.Expr, time.Duration(r.For), lines) {
				t.Error("it does not fire")
			}
			// A worker that repairs nothing has no metrics of exports, and one that only exports none of a stream.
			if !fires(t, r.Expr, time.Duration(r.For), []line{healthy[0], wrong}[min(strings.Count(wrong.series, "up{"), 1):]) {
				t.Error("it does not fire where no other series is")
			}
		})
	}
	for name := range sick {
		if !seen[name] {
			t.Errorf("there is no alert %s", name)
		}
	}
}

// TestAlertsThatMustNotSleep are cases which one series at a time does not show.
func TestAlertsThatMustNotSleep(t *testing.T) {
	up := func(instance string) line {
		return line{series: `up{job="dynamolake",instance="` + instance + `"}`, from: 1, to: 1}
	}
	of := func(metric, instance, table, more string, value float64) line {
		return line{series: metric + `{job="dynamolake",instance="` + instance + `",table="` + table + `"` + more + "}", from: value, to: value}
	}
	const unready, starting = "dynamolake_consumer_unready", `,reason="starting"`
	ended := func(l line, at time.Duration) line { l.ends = at; return l }
	begun := func(l line, at time.Duration) line { l.begins = at; return l }
	for _, c := range []struct {
		name, alert string
		lines       []line
		want        bool
	}{
		{"a fleet is gone, and another lives", "NoWorker", []line{up("b"), of(unready, "b", "users", starting, 0), ended(of(unready, "a", "orders", starting, 0), watched-time.Hour)}, true},
		{"one worker of two is gone", "NoWorker", []line{up("b"), of(unready, "b", "orders", starting, 0), ended(of(unready, "a", "orders", starting, 0), watched-time.Hour)}, false},
		{"a worker never begins to read", "NotReady", []line{up("a"), of(unready, "a", "orders", starting, 1)}, true},
		{"records were refused before the first scrape", "Rejects", []line{begun(of("dynamolake_consumer_rejects_total", "a", "orders", "", 3), watched-30*time.Minute)}, true},
		{"records were refused long ago", "Rejects", []line{of("dynamolake_consumer_rejects_total", "a", "orders", "", 3)}, false},
		{"lines of an export were refused before the first scrape", "Rejects", []line{begun(of("dynamolake_bootstrap_rejects_total", "a", "orders", "", 3), watched-30*time.Minute)}, true},
		{"a window did not fit before the first scrape", "OldImagesDiffer", []line{begun(of("dynamolake_bootstrap_old_images_mismatched_total", "a", "orders", "", 1), watched-30*time.Minute)}, true},
		{"a bug stopped a shard before the first scrape", "Panics", []line{begun(of("dynamolake_consumer_panics_total", "a", "orders", "", 1), watched-30*time.Minute)}, true},
		{"an export failed before the first scrape", "ExportsFailed", []line{begun(of("dynamolake_bootstrap_exports_failed_total", "a", "orders", "", 1), watched-30*time.Minute)}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range rules(t) {
				if r.Alert == "Dynamolake"+c.alert {
					if got := fires(t, r.Expr, time.Duration(r.For), c.lines); got != c.want {
						t.Errorf("%s fires: %v, want %v", r.Alert, got, c.want)
					}
				}
			}
		})
	}
}

// TestAlertsSayWhichTable: several fleets, or one of several tables, are one job.
func TestAlertsSayWhichTable(t *testing.T) {
	for _, r := range rules(t) {
		for _, by := range regexp.MustCompile(`by \(([^)]*)\)`).FindAllStringSubmatch(r.Expr, -1) {
			if !strings.Contains(by[1], "table") {
				t.Errorf("%s goes by %s, which does not say whose table it is", r.Alert, by[1])
			}
		}
	}
}

const watched = 8 * time.Hour

// fires evaluates an alert every minute, as Prometheus does, and tells whether it held for its time at the end.
func fires(t *testing.T, expr string, forTime time.Duration, lines []line) bool {
	t.Helper()
	var series []storage.Series
	begin := time.Unix(0, 0)
	for _, l := range lines {
		lset, err := parser.NewParser(parser.Options{}).ParseMetric(l.series)
		if err != nil {
			t.Fatal(err)
		}
		var samples []chunks.Sample
		for at := l.begins; at <= watched && (l.ends == 0 || at <= l.ends); at += 15 * time.Second {
			samples = append(samples, sample{at: at.Milliseconds(), value: l.from + (l.to-l.from)*float64(at)/float64(watched)})
		}
		series = append(series, storage.NewListSeries(lset, samples))
	}
	db := &storage.MockQueryable{MockQuerier: &storage.MockQuerier{SelectMockFunction: func(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
		var some []storage.Series
		for _, s := range series {
			fits := true
			for _, m := range matchers {
				fits = fits && m.Matches(s.Labels().Get(m.Name))
			}
			if fits {
				some = append(some, s)
			}
		}
		return &set{some, -1}
	}}}
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e7, Timeout: time.Minute, Parser: parser.NewParser(parser.Options{})})
	defer engine.Close()
	end := begin.Add(watched)
	q, err := engine.NewRangeQuery(t.Context(), db, nil, expr, end.Add(-forTime), end, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	result := q.Exec(t.Context())
	m, err := result.Matrix()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range m {
		if len(s.Floats) == int(forTime/time.Minute)+1 {
			return true
		}
	}
	return false
}

// set is a storage.SeriesSet.
type set struct {
	series []storage.Series
	at     int
}

func (s *set) Next() bool                        { s.at++; return s.at < len(s.series) }
func (s *set) At() storage.Series                { return s.series[s.at] }
func (s *set) Err() error                        { return nil }
func (s *set) Warnings() annotations.Annotations { return nil }

// sample is a chunks.Sample of a float.
type sample struct {
	chunks.Sample
	at    int64
	value float64
}

func (s sample) T() int64                 { return s.at }
func (s sample) ST() int64                { return 0 }
func (s sample) F() float64               { return s.value }
func (s sample) Type() chunkenc.ValueType { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample      { return s }
