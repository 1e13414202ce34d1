package scene_test

import (
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"dynamolake/internal/awssim"
)

// weather is what is between the workers and AWS.
type weather struct {
	mu     sync.Mutex
	rng    *rand.Rand // the calls' order decides; virtual time makes it repeatable enough to find bugs
	calm   bool
	cut    map[string]time.Time     // until when a worker's requests fail; zero is for ever
	frozen map[string]time.Time     // until when they wait
	atPut  map[string]time.Duration // for how long a worker freezes at its next file
	down   map[string]time.Time     // until when a service throttles or fails for everyone
}

func newWeather(seed uint64) *weather {
	return &weather{
		rng: rand.New(rand.NewPCG(seed, 2)), cut: map[string]time.Time{}, frozen: map[string]time.Time{},
		atPut: map[string]time.Duration{}, down: map[string]time.Time{},
	}
}

func (w *weather) set(m map[string]time.Time, name string, until time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m[name] = until
}

func (w *weather) setCalm(calm bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calm = calm
}

// freezeAtPut freezes a worker at its next file, with it on the way.
func (w *weather) freezeAtPut(name string, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.atPut[name] = d
}

func (w *weather) latency(call *awssim.Call) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if call.Client == "author" || call.Client == "observer" {
		return time.Millisecond
	}
	return time.Duration(2+w.rng.IntN(60)) * time.Millisecond
}

// fault is the weather between the workers and AWS.
func (w *weather) fault(call *awssim.Call) awssim.Fault {
	if call.Client == "author" || call.Client == "observer" {
		return awssim.Fault{}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if until, ok := w.cut[call.Client]; ok && (until.IsZero() || time.Now().Before(until)) {
		return awssim.Fault{Status: 503, Code: "ServiceUnavailable", Message: "cut off"}
	}
	if d, ok := w.atPut[call.Client]; ok && call.Operation == "PutObject" && strings.Contains(call.Target, "/changes/") {
		delete(w.atPut, call.Client)
		w.frozen[call.Client] = time.Now().Add(d)
	}
	if wait := time.Until(w.frozen[call.Client]); wait > 0 {
		return awssim.Fault{Delay: wait, Linger: true}
	}
	if w.calm {
		return awssim.Fault{}
	}
	if time.Now().Before(w.down[call.Service]) {
		if call.Service == "s3" {
			return awssim.Fault{Status: 503, Code: "SlowDown"}
		}
		return awssim.Fault{Status: 400, Code: "ThrottlingException"}
	}
	n := w.rng.IntN(1000)
	switch {
	case n < 10:
		return awssim.Fault{DropReply: true}
	case n < 20:
		return awssim.Fault{Status: 500, Code: "InternalServerError"}
	case n < 25:
		return awssim.Fault{Twice: true}
	case n < 30:
		return awssim.Fault{Delay: time.Duration(w.rng.IntN(4000)) * time.Millisecond, Linger: true}
	case n < 50 && call.Service == "s3" && call.Operation == "PutObject":
		return awssim.Fault{Status: 409, Code: "ConditionalRequestConflict"}
	case n < 60 && call.Service == "s3":
		return awssim.Fault{Status: 503, Code: "SlowDown"}
	case n < 60 && call.Service == "streams":
		return awssim.Fault{Status: 400, Code: "LimitExceededException"}
	case n < 60 && call.Service == "dynamodb":
		return awssim.Fault{Status: 400, Code: "ThrottlingException"}
	}
	return awssim.Fault{}
}
