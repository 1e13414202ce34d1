package fleet

import (
	"time"

	"dynamolake/checkpoint"
)

// look is what the worker table said at a moment.
type look struct {
	at    time.Time // when the answer had come
	beats map[string]beat
}

// beat tells processes apart that share a worker id.
type beat struct {
	run string
	n   int64
}

// Looks are compared with the newest that is at least settled old, and forgotten when they are
// older than remembered.
const (
	settled    = 10 * time.Second
	remembered = time.Minute
)

func lookAt(workers []checkpoint.Worker, at time.Time) look {
	l := look{at: at, beats: map[string]beat{}}
	for _, w := range workers {
		l.beats[w.ID] = beat{w.Run, w.Beat}
	}
	return l
}

// moved are the workers whose beat is another than in a look before.
func moved(before []look, now look) map[string]bool {
	base := before[0]
	for _, l := range before {
		if now.at.Sub(l.at) >= settled {
			base = l
		}
	}
	alive := map[string]bool{}
	for id, b := range now.beats {
		if base.beats[id] != b {
			alive[id] = true
		}
	}
	return alive
}

// recent drops the looks that nobody will be compared with any more: all but the
// newest that is settled before those that are not.
func recent(looks []look) []look {
	newest := looks[len(looks)-1].at
	for len(looks) > 1 && newest.Sub(looks[1].at) >= settled {
		looks = looks[1:]
	}
	return looks
}
