package verify

import (
	"fmt"
	"testing"

	"dynamolake/writer"
)

func stores() map[string]func(testing.TB) writer.Lake {
	return map[string]func(testing.TB) writer.Lake{"folder": folder, "simulated S3": simulated}
}

func TestAWholeLakeIsProven(t *testing.T) {
	for name, open := range stores() {
		for _, depth := range []Depth{DepthNames, DepthFooters, DepthRows} {
			t.Run(fmt.Sprintf("%s/%s", name, depth), func(t *testing.T) {
				w := grown(t, open(t))
				o := w.options()
				o.Depth = depth
				r := w.verify(o)
				if !r.Proven {
					t.Errorf("not proven: %+v", r.Doubts)
				}
				if r.Epochs != 4 || r.Exports != 1 || r.Windows != 2 || r.Files != 9 || r.Rows != 32 || r.Shards != 2 || r.ChainsEnded != 1 || r.ChainsOpen != 1 || r.Gaps != 1 {
					t.Errorf("%+v", r)
				}
				if !r.Since.Equal(minute(10)) || !r.Reach.Equal(minute(150)) {
					t.Errorf("from %v to %v", r.Since, r.Reach)
				}
			})
		}
	}
}
