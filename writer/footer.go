package writer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// footerMeta reads from a Parquet file what its object's metadata says or should
// say. Only for a link of a chain, whose metadata has its hash, is that all of the
// file. False when the file is none of ours.
func footerMeta(r io.ReaderAt, size int64) (map[string]string, bool) {
	var meta map[string]string
	err := undamaged(func() error {
		f, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
		if err == nil {
			meta = footerOf(f)
		}
		return err
	})
	if err != nil {
		return nil, false
	}
	if meta["after"] != "" {
		sum := sha256.New()
		if _, err := io.Copy(sum, io.NewSectionReader(r, 0, size)); err != nil {
			return nil, false
		}
		meta["sha256"] = hex.EncodeToString(sum.Sum(nil))
	}
	return meta, true
}

// footerOf is what a file's footer says under our names.
func footerOf(f *parquet.File) map[string]string {
	meta := map[string]string{}
	for _, kv := range f.Metadata().KeyValueMetadata {
		if name, ok := strings.CutPrefix(kv.Key, "dynamolake."); ok {
			meta[name] = kv.Value
		}
	}
	return meta
}

// undamaged runs what reads with the library, which panics on some damage.
func undamaged(read func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the file is damaged: %v", p)
		}
	}()
	return read()
}
