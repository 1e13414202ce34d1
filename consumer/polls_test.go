package consumer

import (
	"testing"
	"time"
)

func TestTallyIsOfTheLastHour(t *testing.T) {
	for _, c := range []struct {
		name  string
		every time.Duration
		began time.Duration // when the calls begin, and
		ends  time.Duration // end
		at    time.Duration
		want  float64 // an hour
	}{
		{"a steady rate, early", 10 * time.Second, 0, 10 * time.Minute, 10 * time.Minute, 360},
		{"a steady rate, late", 10 * time.Second, 0, 50 * time.Hour, 50 * time.Hour, 360},
		{"a steady rate, within a minute", 10 * time.Second, 0, 50*time.Hour + 30*time.Second, 50*time.Hour + 30*time.Second, 360},
		{"what is over for half an hour counts half", 10 * time.Second, 0, 5 * time.Hour, 5*time.Hour + 30*time.Minute, 180},
		{"what is over for longer is forgotten", 10 * time.Second, 0, 5 * time.Hour, 7 * time.Hour, 0},
		{"the first minute is not blown up", time.Second, 0, 10 * time.Second, 10 * time.Second, 600},
	} {
		t.Run(c.name, func(t *testing.T) {
			var ta tally
			for at := c.began; at < c.ends; at += c.every {
				ta.add(at)
			}
			if got := ta.perHour(c.at); got < c.want*0.97 || got > c.want*1.03 {
				t.Errorf("%v an hour, want %v", got, c.want)
			}
		})
	}
}
