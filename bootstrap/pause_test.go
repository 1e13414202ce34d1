package bootstrap

import (
	"testing"
	"time"

	"dynamolake/internal/bubble"
)

func TestAPauseIsNeverNone(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		for _, d := range []time.Duration{1, time.Microsecond, time.Minute} {
			began := time.Now()
			if err := pause(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took < d*8/10 || took <= 0 {
				t.Errorf("a pause of %v took %v", d, took)
			}
		}
	})
}
