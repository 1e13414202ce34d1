package writer

import (
	"fmt"

	"github.com/parquet-go/parquet-go"

	"dynamolake/transform"
)

// rowField is how a column is read.
type rowField struct {
	kind  parquet.Kind
	field Fields
	set   func(*Row, parquet.Value) error
}

// rowFields are the columns that every file has, by name, and _old.
func rowFields() map[string]rowField {
	return map[string]rowField{
		"_op":     {parquet.ByteArray, FieldOp, setOp},
		"_seq":    {parquet.ByteArray, FieldSeq, setSeq},
		"_ts":     {parquet.Int64, FieldTS, func(r *Row, v parquet.Value) error { r.TS = v.Int64(); return nil }},
		"_shard":  {parquet.ByteArray, FieldShard, func(r *Row, v parquet.Value) error { r.Shard = v.ByteArray(); return nil }},
		"_source": {parquet.ByteArray, FieldSource, setSource},
		"_epoch":  {parquet.Int64, FieldEpoch, func(r *Row, v parquet.Value) error { r.Epoch = v.Int64(); return nil }},
		"_old":    {parquet.ByteArray, FieldOld, func(r *Row, v parquet.Value) error { r.Old = v.ByteArray(); return nil }},
		"_rest":   {parquet.ByteArray, FieldRest, func(r *Row, v parquet.Value) error { r.Rest = v.ByteArray(); return nil }},
	}
}

func keyField(t transform.KeyType, of func(*Row) *transform.KeyValue) rowField {
	if t == 'N' {
		return rowField{parquet.FixedLenByteArray, FieldKeys, func(r *Row, v parquet.Value) error {
			k := of(r)
			k.Exact = true
			copy(k.Dec[:], v.ByteArray())
			return nil
		}}
	}
	return rowField{parquet.ByteArray, FieldKeys, func(r *Row, v parquet.Value) error {
		*of(r) = transform.KeyValue{Bytes: v.ByteArray(), Exact: true}
		return nil
	}}
}

func setOp(r *Row, v parquet.Value) error {
	for _, o := range [...]transform.Op{transform.Insert, transform.Modify, transform.Remove, transform.Snapshot} {
		if string(v.ByteArray()) == o.String() {
			r.Op = o
			return nil
		}
	}
	return fmt.Errorf("operation %.20q", v.ByteArray())
}

func setSource(r *Row, v parquet.Value) error {
	for _, s := range [...]string{SourceStream, SourceFull, SourceIncremental} {
		if string(v.ByteArray()) == s {
			r.Source = s
			return nil
		}
	}
	return fmt.Errorf("source %.20q", v.ByteArray())
}

func setSeq(r *Row, v parquet.Value) error {
	if copy(r.Seq[:], v.ByteArray()) != len(r.Seq) || len(v.ByteArray()) != len(r.Seq) {
		return fmt.Errorf("sequence number %.50q", v.ByteArray())
	}
	return nil
}
