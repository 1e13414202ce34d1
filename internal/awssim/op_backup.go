package awssim

import (
	"strconv"
	"time"
)

// backedUp finds a table for the calls about backups, which know it by another error.
func (c *Cloud) backedUp(call *Call) (*table, error) {
	name := call.in.get("TableName").text()
	if t := c.tables[tableName(name)]; t != nil {
		return t, nil
	}
	return nil, fail(400, "TableNotFoundException", "Table not found: %s", name)
}

func (c *Cloud) describeContinuousBackups(call *Call) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := c.backedUp(call)
	if err != nil {
		return nil, err
	}
	return t.continuousBackups(time.Now()), nil
}

func (c *Cloud) updateContinuousBackups(call *Call) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	spec := call.in.get("PointInTimeRecoverySpecification")
	on := spec.get("PointInTimeRecoveryEnabled")
	if !on.there() {
		return nil, notNull("pointInTimeRecoverySpecification.pointInTimeRecoveryEnabled")
	}
	days := 35
	if n := spec.get("RecoveryPeriodInDays"); n.there() {
		if days = n.int(0); days < 1 || days > 35 {
			return nil, invalid("1 validation error detected: Value '%s' at 'pointInTimeRecoverySpecification.recoveryPeriodInDays' failed to satisfy constraint: Member must have value between 1 and 35, inclusive", n.text())
		}
	}
	t, err := c.backedUp(call)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if now.Before(t.active.Add(c.cfg.BackupsAfter)) {
		return nil, fail(400, "ContinuousBackupsUnavailableException", "Backups are being enabled for the table: %s. Please retry later", t.name)
	}
	if !on.isTrue() {
		days = 0
	}
	c.setPITR(t, days, now)
	return t.continuousBackups(now), nil
}

func (t *table) continuousBackups(now time.Time) []byte {
	b := []byte(`{"ContinuousBackupsDescription":{"ContinuousBackupsStatus":"ENABLED","PointInTimeRecoveryDescription":{"PointInTimeRecoveryStatus":`)
	if !t.pitr.on {
		return append(b, `"DISABLED"}}}`...)
	}
	b = append(b, `"ENABLED","EarliestRestorableDateTime":`...)
	b = appendTime(b, t.earliest(now))
	b = append(b, `,"LatestRestorableDateTime":`...)
	b = appendTime(b, t.latest(now))
	b = append(b, `,"RecoveryPeriodInDays":`...)
	b = strconv.AppendInt(b, int64(t.pitr.days), 10)
	return append(b, `}}}`...)
}

func notNull(field string) error {
	return invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", field)
}
