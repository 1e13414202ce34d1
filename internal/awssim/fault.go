package awssim

import "time"

// A Fault is what goes wrong with one call. The zero value is nothing.
type Fault struct {
	Delay time.Duration // before the effect; the caller may give up meanwhile

	// Linger applies a request whose caller gave up during Delay when the delay is
	// over, as one that was already on the wire.
	Linger bool

	// Status or Code refuse the call before any effect, in the shape of its
	// service. Either may be left out: 400 or 500 after the code, or a code after the status.
	Status  int
	Code    string
	Message string

	Twice      bool          // applied twice; the reply is that of the second time
	After      func()        // runs after the effect, before the reply
	DelayReply time.Duration // after the effect
	DropReply  bool          // the effect stays, the caller sees a broken connection

	// RewriteReply changes the body of a successful reply; its checksum is made to fit.
	RewriteReply func([]byte) []byte
	// CutReply breaks the connection after so many bytes of the body; 0 = whole.
	CutReply int
}

type hook struct{ f func(*Call) Fault }

// Intercept installs f before every HTTP attempt. Several may be installed: delays
// add up, the first refusal counts, and everything else is done for each. f
// runs without the cloud's lock.
func (c *Cloud) Intercept(f func(*Call) Fault) (remove func()) {
	h := &hook{f}
	c.hooksMu.Lock()
	defer c.hooksMu.Unlock()
	c.hooks = append(c.hooks[:len(c.hooks):len(c.hooks)], h)
	return func() {
		c.hooksMu.Lock()
		defer c.hooksMu.Unlock()
		var rest []*hook
		for _, have := range c.hooks {
			if have != h {
				rest = append(rest, have)
			}
		}
		c.hooks = rest
	}
}

func (c *Cloud) fault(call *Call) Fault {
	c.hooksMu.Lock()
	hooks := c.hooks
	c.hooksMu.Unlock()
	var sum Fault
	for _, h := range hooks {
		sum = sum.with(h.f(call))
	}
	if c.cfg.Latency != nil {
		sum.Delay += c.cfg.Latency(call)
	}
	return sum
}

func (f Fault) with(g Fault) Fault {
	f.Delay += g.Delay
	f.DelayReply += g.DelayReply
	f.Linger = f.Linger || g.Linger
	f.Twice = f.Twice || g.Twice
	f.DropReply = f.DropReply || g.DropReply
	if !f.refuses() {
		f.Status, f.Code, f.Message = g.Status, g.Code, g.Message
	}
	if f.CutReply == 0 {
		f.CutReply = g.CutReply
	}
	if first, second := f.After, g.After; first == nil {
		f.After = second
	} else if second != nil {
		f.After = func() { first(); second() }
	}
	if first, second := f.RewriteReply, g.RewriteReply; first == nil {
		f.RewriteReply = second
	} else if second != nil {
		f.RewriteReply = func(b []byte) []byte { return second(first(b)) }
	}
	return f
}

func (f Fault) refuses() bool { return f.Status != 0 || f.Code != "" }
