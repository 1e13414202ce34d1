package advise

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Step is one command to start with.
type Step struct {
	Pattern Pattern `json:"pattern"`
	Command string  `json:"command"`
	Why     string  `json:"why"`
}

// What stands for a table and a lake that were not given.
const (
	NoTable = "TABLE"
	NoLake  = "s3://BUCKET/PREFIX"
)

// Steps are the commands that start a pattern, in order.
func Steps(p Pattern, f Facts, plan Plan) []Step {
	table := cmp.Or(f.Table, NoTable)
	var steps []Step
	add := func(why, format string, args ...any) {
		steps = append(steps, Step{p, fmt.Sprintf(format, args...), why})
	}
	region := ""
	if f.Region != "" {
		region = " --region " + f.Region
	}
	dynamolake := func(why, command, more string) {
		add(why, "dynamolake %s --table %s --lake %s%s", command, table, cmp.Or(plan.Lake, NoLake), more)
	}
	if !f.PITR.Or(false) {
		add("turns point-in-time recovery on, which exports need"+unlessKnown(f.PITR.OK()),
			"aws dynamodb update-continuous-backups%s --table-name %s --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true", region, table)
	}
	bucket := ""
	if strings.HasPrefix(plan.Lake, "file:") {
		bucket = " --export-bucket=BUCKET" // AWS exports to S3 only
	}
	switch p {
	case Full:
		dynamolake("the first full export, converted", "bootstrap", " --no-stream"+bucket)
		dynamolake(fmt.Sprintf("another one; for cron, every %s", short(plan.FullEvery)), "bootstrap", " --no-stream --again"+bucket)
	case Incremental:
		dynamolake("the full export that windows begin with", "bootstrap", " --no-stream"+bucket)
		dynamolake("the windows, from then on", "incremental", " --follow --window="+short(plan.Window)+bucket)
	case Stream:
		if view := f.View.Or(StreamOff); view == StreamOff {
			add("turns the stream on"+unlessKnown(f.View.OK()),
				"aws dynamodb update-table%s --table-name %s --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES", region, table)
		}
		dynamolake(fmt.Sprintf("a worker; start %d of them, on any machines", plan.Workers), "consume", " --flush-interval="+short(plan.Flush))
		dynamolake("the items from before the stream, while the workers read", "bootstrap", bucket)
	}
	return steps
}

func unlessKnown(known bool) string {
	if known {
		return ""
	}
	return "; not needed if it is on already"
}

// short writes a duration without zero parts behind: 24h and not 24h0m0s.
func short(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}
