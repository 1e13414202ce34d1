package bootstrap

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithymw "github.com/aws/smithy-go/middleware"
)

// recovery is a table's point-in-time recovery.
type recovery struct {
	on       bool
	earliest time.Time
	now      time.Time // by AWS's clock, to the second
}

// recovery asks for it.
func (w *workshop) recovery(ctx context.Context) (recovery, error) {
	out, err := w.DynamoDB.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &w.Table.Name})
	if err != nil {
		return recovery{}, w.explain("look at point-in-time recovery of table "+w.Table.Name, "DescribeContinuousBackups", err)
	}
	r := recovery{now: clock(out.ResultMetadata)}
	if d := out.ContinuousBackupsDescription; d != nil {
		if p := d.PointInTimeRecoveryDescription; p != nil {
			r.on = p.PointInTimeRecoveryStatus == types.PointInTimeRecoveryStatusEnabled
			r.earliest = aws.ToTime(p.EarliestRestorableDateTime)
		}
	}
	return r, nil
}

// clock is the service's time as an answer tells it.
func clock(m smithymw.Metadata) time.Time {
	if at, ok := middleware.GetServerTime(m); ok && !at.IsZero() {
		return at
	}
	return time.Now()
}

// enableRecovery turns it on and waits until it is.
func (w *workshop) enableRecovery(ctx context.Context) (recovery, error) {
	for asked := false; ; {
		r, err := w.recovery(ctx)
		if err != nil || r.on {
			return r, err
		}
		if !asked {
			_, err = w.DynamoDB.UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{
				TableName:                        &w.Table.Name,
				PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)},
			})
			err = w.explain("turn on point-in-time recovery of table "+w.Table.Name, "UpdateContinuousBackups", err)
			if err != nil && !errors.Is(err, errSettling) {
				return recovery{}, err
			}
			if asked = err == nil; asked {
				w.Log.Info("turned on point-in-time recovery")
				continue
			}
		}
		if err := pause(ctx, min(w.Poll, settleEvery)); err != nil {
			return recovery{}, err
		}
	}
}

// settleEvery is how often it is asked whether a setting has taken effect.
const settleEvery = 5 * time.Second

// pitrOff is the advice where it is off.
func (w *workshop) pitrOff() error {
	return &Advice{
		What: "point-in-time recovery is off for table " + w.Table.Name,
		Fix:  "exports need it; turn it on with: " + enablePITR(w.Table),
	}
}

// streamOn returns the table with its stream turned on, and its newest ARN.
func (w *workshop) streamOn(ctx context.Context, enable bool) (Table, error) {
	for asked := false; ; {
		t, err := Describe(ctx, w.DynamoDB, w.Table.Name)
		switch {
		case err != nil:
			return Table{}, err
		case t.StreamView == "NEW_AND_OLD_IMAGES" || t.StreamView == "NEW_IMAGE" && !w.OldImage:
			return t, nil
		case t.StreamView != "":
			return Table{}, &Advice{
				What: "the stream of table " + t.Name + " is " + t.StreamView + " and cannot feed the lake",
				Fix: "change it with: aws dynamodb update-table --region " + t.Region + " --table-name " + t.Name +
					" --stream-specification StreamEnabled=false && " + enableStream(t),
			}
		case !enable:
			return Table{}, &Advice{What: "table " + t.Name + " has no stream", Fix: "turn it on with: " + enableStream(t)}
		case !asked:
			_, err := w.DynamoDB.UpdateTable(ctx, &dynamodb.UpdateTableInput{
				TableName:           &t.Name,
				StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
			})
			var busy *types.ResourceInUseException
			var api smithy.APIError
			switch {
			case err == nil:
				asked = true
				w.Log.Info("turned on the stream")
				continue
			case errors.As(err, &busy), errors.As(err, &api) && api.ErrorCode() == "ValidationException":
				// The table is being changed, or another worker was first: look again.
			default:
				return Table{}, w.explain("turn on the stream of table "+t.Name, "UpdateTable", err)
			}
		}
		if err := pause(ctx, min(w.Poll, settleEvery)); err != nil {
			return Table{}, err
		}
	}
}
