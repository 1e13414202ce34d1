package lakecheck

import "github.com/apache/arrow-go/v18/parquet/compress"

// Warm makes the process-wide decompressor of the Parquet reader. A test calls it
// before its first bubble: what is made inside one cannot be used from another.
func Warm() error {
	codec, err := compress.GetCodec(compress.Codecs.Zstd)
	if err != nil {
		return err
	}
	packed := codec.Encode(make([]byte, codec.CompressBound(1)), []byte{0})
	codec.Decode(make([]byte, 1), packed)
	return nil
}
