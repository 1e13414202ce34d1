package writer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// footerMeta reads from a Parquet file what its object's metadata says or should
// say. False when the file is none of ours.
func footerMeta(body []byte) (map[string]string, bool) {
	f, err := parquet.OpenFile(bytes.NewReader(body), int64(len(body)), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, false
	}
	sum := sha256.Sum256(body)
	meta := map[string]string{"sha256": hex.EncodeToString(sum[:])}
	for _, kv := range f.Metadata().KeyValueMetadata {
		if name, ok := strings.CutPrefix(kv.Key, "dynamolake."); ok {
			meta[name] = kv.Value
		}
	}
	return meta, true
}
