package awssim_test

import (
	"fmt"
	"testing"
	"time"

	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func (w *world) setRecovery(on bool, days *int32) (*types.PointInTimeRecoveryDescription, error) {
	out, err := w.db.UpdateContinuousBackups(w.t.Context(), &dynamodb.UpdateContinuousBackupsInput{
		TableName: aws.String("orders"), PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: &on, RecoveryPeriodInDays: days},
	})
	if err != nil {
		return nil, err
	}
	return out.ContinuousBackupsDescription.PointInTimeRecoveryDescription, nil
}

// recovery is "off", or the earliest and the latest time as minutes since the start.
func (w *world) recovery(start time.Time) string {
	w.t.Helper()
	out, err := w.db.DescribeContinuousBackups(w.t.Context(), &dynamodb.DescribeContinuousBackupsInput{TableName: aws.String("orders")})
	if err != nil {
		w.t.Fatal(err)
	}
	d := out.ContinuousBackupsDescription.PointInTimeRecoveryDescription
	if d.PointInTimeRecoveryStatus != types.PointInTimeRecoveryStatusEnabled {
		return "off"
	}
	return fmt.Sprintf("%g to %g, %d days", d.EarliestRestorableDateTime.Sub(start).Minutes(), d.LatestRestorableDateTime.Sub(start).Minutes(), *d.RecoveryPeriodInDays)
}

func TestRecoveryIsTurnedOnAndOff(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newWorld(t, awssim.Config{})
		start := time.Now()
		want := func(what, want string) {
			t.Helper()
			if got := w.recovery(start); got != want {
				t.Errorf("%s: %s, want %s", what, got, want)
			}
		}
		want("a new table", "off")
		if _, err := w.setRecovery(true, nil); !says(err, "ContinuousBackupsUnavailableException", "Backups are being enabled for the table: orders") {
			t.Errorf("on a new table: %v", err)
		}
		time.Sleep(time.Minute)
		if _, err := w.full(); !says(err, "PointInTimeRecoveryUnavailableException", "Point in time recovery is not enabled for table 'orders'") {
			t.Errorf("export without recovery: %v", err)
		}
		if _, err := w.setRecovery(true, aws.Int32(36)); code(err) != "ValidationException" {
			t.Errorf("36 days: %v", err)
		}
		if d, err := w.setRecovery(true, nil); err != nil || d.PointInTimeRecoveryStatus != "ENABLED" {
			t.Fatalf("%v, error %v", d, err)
		}
		want("turned on", "1 to 1, 35 days")
		time.Sleep(3 * time.Minute)
		want("3 min later", "1 to 1, 35 days")
		time.Sleep(7 * time.Minute)
		want("10 min later", "1 to 6, 35 days")
		if _, err := w.setRecovery(true, aws.Int32(1)); err != nil {
			t.Fatal(err)
		}
		want("turned on again", "1 to 6, 1 days")
		time.Sleep(48 * time.Hour)
		want("2 days later", "1451 to 2886, 1 days")
		if _, err := w.setRecovery(true, aws.Int32(35)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		want("with more days", "1451 to 2946, 35 days")
		if _, err := w.setRecovery(false, nil); err != nil {
			t.Fatal(err)
		}
		want("turned off", "off")
		time.Sleep(time.Minute)
		if _, err := w.setRecovery(true, nil); err != nil {
			t.Fatal(err)
		}
		want("turned on anew", "2952 to 2952, 35 days")
	})
}

func TestTheDelayOfRecoveryCanBeLeftOut(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newWorld(t, awssim.Config{BackupsAfter: -1})
		if _, err := w.setRecovery(true, nil); err != nil {
			t.Error(err)
		}
	})
}

// What was written before recovery counts as written before all time.
func TestWhatWasThereBeforeRecoveryIsTheBase(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newWorld(t, awssim.Config{ClockSkew: time.Minute})
		w.put("a", "1")
		time.Sleep(time.Second)
		if err := w.SetPITR("orders", 1); err != nil {
			t.Fatal(err)
		}
		at := time.Now()
		time.Sleep(2 * time.Minute)
		w.put("a", "2")
		for i := range 5 { // the recovery period passes over the write
			got, err := w.ItemsAt("orders", at)
			switch {
			case i < 4 && (err != nil || got[`{"pk":{"S":"a"}}`] != `{"pk":{"S":"a"},"v":{"N":"1"}}`):
				t.Errorf("%d: %v, error %v", i, got, err)
			case i == 4 && err == nil:
				t.Errorf("%d: %v is still known", i, got)
			}
			time.Sleep(7 * time.Hour)
			w.put(fmt.Sprint(i), "1")
		}
	})
}
