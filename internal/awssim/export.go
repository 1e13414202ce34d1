package awssim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// An export is one ExportTableToPointInTime, under way or over. Nothing runs
// meanwhile: the first call at or after due finds it and makes its objects.
type export struct {
	arn, id, token, request string
	t                       *table
	start, due, end         time.Time // end is zero while it is under way

	full       bool
	from, to   time.Time // the window; of a full export both are its time, which is excluded
	view       string    // of an incremental one
	format     string
	bucket     string
	prefix     *string
	owner      *string
	sse        string
	kms        *string
	filter     *exportFilter
	code, fail string // why it fails or failed

	cut     []exportFile // its data, once it is fixed
	summary string       // key of manifest-summary.json, once it is complete
	items   int
	billed  int
}

const (
	exportTokenLife = 8 * time.Hour
	exportLife      = 90 * 24 * time.Hour // of what the API tells of one
)

func (e *export) status() string {
	switch {
	case e.end.IsZero():
		return "IN_PROGRESS"
	case e.code != "":
		return "FAILED"
	}
	return "COMPLETED"
}

func (e *export) kind() string {
	if e.full {
		return "FULL_EXPORT"
	}
	return "INCREMENTAL_EXPORT"
}

// key is where in the bucket an object of the export is. The prefix is taken as it
// is, and no slash is doubled.
func (e *export) key(parts ...string) string {
	path := "AWSDynamoDB/" + strings.Join(parts, "/")
	if e.prefix != nil {
		path = strings.TrimSuffix(*e.prefix, "/") + "/" + path
	}
	return path
}

// begin starts an export that was found to be in order.
func (c *Cloud) begin(e *export, now time.Time) {
	for e.arn == "" || c.findExport(e.arn) != nil {
		c.exported++
		e.id = fmt.Sprintf("0%013d-%08x", e.start.UnixMilli(), uint32(mix(c.cfg.Seed, c.exported)))
		e.arn = e.t.arn + "/export/" + e.id
	}
	// A clock that is behind stamps writes into the window for a while yet.
	e.due = now.Add(max(c.cfg.ExportTakes, c.cfg.ClockSkew))
	c.exports = append(c.exports, e)
	c.running = append(c.running, e)
	if e.token != "" {
		c.exportTokens[e.token] = exportToken{e, now.Add(exportTokenLife)}
	}
	switch b := c.buckets[e.bucket]; {
	case b == nil:
		e.code, e.fail = "S3NoSuchBucket", noSuchBucket
	case e.owner != nil && *e.owner != c.cfg.Account:
		e.code, e.fail = "S3AccessDenied", "Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied)"
	default:
		b.put(e.key(e.id, "_started"), serviceObject(nil, now))
	}
}

const noSuchBucket = "The specified bucket does not exist (Service: Amazon S3; Status Code: 404; Error Code: NoSuchBucket)"

type exportToken struct {
	e     *export
	until time.Time
}

func (c *Cloud) findExport(arn string) *export {
	for _, e := range c.exports {
		if e.arn == arn {
			return e
		}
	}
	return nil
}

// settle ends the exports that are due. Each call begins with it, so whoever looks
// finds what time has brought.
func (c *Cloud) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.running = slices.DeleteFunc(c.running, func(e *export) bool {
		if now.Before(e.due) {
			return false
		}
		c.conclude(e, e.due)
		return true
	})
	if len(c.exports) > 0 && now.Sub(c.exports[0].start) > exportLife {
		c.exports = slices.DeleteFunc(c.exports, func(e *export) bool { return !e.end.IsZero() && now.Sub(e.end) > exportLife })
	}
}

// freeze fixes the data of exports whose table is about to lose its changes.
func (c *Cloud) freeze(t *table) {
	for _, e := range c.running {
		if e.t == t && e.cut == nil {
			e.cut = c.exportData(e)
		}
	}
}

// conclude ends an export: with its objects, the summary last, or with a failure,
// which leaves what was there when it struck.
func (c *Cloud) conclude(e *export, at time.Time) {
	e.end = at
	b := c.buckets[e.bucket]
	if b == nil && e.code == "" {
		e.code, e.fail = "S3NoSuchBucket", noSuchBucket
	}
	if e.cut == nil {
		e.cut = c.exportData(e)
	}
	files := e.cut
	e.cut = nil
	if e.code != "" {
		if b != nil && b.objects[e.key(e.id, "_started")] != nil {
			putFiles(b, files[:len(files)/2], at)
		}
		return
	}
	putFiles(b, files, at)
	for _, f := range files {
		e.items += f.items
	}
	putWithSum(b, e.key(e.id, "manifest-files"), filesManifest(files), at)
	e.summary = e.key(e.id, "manifest-summary.json")
	putWithSum(b, e.key(e.id, "manifest-summary"), e.summaryManifest(c.cfg.ManifestFilter), at)
}

// An ExportInfo is what the cloud knows of an export.
type ExportInfo struct {
	ARN, Table, Status string
	Start, End         time.Time // End is zero while it is under way
	From, To           time.Time // of a full export both are its time
	Full               bool
}

// Exports returns the exports of a table, oldest first, those of its namesakes included.
func (c *Cloud) Exports(table string) []ExportInfo {
	c.settle()
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []ExportInfo
	for _, e := range c.exports {
		if e.t.name == table {
			out = append(out, ExportInfo{e.arn, table, e.status(), e.start, e.end, e.from, e.to, e.full})
		}
	}
	return out
}

// SetExportTakes changes Config.ExportTakes for exports that are asked for from now on.
func (c *Cloud) SetExportTakes(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cfg.ExportTakes = d
}

// FailExport makes an export that is under way fail now. Some of its data is left behind.
func (c *Cloud) FailExport(arn, code, message string) error {
	c.settle()
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.running, func(e *export) bool { return e.arn == arn })
	if i < 0 {
		return fmt.Errorf("awssim: no export %q is under way", arn)
	}
	e := c.running[i]
	e.code, e.fail = code, message
	c.conclude(e, time.Now())
	c.running = slices.Delete(c.running, i, i+1)
	return nil
}
