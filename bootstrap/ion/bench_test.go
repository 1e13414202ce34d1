package ion

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// BenchmarkReader reads 1,000 items of about 1 KB.
func BenchmarkReader(b *testing.B) {
	item := strings.TrimSuffix(bookION, "}}") + `,note:"` + strings.Repeat("seven wizards boil an egg ", 20) +
		`",token:{{3q2+7wAAAAAAAAAAAAAAAN6tvu8=}},lines:[{sku:"SKU-1",n:1.},{sku:"SKU-2",n:2.}],address:{zip:"01234",geo:{lat:48.123456,lon:16.5}}}}` + "\n"
	file := []byte(strings.Repeat(item, 1000))
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.Copy(io.Discard, NewReader(bytes.NewReader(file))); err != nil {
			b.Fatal(err)
		}
	}
}
