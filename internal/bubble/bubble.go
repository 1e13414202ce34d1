// Package bubble runs tests in virtual time.
package bubble

import (
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/apache/arrow-go/v18/parquet/compress"
)

// Run runs f in a bubble of [synctest.Test], which alone has three faults that end a whole test binary:
//
//   - The Parquet reader keeps one decompressor for the process. Made in a bubble it panics outside of it, so Run makes it before.
//   - Libraries keep others in pools. Two collections empty a pool, so Run leaves nothing of the bubble in any.
//   - All timers of a bubble share one context of the race detector. A channel's timer that ran out is fired by whoever looks at
//     it: at the same time on two processors the detector's stack is lost, and it breaks off (SIGSEGV or "CHECK failed"; Go 1.26,
//     golang/go issue 78156). Under the detector Run leaves the process one processor. Races are still found, for they are
//     told by what happens before what, not by collisions.
//
// Bubbles do not run beside each other: call no t.Parallel.
func Run(t *testing.T, f func(*testing.T)) {
	t.Helper()
	warm()
	if detecting {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	}
	defer func() {
		runtime.GC()
		runtime.GC()
	}()
	synctest.Test(t, f)
}

var warm = sync.OnceFunc(func() {
	codec, err := compress.GetCodec(compress.Codecs.Zstd)
	if err != nil {
		panic(err) // the reader has no Zstandard: no test that reads a file could pass
	}
	packed := codec.Encode(make([]byte, codec.CompressBound(1)), []byte{0})
	codec.Decode(make([]byte, 1), packed)
})
