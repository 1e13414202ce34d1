// Package bubble runs tests in virtual time.
package bubble

import (
	"runtime"
	"testing"
	"testing/synctest"
)

// Run runs f in a bubble of testing/synctest, for tests that read Parquet. Libraries keep decompressors in pools, and these
// have channels: one that was made in a bubble panics outside of it. Two collections empty a pool.
func Run(t *testing.T, f func(*testing.T)) {
	defer func() {
		runtime.GC()
		runtime.GC()
	}()
	synctest.Test(t, f)
}
