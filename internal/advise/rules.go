package advise

import (
	"fmt"
	"time"
)

// Finding is what the facts say about a pattern, or about all of them.
type Finding struct {
	Pattern  Pattern `json:"pattern,omitempty"` // empty: all
	RulesOut bool    `json:"rules_out"`         // the pattern cannot be used as things are
	What     string  `json:"what"`
	Fix      string  `json:"fix,omitempty"` // what would change it
}

// Limits of AWS, and times that were seen.
const (
	ShortestWindow = 15 * time.Minute
	LongestWindow  = 24 * time.Hour
	exportTime     = 5 * time.Minute // of the quickest exports
	inFlight       = 100e12          // bytes of tables that may be exported at once
)

// Rules looks at the facts and the plan. What rules a pattern out comes first.
func Rules(f Facts, p Plan) []Finding {
	var out, know []Finding
	veto := func(p Pattern, what, fix string) {
		out = append(out, Finding{p, true, what, fix})
	}
	note := func(p Pattern, what, fix string) {
		know = append(know, Finding{p, false, what, fix})
	}
	freshness(p, veto, note)
	if f.Bytes.Or(0) > inFlight {
		const what = "the table has more than 100 TB, which is what AWS exports at once"
		veto(Full, what, "ask AWS for a higher quota")
		veto(Incremental, what+", and windows begin with a full export", "ask AWS for a higher quota")
		note(Stream, what+": the lake can follow its changes, and cannot begin with its items", "ask AWS for a higher quota")
	}
	streamRules(f, veto, note)
	exportRules(f, p, note)
	if f.Bytes.OK() && *f.Bytes.Value == 0 {
		note("", "the size is 0: the table is empty, or AWS has not counted it yet, which it does every six hours or so; then the costs by size are wrong", "--size and --items if you know them")
	}
	if f.Region != "" && f.Region != p.Prices.Region {
		note("", fmt.Sprintf("the table is in %s and the prices are of %s", f.Region, p.Prices.Region), "give --prices")
	}
	return append(out, know...)
}

// freshness compares how old the lake may be with how old each pattern lets it become:
// what is between two exports, and the export itself.
func freshness(p Plan, veto, note func(Pattern, string, string)) {
	need := p.FreshWithin
	if need == 0 {
		return
	}
	want := fmt.Sprintf("the lake may be %s old at the most, ", short(need))
	switch {
	case need < time.Hour+exportTime:
		veto(Full, want+"and full exports cannot follow each other so fast", "")
	case need < p.FullEvery+exportTime:
		note(Full, fmt.Sprintf("%sand a full export every %s does not keep that", want, short(p.FullEvery)), "a shorter --full-every, at its price")
	}
	switch {
	case need < ShortestWindow+exportTime:
		veto(Incremental, fmt.Sprintf("%sand the shortest window is %s, with an export of %s or more behind it", want, short(ShortestWindow), short(exportTime)), "")
	case need < p.Window+exportTime:
		note(Incremental, fmt.Sprintf("%sand a window of %s does not keep that", want, short(p.Window)), "a shorter --window, at its price")
	}
	if need < p.Flush {
		note(Stream, fmt.Sprintf("%sand files are written every %s", want, short(p.Flush)), "a shorter --flush-interval, at its price")
	}
}

func streamRules(f Facts, veto, note func(Pattern, string, string)) {
	switch view := f.View.Or(""); view {
	case "":
		note(Stream, "whether the stream is on, and with new images, is unknown: "+f.View.From, "")
	case StreamOff:
		note(Stream, "the stream is off", "the commands below turn it on")
	case "KEYS_ONLY", "OLD_IMAGE":
		veto(Stream, fmt.Sprintf("the stream is %s, which does not carry what items became", view),
			"turn it off and on again with NEW_AND_OLD_IMAGES; its other readers lose it, and it gets a new ARN")
	}
	switch on := f.PITR; {
	case !on.OK():
		note("", "whether point-in-time recovery is on is unknown: "+on.From, "")
	case !*on.Value:
		note(Stream, "point-in-time recovery is off: without it there is no first full export, and what the stream loses after 24 hours is lost", "")
	default:
		note(Stream, "point-in-time recovery is on: what the stream loses can be repaired; its cost is not counted here", "")
	}
}

func exportRules(f Facts, p Plan, note func(Pattern, string, string)) {
	if f.PITR.OK() && !*f.PITR.Value {
		const what = "point-in-time recovery is off"
		note(Full, what, "the commands below turn it on")
		note(Incremental, what, "the commands below turn it on; windows can begin after that")
	}
	if bytes := windowBytes(f, p.Window); bytes.OK() && *bytes.Value < leastBilled {
		note(Incremental, fmt.Sprintf("a window of %s has less than 10 MB of changes, and 10 MB are billed", short(p.Window)), "a longer --window costs less")
	}
}
