package bootstrap

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"dynamolake/checkpoint/ledger"
)

// again decides about an export that failed. What may pass is tried anew a few times. What a
// person must mend is an [Advice], and tried anew after Retry, for whoever is still
// there then. An export that had failed before this process looked first is tried
// at once: the start is somebody's word that it is mended.
func (w *workshop) again(ctx context.Context, epoch int64, x ledger.Export) (outcome, error) {
	place := fmt.Sprintf("%d %s", epoch, seconds(x.From))
	f := w.failures[place]
	if f == nil {
		f = &failure{arns: map[string]bool{}}
		w.failures[place] = f
		if !w.started {
			return w.retry(ctx, epoch, x)
		}
	}
	if !f.arns[x.ARN] {
		f.arns[x.ARN], f.at = true, time.Now()
	}
	code, message, _ := strings.Cut(x.Reason, ": ")
	fix, passes := failed(code, message, w.Raw, w.Table)
	delay := w.Retry
	if n := len(f.arns); passes && n < w.Tries {
		delay <<= n - 1
	} else {
		passes = false
	}
	if wait := time.Until(f.at.Add(delay)); wait > 0 {
		if passes {
			return outcome{wait: wait}, nil
		}
		if len(f.arns) >= w.Tries {
			fix += fmt.Sprintf(" %d times; look at the export in the console, and start again", len(f.arns))
		}
		return outcome{wait: wait}, &Advice{"export " + x.ARN + " failed (" + x.Reason + ")", fix, nil}
	}
	return w.retry(ctx, epoch, x)
}

// retry plans the export once more, under another token.
func (w *workshop) retry(ctx context.Context, epoch int64, x ledger.Export) (outcome, error) {
	w.Log.Info("asking again for an export that failed", append(named(epoch, x), zap.String("reason", x.Reason))...)
	return outcome{changed: true}, w.change(ctx, epoch, x, func(_ *ledger.Ledger, x *ledger.Export) error {
		x.Status, x.Try, x.ARN, x.Asked = ledger.Planned, x.Try+1, "", time.Now().UTC()
		return nil
	})
}
