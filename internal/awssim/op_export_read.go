package awssim

import (
	"encoding/base64"
	"strings"
)

func (c *Cloud) describeExport(call *Call) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	arn := call.in.get("ExportArn").text()
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "dynamodb" || !strings.HasPrefix(parts[5], "table/") || !strings.Contains(parts[5], "/export/") {
		return nil, invalid("Invalid Export ARN")
	}
	if parts[4] != c.cfg.Account {
		return nil, fail(400, "AccessDeniedException", "Access is denied")
	}
	if parts[3] != c.cfg.Region {
		return nil, fail(400, "ExportNotFoundException", "Export not found: Invalid export arn")
	}
	if e := c.findExport(arn); e != nil {
		return e.described(), nil
	}
	return nil, fail(400, "ExportNotFoundException", "Export not found: Export not found: %s", arn)
}

// listExports lists the newest first. Those of a table are found only while it is there.
func (c *Cloud) listExports(call *Call) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	in := call.in
	limit := in.get("MaxResults").int(25)
	if limit < 1 || limit > 25 {
		return nil, refused("MaxResults", in.get("MaxResults").text(), "Member must have value between 1 and 25, inclusive")
	}
	arn := in.get("TableArn").text()
	after := ""
	if n := in.get("NextToken"); n.there() {
		raw, err := base64.RawURLEncoding.DecodeString(n.text())
		if after = string(raw); err != nil || c.findExport(after) == nil {
			return nil, invalid("Invalid Request: Provided nextToken is invalid: %s", n.text())
		}
	}
	b := []byte(`{"ExportSummaries":[`)
	n, last := 0, ""
	for i := len(c.exports) - 1; i >= 0; i-- {
		e := c.exports[i]
		if after != "" {
			if e.arn == after {
				after = ""
			}
			continue
		}
		if arn != "" && (e.t.arn != arn || c.tables[e.t.name] != e.t) {
			continue
		}
		if n == limit {
			b = append(b, ']')
			b = appendField(b, "NextToken", base64.RawURLEncoding.EncodeToString([]byte(last)))
			return append(b, '}'), nil
		}
		if n > 0 {
			b = append(b, ',')
		}
		s := body{'{'}
		s.text("ExportArn", e.arn)
		s.text("ExportStatus", e.status())
		s.text("ExportType", e.kind())
		b = append(append(b, s...), '}')
		n, last = n+1, e.arn
	}
	return append(b, "]}"...), nil
}

// described is the ExportDescription. It has what there is to tell so far, and
// no type for a full export, as in AWS.
func (e *export) described() []byte {
	b := body(`{"ExportDescription":{`)
	b = append(b, `"ExportArn":`...)
	b = appendString(b, e.arn)
	b.text("ExportStatus", e.status())
	b.time("StartTime", e.start)
	b.text("TableArn", e.t.arn)
	b.text("TableId", e.t.id)
	if e.token != "" {
		b.text("ClientToken", e.token)
	}
	b.text("S3Bucket", e.bucket)
	b.text("S3SseAlgorithm", e.sse)
	b.text("ExportFormat", e.format)
	for _, o := range []struct {
		name string
		s    *string
	}{{"S3BucketOwner", e.owner}, {"S3Prefix", e.prefix}, {"S3SseKmsKeyId", e.kms}} {
		if o.s != nil {
			b.text(o.name, *o.s)
		}
	}
	if e.full {
		b.time("ExportTime", e.to)
	} else {
		b.text("ExportType", e.kind())
		spec := body{'{'}
		spec.time("ExportFromTime", e.from)
		spec.time("ExportToTime", e.to)
		spec.text("ExportViewType", e.view)
		b.name("IncrementalExportSpecification")
		b = append(append(b, spec...), '}')
	}
	if e.filter != nil {
		b.name("FilterSpecification")
		b = append(b, e.filter.text...)
	}
	switch e.status() {
	case "COMPLETED":
		b.time("EndTime", e.end)
		b.text("ExportManifest", e.summary)
		b.int("ItemCount", e.items)
		b.int("BilledSizeBytes", e.billed)
	case "FAILED":
		b.time("EndTime", e.end)
		b.text("FailureCode", e.code)
		b.text("FailureMessage", e.fail)
	}
	return append(b, "}}"...)
}
