package awssim

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const longestWindow = 24 * time.Hour

var (
	exportBucket = regexp.MustCompile(`^[a-z0-9A-Z]+[\.\-\w]*[a-z0-9A-Z]+$`)
	accountID    = regexp.MustCompile(`^[0-9]{12}$`)
)

func (c *Cloud) exportTableToPointInTime(call *Call) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	e, err := readExport(call.in)
	if err != nil {
		return nil, err
	}
	if e.t, err = c.exportedTable(call.in.get("TableArn").text()); err != nil {
		return nil, err
	}
	if e.filter, err = c.filter(call.in.get("FilterSpecification"), e.t); err != nil {
		return nil, err
	}
	if used := c.exportTokens[e.token]; used.e != nil && now.Before(used.until) {
		if used.e.request != e.request {
			return nil, fail(400, "ExportConflictException", "Export conflict: Duplicate request detected with conflicting parameters")
		}
		return used.e.described(), nil
	}
	if err := e.place(call.in, now, c.cfg.ExportWindow); err != nil {
		return nil, err
	}
	if len(c.running) >= c.cfg.ExportLimit {
		return nil, fail(400, "LimitExceededException", "Too many concurrent exports: at most %d may be under way", c.cfg.ExportLimit)
	}
	c.begin(e, now)
	return e.described(), nil
}

// exportedTable finds the table that a TableArn names.
func (c *Cloud) exportedTable(arn string) (*table, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "dynamodb" || !strings.HasPrefix(parts[5], "table/") {
		return nil, invalid("One or more parameter values were invalid: tableArn is not a valid ARN")
	}
	if strings.Count(parts[5], "/") != 1 {
		return nil, invalid("Invalid Request: Table ARN is invalid.")
	}
	if parts[4] != c.cfg.Account {
		return nil, fail(400, "AccessDeniedException", "Access is denied")
	}
	t := c.tables[strings.TrimPrefix(parts[5], "table/")]
	if t == nil || parts[3] != c.cfg.Region || time.Now().Before(t.active) {
		return nil, fail(400, "TableNotFoundException", "Table not found: %s", arn)
	}
	return t, nil
}

// readExport reads a request as far as it can be judged without its table.
func readExport(in node) (*export, error) {
	e := &export{
		token: in.get("ClientToken").text(), request: string(in.append(nil)),
		bucket: in.get("S3Bucket").text(), prefix: optional(in, "S3Prefix"), owner: optional(in, "S3BucketOwner"),
		kms: optional(in, "S3SseKmsKeyId"),
	}
	for _, name := range []string{"TableArn", "S3Bucket"} {
		if !in.get(name).there() {
			return nil, notNull(lowerFirst(name))
		}
	}
	for _, name := range []string{"TableArn", "S3Bucket", "S3Prefix", "ClientToken", "S3SseKmsKeyId"} {
		if n := in.get(name); n.there() && n.text() == "" {
			return nil, refused(name, "", "Member must have length greater than or equal to 1")
		}
	}
	for _, c := range []struct {
		name string
		ok   bool
		rule string
	}{
		{"S3Bucket", exportBucket.MatchString(e.bucket), "Member must satisfy regular expression pattern: " + exportBucket.String()},
		{"S3Bucket", len(e.bucket) <= 255, "Member must have length less than or equal to 255"},
		{"S3Prefix", len(in.get("S3Prefix").text()) <= 1024, "Member must have length less than or equal to 1024"},
		{"ClientToken", !strings.Contains(e.token, "$"), `Member must satisfy regular expression pattern: ^[^\$]+$`},
		{"S3BucketOwner", e.owner == nil || accountID.MatchString(*e.owner), "Member must satisfy regular expression pattern: " + accountID.String()},
	} {
		if !c.ok {
			return nil, refused(c.name, in.get(c.name).text(), c.rule)
		}
	}
	var kind string
	spec := in.get("IncrementalExportSpecification")
	for _, c := range []struct {
		to     *string
		in     node
		name   string
		values []string // the first is the default
	}{
		{&e.format, in, "ExportFormat", []string{"DYNAMODB_JSON", "ION"}},
		{&kind, in, "ExportType", []string{"FULL_EXPORT", "INCREMENTAL_EXPORT"}},
		{&e.sse, in, "S3SseAlgorithm", []string{"AES256", "KMS"}},
		{&e.view, spec, "ExportViewType", []string{"NEW_AND_OLD_IMAGES", "NEW_IMAGE"}},
	} {
		*c.to = c.values[0]
		if n := c.in.get(c.name); n.there() {
			if *c.to = n.text(); !slices.Contains(c.values, n.text()) {
				return nil, refused(c.name, n.text(), "Member must satisfy enum value set: ["+strings.Join(c.values, ", ")+"]")
			}
		}
	}
	e.full = kind == "FULL_EXPORT"
	switch {
	case e.kms != nil && e.sse != "KMS":
		return nil, invalid("Invalid Request: KMS Key Id is not supported for this encryption type")
	case spec.there() && !in.get("ExportType").there():
		return nil, invalid("Invalid Request: Export Type expected to be Incremental Export when incremental export specification is provided")
	case spec.there() && e.full:
		return nil, invalid("Invalid Request: When Export Type is Full Export , Incremental Export Specification should not be provided")
	case !e.full && !spec.there():
		return nil, invalid("Invalid Request: Incremental Export Specification expected when export type is set as Incremental Export")
	case !e.full && !spec.get("ExportFromTime").there():
		return nil, invalid("Invalid Request: ExportFromTime must be provided in IncrementalExportSpecification")
	case !e.full && in.get("ExportTime").there():
		return nil, invalid("Invalid Request: When Export Type is Incremental Export, Export Time should not be provided")
	}
	return e, nil
}

