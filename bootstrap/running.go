package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"go.uber.org/zap"

	"dynamolake/checkpoint/ledger"
)

// start asks AWS for a planned export.
func (w *workshop) start(ctx context.Context, epoch int64, x ledger.Export) (outcome, error) {
	if wait := time.Until(w.hold); wait > 0 {
		return outcome{wait: wait}, nil
	}
	if x.Asked.IsZero() { // by an older plan: say when the token's life begins
		return outcome{changed: true}, w.change(ctx, epoch, x, func(_ *ledger.Ledger, x *ledger.Export) error {
			x.Asked = time.Now().UTC()
			return nil
		})
	}
	d, err := w.ask(ctx, epoch, x)
	if errors.Is(err, errBusy) || errors.Is(err, errEarly) {
		w.hold = time.Now().Add(max(w.Poll, time.Minute))
		w.Log.Info("AWS takes no export now, it will be asked again", append(named(epoch, x), zap.Error(err))...)
		return outcome{wait: time.Until(w.hold)}, nil
	}
	if err != nil {
		return outcome{}, err
	}
	arn := aws.ToString(d.ExportArn)
	err = w.change(ctx, epoch, x, func(_ *ledger.Ledger, x *ledger.Export) error {
		x.Status, x.ARN, x.Reason = ledger.Running, arn, ""
		if d.StartTime != nil {
			x.Asked = d.StartTime.UTC()
		}
		return nil
	})
	if err != nil {
		return outcome{}, err
	}
	w.metrics.started.Inc()
	x.ARN = arn
	w.Log.Info("AWS exports", named(epoch, x)...)
	return outcome{changed: true}, nil
}

// poll asks how far AWS is.
func (w *workshop) poll(ctx context.Context, epoch ledger.Epoch, x ledger.Export) (outcome, error) {
	if wait := time.Until(w.polled[x.ARN]); wait > 0 {
		return outcome{wait: wait}, nil
	}
	d, err := w.describe(ctx, x.ARN)
	if err != nil {
		return outcome{}, err
	}
	switch d.ExportStatus {
	case types.ExportStatusCompleted:
		delete(w.polled, x.ARN)
		return w.exported(ctx, epoch, x, d)
	case types.ExportStatusFailed:
		delete(w.polled, x.ARN)
		reason := aws.ToString(d.FailureCode) + ": " + aws.ToString(d.FailureMessage)
		w.metrics.failed.Inc()
		w.Log.Warn("AWS gave an export up", append(named(epoch.Number, x), zap.String("reason", reason))...)
		return outcome{changed: true}, w.change(ctx, epoch.Number, x, func(_ *ledger.Ledger, x *ledger.Export) error {
			x.Status, x.Reason = ledger.Failed, reason
			return nil
		})
	}
	w.polled[x.ARN] = time.Now().Add(w.Poll)
	return outcome{wait: w.Poll}, nil
}

// exported records that AWS is done, if the manifests make sense, and which version of the schema
// all workers convert it with.
func (w *workshop) exported(ctx context.Context, epoch ledger.Epoch, x ledger.Export, d *types.ExportDescription) (outcome, error) {
	x.Bucket, x.Manifest = aws.ToString(d.S3Bucket), aws.ToString(d.ExportManifest)
	place, path := w.place(x)
	m, files, err := readManifest(ctx, place, path)
	if err != nil {
		return outcome{}, err
	}
	if err := m.of(w.Table); err != nil {
		return outcome{}, err
	}
	switch {
	case w.Filter == nil && (m.Filtered != "" || d.FilterSpecification != nil):
		return outcome{}, filtered(x.ARN, "as AWS says")
	case w.Filter != nil && d.FilterSpecification == nil:
		return outcome{}, &Advice{What: "export " + x.ARN, Fix: "AWS exported the whole table and was asked for a part; nothing was converted, and nothing goes on: report this"}
	}
	from, to := m.times(w.Timing)
	if m.full() != (epoch.Source == ledger.Full) || !from.Equal(x.From) || x.From.IsZero() && to.Before(x.To) {
		return outcome{}, &Advice{
			What: "export " + x.ARN,
			Fix:  fmt.Sprintf("AWS exported %s and was asked for %s; nothing was converted, and nothing goes on: report this", described(ledger.Export{From: from, To: to}), described(x)),
		}
	}
	version, err := w.learn(ctx, m, files)
	if err != nil {
		return outcome{}, err
	}
	err = w.change(ctx, epoch.Number, x, func(l *ledger.Ledger, now *ledger.Export) error {
		// The manifest's own end counts. A window that is planned behind it must begin there.
		if !to.Equal(now.To) && l.Find(epoch.Number, now.To) != nil && !x.From.IsZero() {
			return &Advice{
				What: "export " + x.ARN,
				Fix:  fmt.Sprintf("AWS exported up to %s instead of %s, where the next window begins; nothing was converted: report this", to.Format(time.RFC3339), x.To.Format(time.RFC3339)),
			}
		}
		now.Status, now.Bucket, now.Manifest = ledger.Exported, x.Bucket, x.Manifest
		now.To, now.Items, now.Files, now.Schema = to, m.Items, len(m.Files), version
		return nil
	})
	if err != nil {
		return outcome{}, err
	}
	w.Log.Info("AWS has exported", append(named(epoch.Number, x), zap.Int64("items", m.Items), zap.Int("files", len(m.Files)))...)
	return outcome{changed: true}, nil
}
