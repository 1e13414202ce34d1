package bootstrap_test

import (
	"fmt"
	"os"
	"testing"

	"dynamolake/internal/lakecheck"
)

// TestMain has the Parquet reader's decoders made outside of any bubble.
func TestMain(m *testing.M) {
	if err := lakecheck.Warm(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
