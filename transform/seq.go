package transform

import (
	"bytes"
	"fmt"
)

// SeqDigits is the width that sequence numbers are padded to. DynamoDB Streams
// documents 21 to 40 digits.
const SeqDigits = 40

// Seq is a stream sequence number: decimal digits, padded on the left with
// zeros, so that byte order is numeric order. The zero value stands before every
// record of a shard.
type Seq [SeqDigits]byte

// ParseSeq reads 1 to 40 decimal digits.
func ParseSeq[T string | []byte](digits T) (Seq, error) {
	var s Seq
	if len(digits) == 0 || len(digits) > SeqDigits {
		return Seq{}, fmt.Errorf("sequence number %q: want 1 to %d digits", string(digits), SeqDigits)
	}
	pad := SeqDigits - len(digits)
	zero := true
	for i := range len(digits) {
		c := digits[i]
		if c < '0' || c > '9' {
			return Seq{}, fmt.Errorf("sequence number %q: want 1 to %d digits", string(digits), SeqDigits)
		}
		zero = zero && c == '0'
		s[pad+i] = c
	}
	if zero {
		return Seq{}, nil
	}
	for i := range pad {
		s[i] = '0'
	}
	return s, nil
}

// IsZero tells whether s stands before every record.
func (s Seq) IsZero() bool { return s == Seq{} }

// Compare orders sequence numbers of one lineage: negative when s comes first.
func (s Seq) Compare(o Seq) int { return bytes.Compare(s[:], o[:]) }

// String is the padded form, always 40 digits.
func (s Seq) String() string {
	if s.IsZero() {
		return "0000000000000000000000000000000000000000"
	}
	return string(s[:])
}

// minSeqDigits is the least that the service accepts in a request.
const minSeqDigits = 21

// Digits is the form that the service takes: without padding beyond 21 digits;
// "0" for the zero Seq.
func (s Seq) Digits() string {
	if s.IsZero() {
		return "0"
	}
	for i, c := range s[:SeqDigits-minSeqDigits] {
		if c != '0' {
			return string(s[i:])
		}
	}
	return string(s[SeqDigits-minSeqDigits:])
}