// place sets the export's times, which its table must still know.
func (e *export) place(in node, now time.Time, shortest time.Duration) error {
	earliest := e.t.earliest(now)
	unknown := fail(400, "InvalidExportTimeException", "Point in Time Recovery is not available for specified export time")
	off := fail(400, "PointInTimeRecoveryUnavailableException", "Point in time recovery is not enabled for table '%s'", e.t.name)
	if e.full {
		e.start = now.Truncate(time.Millisecond)
		at, given := epoch(in.get("ExportTime"))
		if !given {
			at = e.start
		}
		e.from, e.to = at, at
		switch {
		case !e.t.pitr.on:
			return off
		case at.After(now) || at.Before(e.t.created.Truncate(time.Second)):
			return fail(400, "InvalidExportTimeException", "Export Time is invalid")
		case given && at.Before(earliest):
			return unknown
		}
		return nil
	}
	spec := in.get("IncrementalExportSpecification")
	e.start = now.Truncate(time.Second)
	e.from, _ = epoch(spec.get("ExportFromTime"))
	e.from = e.from.Truncate(time.Second)
	to, given := epoch(spec.get("ExportToTime"))
	if !given {
		to = now
	}
	e.to = to.Truncate(time.Second)
	wrong := func(format string, args ...any) error {
		return fail(400, "InvalidExportTimeException", format, args...)
	}
	switch window := e.to.Sub(e.from); {
	case e.from.Before(e.t.created.Truncate(time.Second)):
		return wrong("Incremental export period from time cannot be less than the table creation time : %s", e.from.UTC().Format(time.RFC3339))
	case !e.t.pitr.on:
		return off
	case to.After(now):
		return wrong("Incremental export period to time cannot be greater than the current time : %s", to.UTC().Format(time.RFC3339))
	case window < shortest:
		return wrong("Difference between export period from time and export period to time is less than %d minutes", int(shortest.Minutes()))
	case window > longestWindow:
		return wrong("Difference between export period from time and export period to time is greater than 24 hours")
	case e.from.Before(earliest):
		return unknown
	}
	return nil
}

// epoch reads seconds since 1970, to the millisecond.
func epoch(n node) (time.Time, bool) {
	s, err := strconv.ParseFloat(n.text(), 64)
	if !n.there() || err != nil {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(math.Round(s * 1000))), true
}

func optional(in node, name string) *string {
	if n := in.get(name); n.there() {
		s := n.text()
		return &s
	}
	return nil
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

func refused(name, text, rule string) error {
	return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", text, lowerFirst(name), rule)
}
