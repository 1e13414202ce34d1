package ledger

import "time"

// Timing is what DynamoDB keeps and allows, and what clocks may differ by.
type Timing struct {
	// Skew is allowed for between DynamoDB's clock in one partition, in another, in the
	// stream, and the local one. The service promises a minute.
	Skew time.Duration
	// Overlap is how long before an export's time the stream must have begun.
	Overlap time.Duration
	// Safe is how old a window's end must be before it is asked for.
	Safe time.Duration
	// MinWindow and MaxWindow bound the length of a window.
	MinWindow, MaxWindow time.Duration
	// Retention is how long the stream keeps a record.
	Retention time.Duration
	// Resolution of the times that the API takes.
	Resolution time.Duration
}

// RealTiming is that of DynamoDB.
func RealTiming() Timing {
	return Timing{
		Skew: 2 * time.Minute, Overlap: 5 * time.Minute, Safe: 5 * time.Minute,
		MinWindow: 15 * time.Minute, MaxWindow: 24 * time.Hour,
		Retention: 24 * time.Hour, Resolution: time.Second,
	}
}

func (t Timing) down(at time.Time) time.Time { return at.UTC().Truncate(t.Resolution) }

func (t Timing) up(at time.Time) time.Time {
	d := t.down(at)
	if d.Before(at) {
		d = d.Add(t.Resolution)
	}
	return d
}
