package transform_test

import (
	"testing"

	"dynamolake/transform"
)

// TestARejectReadsAsTheRecordThatItWas decodes records, appends each as a reject has it, and decodes that.
func TestARejectReadsAsTheRecordThatItWas(t *testing.T) {
	keys := transform.KeySchema{Hash: transform.KeyAttr{Name: "p", Type: 'S'}, Range: transform.KeyAttr{Name: "n", Type: 'N'}}
	const key = `{"p":{"S":"a\"b"},"n":{"N":"1.0"}}`
	for _, record := range []string{
		`{"eventID":"a\u0001\"","eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":1700000000,"Keys":` + key + `,"NewImage":` + key + `,"SequenceNumber":"123456789012345678901","SizeBytes":17}}`,
		`{"eventName":"MODIFY","dynamodb":{"ApproximateCreationDateTime":1700000000.5,"Keys":` + key + `,"NewImage":` + key + `,"OldImage":{"x":{"NULL":true}},"SequenceNumber":"7"}}`,
		`{"eventName":"REMOVE","userIdentity":{"Type":"Service","PrincipalId":"dynamodb.amazonaws.com"},"dynamodb":{"Keys":` + key + `,"SequenceNumber":"7"}}`,
	} {
		decode := func(record string) (p transform.Page) {
			t.Helper()
			if err := transform.NewDecoder(keys).Decode([]byte(`{"Records":[`+record+`]}`), &p); err != nil || len(p.Changes) != 1 {
				t.Fatalf("%s: %v, rejects %v", record, err, p.Rejects)
			}
			return p
		}
		first := decode(record)
		second := decode(string(first.Changes[0].AppendRecord(nil)))
		a, b := &first.Changes[0], &second.Changes[0]
		if a.Op != b.Op || a.Seq != b.Seq || a.Created != b.Created || a.Size != b.Size || a.TTL != b.TTL || string(a.EventID) != string(b.EventID) ||
			string(a.Keys) != string(b.Keys) || string(a.New) != string(b.New) || string(a.Old) != string(b.Old) || string(a.AppendRest(nil)) != string(b.AppendRest(nil)) {
			t.Errorf("%s\nreads as\n%s", record, a.AppendRecord(nil))
		}
	}
}
