package transform

import (
	"strings"
	"testing"
)

func TestParseSeqPadsToTextOrder(t *testing.T) {
	short, err1 := ParseSeq("99999999999999999999")
	long, err2 := ParseSeq([]byte("100000000000000000000"))
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if short.Compare(long) >= 0 || short.String() >= long.String() {
		t.Errorf("%s does not come before %s", short, long)
	}
	if got := long.String(); got != "0000000000000000000100000000000000000000" {
		t.Error(got)
	}
	if got := long.Digits(); got != "100000000000000000000" {
		t.Error(got)
	}
	if got := (Seq{}).Digits(); got != "0" || (Seq{}).String() != strings.Repeat("0", 40) {
		t.Error(got)
	}
}

func TestParseSeqRoundTrips(t *testing.T) {
	for _, digits := range []string{strings.Repeat("9", 40), strings.Repeat("1", 21), "1" + strings.Repeat("0", 39)} {
		s, err := ParseSeq(digits)
		if err != nil || s.Digits() != digits || s.IsZero() {
			t.Errorf("%s became %s, %v", digits, s.Digits(), err)
		}
		if padded, err := ParseSeq(s.String()); err != nil || padded != s {
			t.Errorf("%s came back as %s, %v", s, padded, err)
		}
	}
}

func TestParseSeqZeroStandsBeforeEveryRecord(t *testing.T) {
	for _, digits := range []string{"0", strings.Repeat("0", 40)} {
		if s, err := ParseSeq(digits); err != nil || !s.IsZero() {
			t.Errorf("%s became %q, %v", digits, s, err)
		}
	}
}

func TestParseSeqRefusesWhatIsNoSequenceNumber(t *testing.T) {
	for _, digits := range []string{"", "1x", "-1", " 1", "1.0", strings.Repeat("1", 41)} {
		if s, err := ParseSeq(digits); err == nil || !strings.Contains(err.Error(), "want 1 to 40 digits") {
			t.Errorf("%q became %s, %v", digits, s, err)
		}
	}
}
